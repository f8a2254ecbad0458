import type pg from "pg";
import { MigrationError, type TableOutcome } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { BulkFormat } from "../../../core/row-chunk.ts";
import { displayTable, tableKey } from "../../../core/schema.ts";
import { type BinaryForm, binaryForm, binaryFormSql, sameBinaryForm } from "../catalog/binary-form.ts";

const TEXT_ONLY: readonly BulkFormat[] = ["pg-copy-text"];
const BINARY_FIRST: readonly BulkFormat[] = ["pg-copy-binary", "pg-copy-text"];

/** What a table can be read in; `binary`: each of its columns has a binary form that is the same everywhere. */
export function sourceFormats(binary: boolean): readonly BulkFormat[] {
  return binary ? BINARY_FIRST : TEXT_ONLY;
}

/**
 * What tables of the target can be written in, all of them in one query. A table's outcome is
 * `target.table_mismatch` when it or one of its columns is not there.
 */
export async function targetFormats(
  client: pg.Client,
  plans: readonly TablePlan[],
): Promise<TableOutcome<readonly BulkFormat[]>[]> {
  const actual = await targetColumns(client, plans);
  return plans.map((plan) => formatsOf(plan, actual.get(tableKey(plan.target.id))));
}

/**
 * Binary only when each of the columns takes the binary form that the source's column sends, for the
 * target would read other bytes as another value, or refuse them.
 */
function formatsOf(
  plan: TablePlan,
  actual: ReadonlyMap<string, TargetColumn> | undefined,
): TableOutcome<readonly BulkFormat[]> {
  if (actual === undefined) return mismatch(plan, "does not exist");
  let binary = true;
  for (const [i, column] of plan.source.columns.entries()) {
    if (column.generated !== undefined) continue;
    const name = plan.target.columns[i]!.name;
    const found = actual.get(name);
    if (found === undefined) return mismatch(plan, `has no column ${name}`);
    if (found.generated) return mismatch(plan, `computes the column ${name} itself`);
    binary &&= sameBinaryForm(binaryForm(column), found.form);
  }
  // Without a column list COPY means all columns of the table.
  const copied = plan.source.columns.some((column) => column.generated === undefined);
  if (!copied && [...actual.values()].some((column) => !column.generated)) {
    return mismatch(plan, "has columns that the source's does not have");
  }
  return binary ? BINARY_FIRST : TEXT_ONLY;
}

interface TargetColumn {
  readonly generated: boolean;
  readonly form: BinaryForm | undefined;
}

/** Columns by name, by table. */
async function targetColumns(
  client: pg.Client,
  plans: readonly TablePlan[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, TargetColumn>>> {
  const ids = plans.map(({ target }) => target.id);
  const { rows } = await client.query<ColumnRow>(COLUMNS, [
    ids.map(({ schema }) => schema),
    ids.map(({ name }) => name),
  ]);
  const tables = new Map<string, Map<string, TargetColumn>>();
  for (const row of rows) {
    const key = tableKey({ schema: row.schema, name: row.table });
    const columns = tables.get(key) ?? new Map<string, TargetColumn>();
    tables.set(key, columns);
    if (row.name === null) continue;
    columns.set(row.name, { generated: row.generated === "t", form: row.form ?? undefined });
  }
  return tables;
}

interface ColumnRow {
  readonly schema: string;
  readonly table: string;
  /** null for a table without columns. */
  readonly name: string | null;
  readonly generated: string;
  readonly form: string | null;
}

/** The binary form is looked up once for each type. */
const COLUMNS = `
  with columns as materialized (
    select wanted.schema, wanted.name as table, a.attname as name, a.attgenerated <> '' as generated, a.atttypid as type
      from unnest($1::text[], $2::text[]) as wanted(schema, name)
      join pg_catalog.pg_namespace n on n.nspname = wanted.schema
      join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = wanted.name
       and c.relkind in ('r', 'p', 'v', 'f')
      left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ), forms as materialized (
    select t.oid, ${binaryFormSql("t.oid")} as form
      from (select distinct type as oid from columns where type is not null) t
  )
  select c.schema, c.table, c.name, c.generated, f.form from columns c left join forms f on f.oid = c.type`;

function mismatch(plan: TablePlan, what: string): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: `The table ${displayTable(plan.target.id)} on the target ${what}.`,
    subject: displayTable(plan.target.id),
    table: plan.source.id,
  });
}
