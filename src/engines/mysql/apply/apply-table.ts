import type { TablePlan } from "../../../core/plan.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import { folds, isGenerated } from "../catalog/target-columns.ts";
import type { Client } from "../connection/client.ts";
import { readGrants } from "../connection/grants.ts";
import type { TargetColumnType } from "../values/cell-text.ts";

/** What the target's own catalog says of a column, for which plans and real tables may differ. */
export interface ApplyColumn extends TargetColumnType {
  /** COLUMN_TYPE, as DDL writes it: "decimal(10,2)", "binary(16)". */
  readonly columnType: string;
  readonly generated: boolean;
  /** Digits of a second's fraction; undefined for a type without. */
  readonly fraction: number | undefined;
  /** Texts that differ in more than spaces at their end may be equal. */
  readonly folds: boolean;
}

export interface UniqueIndex {
  readonly name: string;
  /** Names of its columns in lower case; undefined when it is over parts of them or over expressions. */
  readonly columns: ReadonlySet<string> | undefined;
}

/** What stands on the target under the name of a plan's table. */
export interface ApplyTable {
  /** By name, which is the same in every case. */
  readonly columns: ReadonlyMap<string, ApplyColumn>;
  readonly uniques: readonly UniqueIndex[];
  /** Nothing sees single changes: no trigger; and they can be taken back: its engine has transactions. */
  readonly plain: boolean;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly data_type: string;
  readonly column_type: string;
  readonly extra: string;
  readonly fraction: string | null;
  readonly collation: string | null;
}

interface IndexRow {
  readonly table: string;
  readonly name: string;
  readonly column: string | null;
  readonly part: string | null;
}

/** Tables of one question. */
const TABLES_PER_QUERY = 200;

/** Characters that no name has, and with which none can be compared. */
const BEYOND_NAMES = /[\u{10000}-\u{10ffff}]/u;

/**
 * The plans' target tables as they are; undefined for one that is not there. `made`: those that the task has made, by
 * tableKey of the source's id. The others may have triggers, which only who has the privilege for them sees.
 */
export async function readApplyTables(
  client: Client,
  plans: readonly TablePlan[],
  made: ReadonlySet<string>,
): Promise<readonly (ApplyTable | undefined)[]> {
  const grants = await readGrants(client);
  const found = new Map<string, ApplyTable>();
  const ids = plans.map(({ target }) => target.id);
  const possible = ids.filter(({ schema, name }) => !BEYOND_NAMES.test(`${schema}${name}`));
  for (const [schema, inSchema] of Map.groupBy(possible, (id) => id.schema)) {
    for (let from = 0; from < inSchema.length; from += TABLES_PER_QUERY) {
      await readTables(client, { schema, ids: inSchema.slice(from, from + TABLES_PER_QUERY), found });
    }
  }
  return plans.map(({ source, target: { id } }) => {
    const table = found.get(keyOf(client, id));
    const sees = made.has(tableKey(source.id)) || grants.has("TRIGGER", id.schema);
    return table === undefined || sees ? table : { ...table, plain: false };
  });
}

async function readTables(
  client: Client,
  wanted: {
    readonly schema: string;
    readonly ids: readonly TableId[];
    readonly found: Map<string, ApplyTable>;
  },
): Promise<void> {
  const { schema, found } = wanted;
  const names = wanted.ids.map(({ name }) => literal(name)).join(", ");
  // The database by itself, so that servers before 8.0 look into no other one.
  const among = (prefix: string): string =>
    `where ${prefix}_schema = ${literal(schema)} and ${prefix}_table in (${names})`.replace(
      "table_table",
      "table_name",
    );
  const tables = await client.query<{ table: string; engine: string | null }>(
    `select table_name as \`table\`, engine as engine from information_schema.tables ${among("table")}`,
  );
  const columns = await client.query<ColumnRow>(
    `select table_name as \`table\`, column_name as name, data_type as data_type, column_type as column_type,
      extra as extra, datetime_precision as fraction, collation_name as collation from information_schema.columns ${among("table")}`,
  );
  const indexes = await client.query<IndexRow>(
    `select table_name as \`table\`, index_name as name, column_name as \`column\`, sub_part as part
      from information_schema.statistics ${among("table")} and non_unique = 0`,
  );
  const triggers = await client.query<{ table: string }>(
    `select distinct event_object_table as \`table\` from information_schema.triggers ${among("event_object")}`,
  );
  const key = (table: string): string => keyOf(client, { schema, name: table });
  const columnsOf = Map.groupBy(columns, ({ table }) => key(table));
  const indexesOf = Map.groupBy(indexes, ({ table }) => key(table));
  const triggered = new Set(triggers.map(({ table }) => key(table)));
  for (const { table, engine } of tables) {
    const name = key(table);
    found.set(name, {
      columns: new Map((columnsOf.get(name) ?? []).map((row) => [row.name.toLowerCase(), columnOf(row)])),
      uniques: uniquesOf(indexesOf.get(name) ?? []),
      plain: engine === "InnoDB" && !triggered.has(name),
    });
  }
}

function columnOf(row: ColumnRow): ApplyColumn {
  return {
    dataType: row.data_type.toLowerCase(),
    columnType: row.column_type.toLowerCase(),
    generated: isGenerated(row.extra),
    fraction: row.fraction === null ? undefined : Number(row.fraction),
    folds: folds(row.collation),
  };
}

function uniquesOf(rows: readonly IndexRow[]): readonly UniqueIndex[] {
  return [...Map.groupBy(rows, ({ name }) => name)].map(([name, parts]) => ({
    name,
    columns: parts.some(({ column, part }) => column === null || part !== null)
      ? undefined
      : new Set(parts.map(({ column }) => column!.toLowerCase())),
  }));
}

/** A server that keeps names in lower case, or compares them so, tells of them in that. */
function keyOf(client: Client, { schema, name }: TableId): string {
  const key = `${schema}\0${name}`;
  return client.facts.lowerCaseTableNames === 0 ? key : key.toLowerCase();
}
