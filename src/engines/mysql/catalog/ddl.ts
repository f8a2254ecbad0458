import type { Check, Column, ForeignKey, Index, TableSchema } from "../../../core/schema.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { identifier, literal, qualified } from "./identifier.ts";

/** The collation of databases and tables that are made: texts are equal when their characters are, spaces included. */
export function binaryCollation(facts: ServerFacts): string {
  if (facts.flavour === "mariadb") return "utf8mb4_nopad_bin";
  return atLeast(facts, 8, 0, 17) ? "utf8mb4_0900_bin" : "utf8mb4_bin";
}

/** CHECK is read and passed over by older servers. */
export function hasChecks(facts: ServerFacts): boolean {
  return facts.flavour === "mariadb" || atLeast(facts, 8, 0, 16);
}

export function hasInvisibleColumns(facts: ServerFacts): boolean {
  return facts.flavour === "mariadb" ? atLeast(facts, 10, 3) : atLeast(facts, 8, 0, 23);
}

/** MySQL 8 binds a column of shapes to one reference system. */
export function hasReferences(facts: ServerFacts): boolean {
  return facts.flavour === "mysql" && atLeast(facts, 8);
}

export function createSchema(name: string, facts: ServerFacts): string {
  return `create database if not exists ${identifier(name)} character set utf8mb4 collate ${binaryCollation(facts)}`;
}

/**
 * The table with all that rows must satisfy from the first one on, and its primary key: InnoDB keeps rows in its
 * order. A counter needs its index, too.
 */
export function createTable(table: TableSchema, facts: ServerFacts): string {
  const parts = [
    ...table.columns.map((column) => columnDefinition(column, facts)),
    ...table.indexes.filter((index) => isMadeWithTable(table, index)).map(indexDefinition),
    ...(hasChecks(facts) ? table.checks.filter(({ validated }) => validated).map(checkDefinition) : []),
  ];
  return (
    `create table ${qualified(table.id)} (\n  ${parts.join(",\n  ")}\n) ` +
    `engine = InnoDB row_format = dynamic character set utf8mb4 collate ${binaryCollation(facts)}${comment(table.comment)}`
  );
}

export function isMadeWithTable(table: TableSchema, index: Index): boolean {
  if (index.constraint === "primary-key") return true;
  const counter = table.columns.find(({ identity }) => identity !== undefined)?.name;
  if (counter === undefined || index.columns?.[0] !== counter) return false;
  // The first that begins with the counter, unless the primary key does.
  const first = table.indexes.find(({ columns }) => columns?.[0] === counter);
  const hasKey = table.indexes.some(
    ({ constraint, columns }) => constraint === "primary-key" && columns?.[0] === counter,
  );
  return !hasKey && first === index;
}

export function columnDefinition(column: Column, facts: ServerFacts): string {
  const [, type, reference = ""] = /^(.*?)( srid \d+)?$/is.exec(column.nativeType)!;
  let text = `${identifier(column.name)} ${type}`;
  if (column.collation !== undefined) text += ` collate ${column.collation}`;
  if (column.generated !== undefined) {
    text += ` generated always as (${column.generated}) ${column.virtual === true ? "virtual" : "stored"}`;
    // MariaDB's grammar has none behind an expression.
    if (!column.nullable && facts.flavour === "mysql") text += " not null";
    return text + reference + visibility(column) + comment(column.comment);
  }
  // A timestamp is NOT NULL by itself on servers without explicit_defaults_for_timestamp.
  text += column.nullable ? " null" : " not null";
  if (column.identity !== undefined) text += " auto_increment";
  else if (column.default !== undefined) {
    // What an update sets may stand alone.
    text += /^on update /i.test(column.default) ? ` ${column.default}` : ` default ${column.default}`;
  }
  return text + reference + visibility(column) + comment(column.comment);
}

function visibility({ invisible }: Column): string {
  return invisible === true ? " invisible" : "";
}

/** For CREATE TABLE, and behind ADD in ALTER TABLE. */
export function indexDefinition(index: Index): string {
  const name = identifier(index.name);
  if (index.constraint === "primary-key") return index.native;
  if (index.constraint !== undefined) return `constraint ${name} ${index.native}`;
  const kind = /^(fulltext|spatial)\s/i.exec(index.native)?.[1]?.toLowerCase();
  const rest = kind === undefined ? index.native : index.native.slice(kind.length).trim();
  const remark = index.comment === undefined ? "" : comment(index.comment);
  return `${kind ?? (index.unique ? "unique" : "")} index ${name} ${rest}${remark}`.trim();
}

export function checkDefinition(check: Check): string {
  return `constraint ${identifier(check.name)} ${check.native}`;
}

export function foreignKeyDefinition(key: ForeignKey): string {
  const list = (names: readonly string[]): string => names.map(identifier).join(", ");
  return (
    `constraint ${identifier(key.name)} foreign key (${list(key.columns)}) ` +
    `references ${qualified(key.references)} (${list(key.referencedColumns)}) ${key.native}`
  ).trim();
}

/** Characters of a column's comment; a table's may be longer. */
const LONGEST_COMMENT = 1024;

function comment(text: string | undefined): string {
  return text === undefined ? "" : ` comment ${literal([...text].slice(0, LONGEST_COMMENT).join(""))}`;
}
