import type pg from "pg";
import { type SequenceState, type TableId, tableKey } from "../../../core/schema.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";

/** Sequences looked at in one statement, each of which holds a lock. */
const AT_ONCE = 250;

/** Where sequences stand; one that is not there is left out. */
export async function readSequenceStates(
  client: pg.Client,
  ids: readonly TableId[],
): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = await presentSequences(client, ids.slice(at, at + AT_ONCE));
    if (some.length > 0) states.push(...(await readStates(client, some)));
  }
  return states;
}

async function readStates(client: pg.Client, ids: readonly TableId[]): Promise<SequenceState[]> {
  const parts = ids.map(
    (id, i) => `select ${i} as at, last_value::text as last, is_called as called from ${qualified(id)}`,
  );
  const rows = await selectJson<{ at: number; last: string; called: boolean }>(
    client,
    parts.join(" union all "),
  );
  return rows.map(({ at, last, called }) => ({ id: ids[at]!, last, isCalled: called }));
}

/** Sets sequences of the target to these states; resolves with the ids of those that are not there. */
export async function setSequences(client: pg.Client, states: readonly SequenceState[]): Promise<TableId[]> {
  const missing: TableId[] = [];
  for (let at = 0; at < states.length; at += AT_ONCE) {
    const some = states.slice(at, at + AT_ONCE);
    const ids = some.map(({ id }) => id);
    const present = new Set((await presentSequences(client, ids)).map(tableKey));
    missing.push(...ids.filter((id) => !present.has(tableKey(id))));
    const calls = some
      .filter(({ id }) => present.has(tableKey(id)))
      .map(({ id, isCalled, last }) => {
        return `setval(${literal(qualified(id))}::regclass, ${literal(last)}::bigint, ${isCalled})`;
      });
    if (calls.length > 0) await client.query(`select ${calls.join(", ")}`);
  }
  return missing;
}

async function presentSequences(client: pg.Client, ids: readonly TableId[]): Promise<TableId[]> {
  return selectJson<TableId>(
    client,
    `select wanted.schema, wanted.name from unnest($1::text[], $2::text[]) as wanted(schema, name)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name and c.relkind = 'S'`,
    [ids.map(({ schema }) => schema), ids.map(({ name }) => name)],
  );
}
