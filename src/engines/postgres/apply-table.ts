import type { TablePlan } from "../../core/plan.ts";
import { literal } from "../shared/identifier.ts";
import { baseTypeSql, binaryFormSql } from "./binary-form.ts";
import type { WireSession } from "./wire-session.ts";

/** What the target's own catalog says of a column, for which plans and real tables may differ. */
export interface TargetColumn {
  /**
   * Qualified SQL name of its type without modifier; for a domain that of its base type. A cast to the domain
   * would cut a value that is too long for it, which an assignment does not.
   */
  readonly type: string;
  /** See binary-form.ts; undefined when values cannot be sent in binary. */
  readonly form: string | undefined;
  readonly generated: boolean;
  /** GENERATED ALWAYS AS IDENTITY, also one that a partition has from the table above it. */
  readonly identityAlways: boolean;
}

export interface TargetTable {
  /** By column name. */
  readonly columns: ReadonlyMap<string, TargetColumn>;
  readonly partitioned: boolean;
  /** A unique or exclusion constraint that is checked later, for which ON CONFLICT is refused. */
  readonly deferrable: boolean;
  /**
   * Nothing on the table or its partitions acts on single statements or their order: no rule, no trigger that
   * fires on replicas.
   */
  readonly plain: boolean;
}

const FACTS_SQL = (wanted: string): string => `
  select wanted.i, c.relkind = 'p',
         exists (select from pg_catalog.pg_index x where x.indrelid = c.oid and not x.indimmediate),
         c.relkind in ('r', 'p') and not c.relhasrules and not exists (
           select from pg_catalog.pg_trigger g where g.tgenabled in ('A', 'R') and (g.tgrelid = c.oid
              or c.relkind = 'p' and g.tgrelid in (select relid from pg_catalog.pg_partition_tree(c.oid)))),
         a.attname, pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname),
         ${binaryFormSql("a.atttypid")}, a.attgenerated <> '', a.attidentity = 'a'
    from (values ${wanted}) as wanted (i, schema, name)
    join pg_catalog.pg_namespace n on n.nspname = wanted.schema
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = ${baseTypeSql("a.atttypid")}
    join pg_catalog.pg_namespace tn on tn.oid = t.typnamespace`;

/** Tables of one question; a question for 2,000 at once takes the planner long. */
const TABLES_PER_QUERY = 200;

/** The plans' target tables as they are; undefined for one that is not there. */
export async function readTargetTables(
  wire: WireSession,
  plans: readonly TablePlan[],
): Promise<(TargetTable | undefined)[]> {
  const tables: ((TargetTable & { columns: Map<string, TargetColumn> }) | undefined)[] = plans.map(
    () => undefined,
  );
  for (let from = 0; from < plans.length; from += TABLES_PER_QUERY) {
    const wanted = plans
      .slice(from, from + TABLES_PER_QUERY)
      .map(({ target }, i) => `(${from + i}, ${literal(target.id.schema)}, ${literal(target.id.name)})`);
    const { rows } = await wire.query(FACTS_SQL(wanted.join(", ")));
    for (const [i, partitioned, deferrable, plain, name, type, form, generated, always] of rows) {
      const index = Number(i);
      const table = tables[index] ?? {
        columns: new Map<string, TargetColumn>(),
        partitioned: partitioned === "t",
        deferrable: deferrable === "t",
        plain: plain === "t",
      };
      tables[index] = table;
      table.columns.set(name!, {
        ...{ type: type!, form: form ?? undefined },
        ...{ generated: generated === "t", identityAlways: always === "t" },
      });
    }
  }
  return tables;
}
