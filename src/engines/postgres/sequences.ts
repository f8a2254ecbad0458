import type pg from "pg";
import { type SequenceState, type TableId, tableKey } from "../../core/schema.ts";
import { literal, qualified } from "../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";
import { classify } from "./errors.ts";

/** Sequences looked at in one statement, each of which holds a lock. */
const AT_ONCE = 250;

/** Where sequences stand; one that is not there is left out. */
export async function readSequenceStates(
  client: pg.Client,
  ids: readonly TableId[],
): Promise<SequenceState[]> {
  const states: SequenceState[] = [];
  try {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = await presentSequences(client, ids.slice(at, at + AT_ONCE));
      if (some.length > 0) states.push(...(await readStates(client, some)));
    }
  } catch (error) {
    throw classify(error, { side: "source" });
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
  try {
    for (let at = 0; at < states.length; at += AT_ONCE) {
      const some = states.slice(at, at + AT_ONCE);
      const present = new Set(
        (
          await presentSequences(
            client,
            some.map(({ id }) => id),
          )
        ).map(tableKey),
      );
      const calls: string[] = [];
      for (const { id, isCalled, last } of some) {
        if (present.has(tableKey(id))) {
          calls.push(`setval(${literal(qualified(id))}::regclass, ${literal(last)}::bigint, ${isCalled})`);
        } else {
          missing.push(id);
        }
      }
      if (calls.length > 0) await client.query(`select ${calls.join(", ")}`);
    }
  } catch (error) {
    throw classify(error, { side: "target" });
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
