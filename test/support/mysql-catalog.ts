import type { Catalog, Column, ForeignKey, Index, LogicalType, TableSchema } from "../../src/core/schema.ts";
import { id } from "./plan-situation.ts";

/* Catalogs as the MySQL engine describes them, made by hand. */

export function column(
  name: string,
  nativeType: string,
  type: LogicalType,
  more: Partial<Column> = {},
): Column {
  return { name, nativeType, type, nullable: true, ...more };
}

export function int(name: string, more: Partial<Column> = {}): Column {
  return column(name, "int(11)", { kind: "int", bits: 32, unsigned: false }, more);
}

/** As most frameworks number their rows. */
export function bigId(name: string, more: Partial<Column> = {}): Column {
  return column(name, "bigint(20) unsigned", { kind: "int", bits: 64, unsigned: true }, more);
}

export function text(name: string, maxChars: number, more: Partial<Column> = {}): Column {
  const type: LogicalType = { kind: "string", maxChars, fixed: false };
  return column(name, `varchar(${maxChars})`, type, { collation: "utf8mb4_general_ci", ...more });
}

export function primaryKey(...columns: readonly string[]): Index {
  const native = `primary key (${columns.map(quoted).join(", ")})`;
  return { name: "PRIMARY", unique: true, constraint: "primary-key", columns, native };
}

export function indexOn(name: string, list: string, more: Partial<Index> = {}): Index {
  return {
    name,
    unique: false,
    constraint: undefined,
    columns: undefined,
    native: `(${list}) using btree`,
    ...more,
  };
}

export function reference(
  name: string,
  [from, table, to]: readonly [from: string, table: string, to: string],
  native = "on delete restrict on update restrict",
): ForeignKey {
  return { name, columns: [from], references: id(table), referencedColumns: [to], native, validated: true };
}

export function mysqlTable(
  name: string,
  columns: readonly Column[],
  more: Partial<TableSchema> = {},
): TableSchema {
  return {
    ...{ id: id(name), columns, key: [0], rowIdentity: "key", checks: [], foreignKeys: [] },
    ...{ indexes: [primaryKey(columns[0]!.name)], estimatedRows: 10, estimatedBytes: 100 },
    ...more,
  };
}

export function mysqlCatalog(tables: readonly TableSchema[], more: Partial<Catalog> = {}): Catalog {
  const schemas = [...new Set(tables.map((table) => table.id.schema))].map((name) => ({ name }));
  return {
    ...{ dialect: "mysql", serverVersion: "10.11.19-MariaDB", indexNamesOfTables: true, schemas, tables },
    ...{ types: [], sequences: [], objects: [], rights: [] },
    ...more,
  };
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
