import type pg from "pg";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { PrepareRequest } from "../../../core/target.ts";
import { inUse, mismatch, NOT_A_TABLE } from "../../shared/catalog/table-misfit.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { findReferrers, type TargetTable } from "../catalog/target-table.ts";

/**
 * Drops a table of the target in the client's transaction, never with CASCADE: what depends on it is
 * not the task's, except foreign keys of tables that the task creates again and their columns' use of
 * this table's sequences.
 */
export async function dropTable(
  client: pg.Client,
  table: TargetTable,
  { migration, plan }: PrepareRequest,
): Promise<void> {
  if (table.kind !== "r" && table.kind !== "p") throw mismatch(plan, NOT_A_TABLE);
  const migrated = new Set(migration.tables.map(({ target }) => tableKey(target.id)));
  const referrers = await findReferrers(client, table);
  const foreign = referrers.filter((referrer) => !migrated.has(tableKey(referrer)));
  if (foreign.length > 0) {
    throw inUse(plan, "Foreign keys of tables outside the task refer to the table", foreign);
  }
  const statements = referrers.map(
    (referrer) => `alter table ${qualified(referrer)} drop constraint ${identifier(referrer.constraint)}`,
  );
  for (const sequence of await ownedSequences(client, table)) {
    // The defaults of tables that are created again already may draw from it, so it stays.
    if (
      migration.target.sequences.some(({ id, internal }) => !internal && tableKey(id) === tableKey(sequence))
    ) {
      statements.push(`alter sequence ${qualified(sequence)} owned by none`);
      // The table that is made next is the client's, and a column's sequence has the owner of its table.
      statements.push(`alter sequence ${qualified(sequence)} owner to current_user`);
    }
  }
  // Views and the like make this fail; classify() names them.
  await client.query([...statements, `drop table ${qualified(table.id)}`].join(";\n"));
}

async function ownedSequences(client: pg.Client, table: TargetTable): Promise<TableId[]> {
  return selectJson<TableId>(
    client,
    `select n.nspname as schema, c.relname as name
     from pg_depend d join pg_class c on c.oid = d.objid and c.relkind = 'S'
     join pg_namespace n on n.oid = c.relnamespace
     where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = $1
       and d.refobjsubid > 0 and d.deptype = 'a'`,
    [table.oid],
  );
}
