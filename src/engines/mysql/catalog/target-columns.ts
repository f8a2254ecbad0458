import { type TableId, tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { literal } from "./identifier.ts";

/** A column of a table that is there, as the target's catalog has it. */
export interface TargetColumn {
  readonly name: string;
  /** DATA_TYPE in lower case: "int", "varchar", "datetime". */
  readonly dataType: string;
  /** COLUMN_TYPE, as DDL writes it: "int(10) unsigned", "enum('a','b')". */
  readonly columnType: string;
  /** Of a column of characters; undefined for another. */
  readonly characterSet: string | undefined;
  readonly nullable: boolean;
  readonly generated: boolean;
  /** An update that does not name it sets it to the current time. */
  readonly updatesItself: boolean;
  /** It is AUTO_INCREMENT. */
  readonly counts: boolean;
  /** A row cannot be inserted without a value for it. */
  readonly required: boolean;
  /** Digits of a fraction of a second; undefined for other types. */
  readonly fraction: number | undefined;
}

interface ColumnRow {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly data_type: string;
  readonly column_type: string;
  readonly character_set: string | null;
  readonly nullable: string;
  readonly default_value: string | null;
  readonly extra: string;
  readonly fraction: string | null;
}

/** Columns in order of the tables that are there, by the table's key. */
export async function targetColumns(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, readonly TargetColumn[]>> {
  const rows = await selectOf<ColumnRow>(
    client,
    ids,
    (where) => `select table_schema as \`schema\`, table_name as \`table\`, column_name as name,
      data_type as data_type, column_type as column_type, character_set_name as character_set,
      is_nullable as nullable, column_default as default_value, extra as extra,
      datetime_precision as fraction, ordinal_position as place
    from information_schema.columns where ${where}`,
    "`schema`, `table`, place",
  );
  const tables = new Map<string, TargetColumn[]>();
  for (const row of rows) {
    const key = tableKey({ schema: row.schema, name: row.table });
    const columns = tables.get(key) ?? [];
    tables.set(key, columns);
    columns.push(columnOf(row));
  }
  return tables;
}

function columnOf(row: ColumnRow): TargetColumn {
  const generated = isGenerated(row.extra);
  const nullable = row.nullable === "YES";
  const counts = /auto_increment/i.test(row.extra);
  return {
    name: row.name,
    dataType: row.data_type.toLowerCase(),
    columnType: row.column_type,
    characterSet: row.character_set ?? undefined,
    nullable,
    generated,
    counts,
    updatesItself: /\bon update\b/i.test(row.extra),
    required: !nullable && row.default_value === null && !counts && !generated,
    fraction: row.fraction === null ? undefined : Number(row.fraction),
  };
}

/**
 * Whether a column is computed, by EXTRA of information_schema.columns: "VIRTUAL GENERATED", "STORED GENERATED", or
 * MariaDB's older "PERSISTENT". MySQL 8 says DEFAULT_GENERATED of a default that is an expression.
 */
export function isGenerated(extra: string): boolean {
  return /\b(?:virtual|stored|persistent)\b/i.test(extra);
}

/**
 * Rows of information_schema about some tables. Older servers look into the named database alone only when the
 * condition names it by itself, so there is one for each. `select` gets a condition on table_schema and table_name.
 */
export async function selectOf<Row>(
  client: Client,
  ids: readonly TableId[],
  select: (where: string) => string,
  order: string,
): Promise<readonly Row[]> {
  if (ids.length === 0) return [];
  const selects = [...Map.groupBy(ids, ({ schema }) => schema)].map(([schema, some]) => {
    const names = some.map(({ name }) => literal(name)).join(", ");
    return `(${select(`table_schema = ${literal(schema)} and table_name in (${names})`)})`;
  });
  return client.query<Row>(`select * from (${selects.join(" union all ")}) as found order by ${order}`);
}
