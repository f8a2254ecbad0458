import type { Index, TableId } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import type { FoundColumn } from "./catalog-columns.ts";
import { type OfTable, selectOfTables } from "./catalog-query.ts";
import { unescaped } from "./default-text.ts";
import { identifier } from "./identifier.ts";

/** The name that every primary key has. */
const PRIMARY = "PRIMARY";
/** Kinds that CREATE INDEX names before the word INDEX. */
const NAMED_FIRST = new Set(["FULLTEXT", "SPATIAL"]);

interface IndexPartRow extends OfTable {
  readonly name: string;
  readonly nonUnique: string;
  /** null for an expression. */
  readonly column: string | null;
  /** A(scending), D(escending), or null where there is no order. */
  readonly direction: string | null;
  /** Characters or bytes of a prefix; null for all of the column. */
  readonly length: string | null;
  readonly nullable: string;
  readonly kind: string;
  readonly comment: string;
  readonly expression: string | null;
}

export interface TableIndex {
  readonly index: Index;
  /** Whether it tells rows apart by whole columns that are never NULL, so that the server may take it as the key. */
  readonly identifies: boolean;
}

/**
 * Indexes by the table's key: the primary key, unique ones, the rest, which is the order in which the server has them.
 * `native` of one without a constraint is `(columns)`, behind FULLTEXT or SPATIAL where it is one of those:
 * CREATE INDEX has that word first. Columns that are not described (see describeColumns) are left out of them.
 */
export async function describeIndexes(
  client: Client,
  ids: readonly TableId[],
  columns: ReadonlyMap<string, readonly FoundColumn[]>,
): Promise<ReadonlyMap<string, readonly TableIndex[]>> {
  const { facts } = client;
  const expression = hasExpressions(facts) ? "expression" : "null";
  const rows = await selectOfTables<IndexPartRow>(
    client,
    ids,
    (where) => `
    select table_schema as \`schema\`, table_name as \`table\`, index_name as name, non_unique as nonUnique,
           column_name as \`column\`, collation as direction, sub_part as length, nullable as nullable,
           index_type as kind, index_comment as comment, ${expression} as expression
      from information_schema.statistics where ${where}`,
  );
  return new Map(
    [...rows].map(([key, parts]) => {
      const names = new Set(columns.get(key)!.map(({ column }) => column.name));
      const known = parts.filter(({ column }) => column === null || names.has(column));
      return [key, grouped(known).map((index) => tableIndex(index))];
    }),
  );
}

/** MySQL 8.0.13 has brought them. */
function hasExpressions(facts: ServerFacts): boolean {
  return facts.flavour === "mysql" && atLeast(facts, 8, 0, 13);
}

/** The server sends the parts of an index one after the other, in their order. */
function grouped(parts: readonly IndexPartRow[]): readonly (readonly IndexPartRow[])[] {
  const indexes = new Map<string, IndexPartRow[]>();
  for (const part of parts) {
    const known = indexes.get(part.name);
    if (known === undefined) indexes.set(part.name, [part]);
    else known.push(part);
  }
  return [...indexes.values()];
}

function tableIndex(parts: readonly IndexPartRow[]): TableIndex {
  const first = parts[0]!;
  const { name, kind, comment } = first;
  const unique = first.nonUnique === "0";
  const isPlain = parts.every(({ column, length }) => column !== null && length === null);
  const list = `(${parts.map((part) => partText(part)).join(", ")})`;
  const columns = parts.flatMap(({ column }) => column ?? []);
  const constraint = constraintOf(name, unique && isPlain);
  return {
    index: {
      name,
      unique,
      constraint,
      columns: columns.length === parts.length ? columns : undefined,
      native: nativeText({ constraint, kind, list }),
      ...(comment === "" ? {} : { comment }),
    },
    identifies: unique && isPlain && parts.every(({ nullable }) => nullable !== "YES"),
  };
}

/** An index as a statement defines it, or as one that was described has become. */
export interface IndexDefinition extends Pick<Index, "name" | "unique" | "comment"> {
  /** FULLTEXT, SPATIAL, or another text for all others. */
  readonly kind: string;
  readonly parts: readonly {
    readonly column: string;
    /** Characters or bytes of a prefix; absent for all of the column. */
    readonly length?: number;
    readonly descending?: boolean;
  }[];
}

/** What the catalog shows of an index. `nullable`: names of columns that may be NULL. */
export function definedIndex(defined: IndexDefinition, nullable: ReadonlySet<string>): TableIndex {
  const { name, unique, kind, comment = "", parts } = defined;
  const index = tableIndex(
    parts.map(({ column, length, descending }) => ({
      ...{ schema: "", table: "", name, column, kind, comment, expression: null },
      nonUnique: unique ? "0" : "1",
      direction: descending === true ? "D" : "A",
      length: length === undefined ? null : String(length),
      nullable: nullable.has(column) ? "YES" : "",
    })),
  );
  return index;
}

function constraintOf(name: string, isUnique: boolean): Index["constraint"] {
  if (name === PRIMARY) return "primary-key";
  return isUnique ? "unique" : undefined;
}

function nativeText({
  constraint,
  kind,
  list,
}: Pick<Index, "constraint"> & { readonly kind: string; readonly list: string }): string {
  if (constraint === "primary-key") return `PRIMARY KEY ${list}`;
  if (constraint === "unique") return `UNIQUE ${list}`;
  return NAMED_FIRST.has(kind) ? `${kind} ${list}` : list;
}

function partText({ column, expression, length, direction, kind }: IndexPartRow): string {
  const descending = direction === "D" ? " DESC" : "";
  if (column === null) return `(${unescaped(expression ?? "")})${descending}`;
  // A spatial index shows the length of the box that it keeps.
  const prefix = length === null || NAMED_FIRST.has(kind) ? "" : `(${length})`;
  return `${identifier(column)}${prefix}${descending}`;
}
