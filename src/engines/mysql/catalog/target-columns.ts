import type { TableId } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";

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
  /** Texts that differ in more than spaces at their end may be equal. */
  readonly folds: boolean;
}

interface ColumnRow extends OfTable {
  readonly name: string;
  readonly data_type: string;
  readonly column_type: string;
  readonly character_set: string | null;
  readonly nullable: string;
  readonly default_value: string | null;
  readonly extra: string;
  readonly fraction: string | null;
  readonly collation: string | null;
}

/** Columns in order of the tables that are there, by the table's key. */
export async function targetColumns(
  client: Client,
  ids: readonly TableId[],
): Promise<ReadonlyMap<string, readonly TargetColumn[]>> {
  const rows = await selectOfTables<ColumnRow>(
    client,
    ids,
    (where) => `select table_schema as \`schema\`, table_name as \`table\`, column_name as name,
      data_type as data_type, column_type as column_type, character_set_name as character_set,
      is_nullable as nullable, column_default as default_value, extra as extra,
      datetime_precision as fraction, collation_name as collation
    from information_schema.columns where ${where} order by ordinal_position`,
  );
  return new Map([...rows].flatMap(([key, list]) => (list.length === 0 ? [] : [[key, list.map(columnOf)]])));
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
    folds: folds(row.collation),
  };
}

/** Of a column's collation; null when it has none. */
export function folds(collation: string | null): boolean {
  return collation !== null && !/_bin$/.test(collation);
}

/**
 * Whether a column is computed, by EXTRA of information_schema.columns: "VIRTUAL GENERATED", "STORED GENERATED", or
 * MariaDB's older "PERSISTENT". MySQL 8 says DEFAULT_GENERATED of a default that is an expression.
 */
export function isGenerated(extra: string): boolean {
  return /\b(?:virtual|stored|persistent)\b/i.test(extra);
}
