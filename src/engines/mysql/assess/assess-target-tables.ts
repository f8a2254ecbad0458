import type { Finding } from "../../../core/finding.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { foldedKeyFindings } from "../../shared/catalog/folded-keys.ts";
import { keptIndexFindings, type PresentIndex } from "../../shared/catalog/kept-indexes.ts";
import { names } from "../../shared/catalog/table-misfit.ts";
import { finding } from "../../shared/finding.ts";
import { type OfTable, selectOfTables } from "../catalog/catalog-query.ts";
import { identifier, literal, qualified } from "../catalog/identifier.ts";
import { findTables, isTable, misfit, type TargetTable } from "../catalog/target-table.ts";
import type { Client } from "../connection/client.ts";

/** What stands on the target under the names of the plan's tables. */
export async function assessTargetTables(
  client: Client,
  { plan, mode: given, prepared, ...work }: TargetAssessment,
): Promise<readonly Finding[]> {
  const ids = plan.tables.map(({ target }) => target.id);
  const found = await findTables(client, ids);
  const referrers = await referrersOf(client, [...found.values()]);
  const triggers = await triggersOf(client, [...found.values()]);
  const indexes = await indexesOf(client, [...found.values()]);
  const planned = new Set(ids.map(tableKey));
  return plan.tables.flatMap((table) => {
    const key = tableKey(table.target.id);
    const there = found.get(key);
    if (there === undefined) return [];
    const mode = prepared.has(tableKey(table.source.id)) ? "do-nothing" : given;
    if (!isTable(there)) {
      return problem(table, "target.table_mismatch", "Something that is not a table has its name.");
    }
    if (mode === "drop-and-create") {
      const foreign = (referrers.get(key) ?? []).filter((id) => !planned.has(tableKey(id)));
      return dropping(table, there, foreign);
    }
    return [
      ...keeping(table, there),
      ...keptIndexFindings({
        ...work,
        plan: table,
        indexes: indexes.get(key)!,
        uniqueSql: uniqueSqlOf(table),
      }),
      ...(mode === "truncate" ? [emptied(table)] : []),
      ...acting(table, triggers.get(key)!),
    ];
  });
}

async function referrersOf(
  client: Client,
  tables: readonly TargetTable[],
): Promise<ReadonlyMap<string, readonly TableId[]>> {
  const referrers = new Map<string, TableId[]>();
  for (const [schema, some] of Map.groupBy(tables, ({ id }) => id.schema)) {
    const rows = await client.query<TableId & { readonly target: string }>(
      `select distinct table_schema as \`schema\`, table_name as name, referenced_table_name as target
         from information_schema.key_column_usage
        where referenced_table_schema = ${literal(schema)}
          and referenced_table_name in (${some.map(({ id }) => literal(id.name)).join(", ")})`,
    );
    for (const { target, ...id } of rows) {
      const key = tableKey({ schema, name: target });
      referrers.set(key, [...(referrers.get(key) ?? []), id]);
    }
  }
  return referrers;
}

/** Names of each table's triggers, by the table's key. */
async function triggersOf(
  client: Client,
  tables: readonly TargetTable[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await selectOfTables<OfTable & { readonly name: string }>(
    client,
    tables.map(({ id }) => id),
    (where) => `
    select event_object_schema as \`schema\`, event_object_table as \`table\`, trigger_name as name
      from information_schema.triggers where ${where} order by trigger_name`,
    { schema: "event_object_schema", table: "event_object_table" },
  );
  return new Map([...rows].map(([key, list]) => [key, list.map(({ name }) => name)]));
}

function uniqueSqlOf({ target: { id } }: TablePlan): (columns: readonly string[]) => string {
  return (columns) => `alter table ${qualified(id)} add unique (${columns.map(identifier).join(", ")});`;
}

interface IndexPartRow extends OfTable {
  readonly name: string;
  /** Null for an expression. */
  readonly column: string | null;
  readonly unique: string;
  /** Only so many characters of the column. */
  readonly part: string | null;
}

/** Each table's indexes, by the table's key. */
async function indexesOf(
  client: Client,
  tables: readonly TargetTable[],
): Promise<ReadonlyMap<string, readonly PresentIndex[]>> {
  const rows = await selectOfTables<IndexPartRow>(
    client,
    tables.map(({ id }) => id),
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, index_name as name, column_name as \`column\`,
           1 - non_unique as \`unique\`, sub_part as part
      from information_schema.statistics where ${where} order by index_name, seq_in_index`,
  );
  return new Map(
    [...rows].map(([key, parts]) => [key, [...Map.groupBy(parts, ({ name }) => name)].map(index)]),
  );
}

function index([name, parts]: readonly [string, readonly IndexPartRow[]]): PresentIndex {
  const isWhole = parts.every(({ column, part }) => column !== null && part === null);
  return {
    ...{ name, primary: name === "PRIMARY", unique: Number(parts[0]!.unique) === 1 },
    columns: isWhole ? parts.map(({ column }) => column!) : undefined,
  };
}

function dropping(table: TablePlan, there: TargetTable, foreign: readonly TableId[]): readonly Finding[] {
  const name = displayTable(table.target.id);
  if (foreign.length > 0) {
    const named = foreign.slice(0, 10).map(displayTable).join(", ");
    return problem(
      table,
      "target.table_in_use",
      `Foreign keys of tables outside the task refer to ${name}: ${named}.`,
    );
  }
  const rows = there.estimatedRows > 0 ? ` with about ${there.estimatedRows} rows` : "";
  return [
    finding("target.table_dropped", "info", {
      subject: name,
      table: table.source.id,
      message: `The table ${name}${rows} on the target is dropped and made anew.`,
    }),
  ];
}

function emptied(table: TablePlan): Finding {
  const name = displayTable(table.target.id);
  return finding("target.table_dropped", "info", {
    subject: name,
    table: table.source.id,
    message: `The table ${name} on the target is emptied before it is loaded.`,
  });
}

function keeping(table: TablePlan, there: TargetTable): readonly Finding[] {
  const name = displayTable(table.target.id);
  const reason = misfit(there, table);
  if (reason !== undefined) {
    return problem(
      table,
      "target.table_mismatch",
      `The table ${name} on the target cannot be used: ${reason}.`,
    );
  }
  if (there.engine !== undefined && there.engine !== "InnoDB") {
    const message = `The table ${name} on the target has the storage engine ${there.engine}, which has no transactions.`;
    return problem(table, "target.engine", message);
  }
  const columns = new Map(there.columns.map((column) => [column.name, column]));
  const folded = foldedKeyFindings(table, (column) => columns.get(column)?.folds === true);
  const coarse = there.columns.filter((column) => isCoarser(table, column));
  if (coarse.length === 0) return folded;
  return [
    ...folded,
    finding("target.table_mismatch", "warning", {
      subject: name,
      table: table.source.id,
      message: `Columns of ${name} on the target have fewer digits of a second than the source's, and are rounded: ${names(coarse)}.`,
      remedy: "Give the columns the precision of the source's, or use TargetTablePrepMode DROP_AND_CREATE.",
    }),
  ];
}

function isCoarser({ source, target }: TablePlan, column: TargetTable["columns"][number]): boolean {
  const ordinal = target.columns.findIndex(({ name }) => name === column.name);
  const type = source.columns[ordinal]?.type;
  if (column.fraction === undefined || (type?.kind !== "time" && type?.kind !== "timestamp")) return false;
  return column.fraction < type.precision;
}

function acting(table: TablePlan, triggers: readonly string[]): readonly Finding[] {
  if (triggers.length === 0) return [];
  const name = displayTable(table.target.id);
  return [
    finding("target.triggers", "warning", {
      subject: name,
      table: table.source.id,
      message: `Triggers of the table ${name} act on what is loaded and applied: ${triggers.join(", ")}.`,
    }),
  ];
}

function problem(table: TablePlan, code: Finding["code"], message: string): readonly Finding[] {
  return [
    finding(code, "error", { subject: displayTable(table.target.id), table: table.source.id, message }),
  ];
}
