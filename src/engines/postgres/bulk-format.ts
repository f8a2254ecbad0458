import type pg from "pg";
import { MigrationError } from "../../core/error.ts";
import type { TablePlan } from "../../core/plan.ts";
import type { BulkFormat } from "../../core/row-chunk.ts";
import { displayTable } from "../../core/schema.ts";
import { type BinaryForm, binaryForm, binaryFormSql, sameBinaryForm } from "./binary-form.ts";
import { classify } from "./errors.ts";

const TEXT_ONLY: readonly BulkFormat[] = ["pg-copy-text"];
const BINARY_FIRST: readonly BulkFormat[] = ["pg-copy-binary", "pg-copy-text"];

/** What a table can be read in; `binary`: each of its columns has a binary form that is the same everywhere. */
export function sourceFormats(binary: boolean): readonly BulkFormat[] {
  return binary ? BINARY_FIRST : TEXT_ONLY;
}

/**
 * What a table of the target can be written in: binary only when each of its columns takes the binary
 * form that the source's column sends, for the target would read other bytes as another value, or
 * refuse them. Throws `target.table_mismatch` when the table or one of its columns is not there.
 */
export async function targetFormats(client: pg.Client, plan: TablePlan): Promise<readonly BulkFormat[]> {
  const actual = await targetColumns(client, plan);
  let binary = true;
  for (const [i, column] of plan.source.columns.entries()) {
    if (column.generated !== undefined) continue;
    const name = plan.target.columns[i]!.name;
    const found = actual.get(name);
    if (found === undefined) throw mismatch(plan, `has no column ${name}`);
    if (found.generated) throw mismatch(plan, `computes the column ${name} itself`);
    binary &&= sameBinaryForm(binaryForm(column), found.form);
  }
  // Without a column list COPY means all columns of the table.
  const copied = plan.source.columns.some((column) => column.generated === undefined);
  if (!copied && [...actual.values()].some((column) => !column.generated)) {
    throw mismatch(plan, "has columns that the source's does not have");
  }
  return binary ? BINARY_FIRST : TEXT_ONLY;
}

interface TargetColumn {
  readonly generated: boolean;
  readonly form: BinaryForm | undefined;
}

async function targetColumns(client: pg.Client, plan: TablePlan): Promise<Map<string, TargetColumn>> {
  const { schema, name } = plan.target.id;
  const columns = new Map<string, TargetColumn>();
  try {
    const { rows } = await client.query<{ name: string | null; generated: string; form: string | null }>(
      `select a.attname as name, a.attgenerated <> '' as generated, ${binaryFormSql("a.atttypid")} as form
         from pg_catalog.pg_class c
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'f')`,
      [schema, name],
    );
    if (rows.length === 0) throw mismatch(plan, "does not exist");
    for (const row of rows) {
      if (row.name === null) continue;
      columns.set(row.name, { generated: row.generated === "t", form: row.form ?? undefined });
    }
  } catch (error) {
    throw classify(error, { side: "target", table: plan.source.id });
  }
  return columns;
}

function mismatch(plan: TablePlan, what: string): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: `The table ${displayTable(plan.target.id)} on the target ${what}.`,
    subject: displayTable(plan.target.id),
    table: plan.source.id,
  });
}
