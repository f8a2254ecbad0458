import type pg from "pg";
import type { MigrationPlan } from "../../../core/plan.ts";
import { type SchemaObject, type TableId, tableKey } from "../../../core/schema.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { inSchema, readOnly, selectJson } from "../catalog/catalog-query.ts";
import { strictPath } from "../catalog/native-ddl.ts";
import { errorCode } from "../connection/error-code.ts";

/** Others depend on it; it is something else; it is somebody else's; it, its table or schema is not there. */
const STAYS = new Set(["2BP01", "42809", "42501", "42P01", "3F000"]);

/**
 * Drops what stands on the plan's tables, never with CASCADE, the last object first. What cannot be
 * dropped stays, and the table beneath it is refused with the reason.
 */
export async function dropObjects(client: pg.Client, plan: MigrationPlan): Promise<void> {
  const { tables, objects } = plan.target;
  const planned = new Set([...tables, ...objects].map(({ id }) => tableKey(id)));
  for (const object of objects.toReversed()) {
    for (const statement of await dropStatements(client, object, planned)) {
      try {
        await client.query(statement);
      } catch (error) {
        await client.query("rollback");
        if (!STAYS.has(errorCode(error) ?? "")) throw error;
      }
    }
  }
}

async function dropStatements(
  client: pg.Client,
  { kind, id, on }: SchemaObject,
  planned: ReadonlySet<string>,
): Promise<readonly string[]> {
  switch (kind) {
    case "view":
    case "materialized view":
    case "text search configuration":
    case "text search dictionary":
      return [`drop ${kind} if exists ${qualified(id)}`];
    case "rule":
    case "policy":
      return [`drop ${kind} if exists ${identifier(id.name)} on ${qualified(on!)}`];
    case "foreign key":
      return [`alter table if exists ${qualified(on!)} drop constraint if exists ${identifier(id.name)}`];
    case "inheritance":
      return (await parentsOf(client, on!)).map(
        (parent) => `alter table ${qualified(on!)} no inherit ${qualified(parent)}`,
      );
    case "function":
    case "procedure":
    case "aggregate":
      // One that takes or returns rows of a table keeps the table.
      return await routineDrops(client, id);
    case "partitioned table": {
      // It would take its partitions with it.
      const parts = await partitionsOf(client, id);
      return parts.length > 0 && parts.every((part) => planned.has(tableKey(part)))
        ? [`drop table if exists ${qualified(id)}`]
        : [];
    }
    default:
      return [];
  }
}

async function routineDrops(client: pg.Client, { schema, name }: TableId): Promise<string[]> {
  const rows = await readOnly(client, () =>
    selectJson<{ statement: string }>(
      client,
      `select format('drop %s %I.%I(%s)', case p.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end,
           n.nspname, p.proname, case when p.prokind = 'a' and p.pronargs = 0 then '*'
           else ${inSchema("n.nspname", "pg_get_function_identity_arguments(p.oid)")} end) as statement
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = $1
          and p.proname || '(' || ${inSchema("n.nspname", "oidvectortypes(p.proargtypes)")} || ')' = $2`,
      [schema, name],
    ),
  );
  // Types in the statement are as the schema names them.
  return rows.map(({ statement }) => `begin; ${strictPath(schema)}; ${statement}; commit`);
}

/** The partitioned table itself and all below it; empty when something else has its name. */
async function partitionsOf(client: pg.Client, { schema, name }: TableId): Promise<TableId[]> {
  return selectJson<TableId>(
    client,
    `with recursive below(oid) as (
       select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = $2 and c.relkind = 'p'
       union select i.inhrelid from below join pg_inherits i on i.inhparent = below.oid)
     select n.nspname as schema, c.relname as name from below
       join pg_class c on c.oid = below.oid join pg_namespace n on n.oid = c.relnamespace`,
    [schema, name],
  );
}

async function parentsOf(client: pg.Client, { schema, name }: TableId): Promise<TableId[]> {
  return selectJson<TableId>(
    client,
    `select pn.nspname as schema, p.relname as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_inherits i on i.inhrelid = c.oid and not c.relispartition
       join pg_class p on p.oid = i.inhparent join pg_namespace pn on pn.oid = p.relnamespace
      where n.nspname = $1 and c.relname = $2`,
    [schema, name],
  );
}
