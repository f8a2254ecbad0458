import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, tableKey } from "../../../core/schema.ts";
import type { ApplyRequest } from "../../../core/target.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** Tables whose foreign keys act in a session, in which the server then has other triggers act, too. */
export class ActingKeys {
  /** By table key, source id. */
  readonly #refers: ReadonlySet<string>;
  readonly #isTriggered: ReadonlySet<string>;

  constructor(refers: ReadonlySet<string>, isTriggered: ReadonlySet<string>) {
    this.#refers = refers;
    this.#isTriggered = isTriggered;
  }

  /** Throws where triggers would act on rows that already show what such have done. */
  check({ source: { id } }: TablePlan): void {
    if (!this.#refers.has(tableKey(id)) || !this.#isTriggered.has(tableKey(id))) return;
    throw new MigrationError("apply.triggers_act", {
      message: `The table ${displayTable(id)} has foreign keys on the target, and triggers that would act on its rows together with them.`,
      subject: displayTable(id),
      table: id,
    });
  }

  /** What keeps triggers from acting in a transaction about a table that has no foreign key. */
  silence({ source: { id } }: TablePlan): readonly string[] {
    return this.#refers.has(tableKey(id)) ? [] : ["set local session_replication_role = replica"];
  }
}

/** Of a session in which nothing acts so far. */
export async function letKeysAct(wire: WireSession, { plan }: ApplyRequest): Promise<ActingKeys> {
  await wire.query("set session_replication_role = origin");
  const refers = new Set<string>();
  const isTriggered = new Set<string>();
  const tables = plan.tables.map(
    ({ target }, i) => `(${i}, pg_catalog.to_regclass(${literal(qualified(target.id))}))`,
  );
  // A task may have no tables any more; no list of values is empty.
  const { rows } = tables.length === 0 ? { rows: [] } : await wire.query(ACTING_SQL(tables.join(", ")));
  for (const [i, hasKeys, hasTriggers] of rows) {
    const key = tableKey(plan.tables[Number(i)]!.source.id);
    if (hasKeys === "t") refers.add(key);
    if (hasTriggers === "t") isTriggered.add(key);
  }
  return new ActingKeys(refers, isTriggered);
}

/** Triggers of inserts that act in sessions of everybody (O), and do not where changes are brought by replication. */
const ACTING_SQL = (wanted: string): string => `
  select wanted.i,
         exists (select from pg_catalog.pg_constraint c where c.conrelid = wanted.oid and c.contype = 'f'),
         exists (select from pg_catalog.pg_trigger g where not g.tgisinternal and g.tgenabled = 'O' and g.tgtype & 4 <> 0
           and (g.tgrelid = wanted.oid or g.tgrelid in (
             select p.relid from pg_catalog.pg_class k, pg_catalog.pg_partition_tree(k.oid) p
              where k.oid = wanted.oid and k.relkind = 'p')))
    from (values ${wanted}) as wanted (i, oid)`;
