import type { ForeignKey, TableId, TableSchema } from "../../../core/schema.ts";
import { definedIndex, type IndexDefinition } from "../catalog/catalog-indexes.ts";
import { tableIdentity } from "../catalog/table-keys.ts";
import { columnVersion, silentKeyTexts } from "../catalog/table-shape.ts";
import type { TableClause } from "./alter-clause.ts";
import { type AlteredColumns, alteredColumns, type ShapedColumn } from "./altered-columns.ts";
import { namedCollation } from "./collation-name.ts";
import { UnreadDefinition } from "./column-text.ts";
import type { DefinitionContext } from "./defined-column.ts";
import { definitionOf, givenName, PRIMARY } from "./index-text.ts";
import type { ReferenceText } from "./reference-text.ts";
import { whyOtherValues } from "./retyped-column.ts";

export interface AlteredTable {
  readonly table: TableSchema;
  /** Why its rows may hold other values than before; follows "The table". */
  readonly refusal: string | undefined;
}

/**
 * What a statement makes of a table that is described as it was before. undefined where that is not certain, be it that
 * the table was another than described.
 */
export function alteredTable(
  before: TableSchema,
  clauses: readonly TableClause[],
  context: DefinitionContext,
): AlteredTable | undefined {
  try {
    return alter(before, clauses, context);
  } catch (error) {
    if (error instanceof UnreadDefinition) return undefined;
    throw error;
  }
}

function alter(
  before: TableSchema,
  clauses: readonly TableClause[],
  context: DefinitionContext,
): AlteredTable {
  const { shape } = before;
  if (shape === undefined) throw new UnreadDefinition();
  const collation = tableCollation(shape.collation, clauses, context);
  const old = shapedColumns(before);
  const altered = alteredColumns(
    { columns: old, columnsEver: shape.columnsEver, collation },
    clauses,
    context,
  );
  if (isNamedInExpression(before, altered)) throw new UnreadDefinition();
  const indexes = alteredIndexes(before, clauses, altered);
  const foreignKeys = alteredReferences(before, clauses, altered);
  const columns = withoutNulls(altered.columns, indexes);
  const nullable = new Set(columns.filter(({ column }) => column.nullable).map(({ column }) => column.name));
  const described = inServerOrder(indexes.map((index) => definedIndex(index, nullable)));
  const { keys, ...identity } = tableIdentity(
    columns.map(({ column }) => column),
    described,
  );
  const comment = clauses.findLast((clause) => clause.kind === "comment")?.text ?? before.comment ?? "";
  const { comment: _comment, ...rest } = before;
  const numbered = new Map(old.map((one) => [one.shape.number, one]));
  const refusal = columns
    .map((one) => {
      const was = numbered.get(one.shape.number);
      if (was !== undefined) return whyOtherValues(was, one, context.isStrict);
      const { name, varies } = one.shape;
      return varies === true ? `got the column ${name}, with a value that only its rows tell` : undefined;
    })
    .find((how) => how !== undefined);
  return {
    refusal,
    table: {
      ...rest,
      columns: columns.map(({ column }) => column),
      ...identity,
      checks: checksWithout(before.checks, clauses),
      foreignKeys,
      ...(comment === "" ? {} : { comment }),
      shape: {
        ...shape,
        ...(collation === undefined ? {} : { collation }),
        columnsEver: altered.columnsEver,
        columns: columns.map((one) => one.shape),
        keys,
        silentKeys: silentKeyTexts(foreignKeys),
      },
    },
  };
}

/** A table that a statement makes; undefined where it is not certain what it will be. */
export function createdTable(
  id: TableId,
  clauses: readonly TableClause[],
  { context, collation }: { readonly context: DefinitionContext; readonly collation: string | undefined },
): TableSchema | undefined {
  const shape = { table: "", storage: "", columnsEver: 0, columns: [], unnumbered: true as const };
  const empty: TableSchema = {
    ...{ id, columns: [], key: [], rowIdentity: "full", indexes: [], checks: [], foreignKeys: [] },
    ...{
      estimatedRows: -1,
      estimatedBytes: -1,
      shape: collation === undefined ? shape : { ...shape, collation },
    },
  };
  return alteredTable(empty, clauses, context)?.table;
}

/** Each with its shape: described together, in one order. */
function shapedColumns({ columns, shape }: TableSchema): readonly ShapedColumn[] {
  if (shape!.columns.length !== columns.length) throw new UnreadDefinition();
  return columns.map((column, at) => {
    const one = shape!.columns[at]!;
    if (one.name !== column.name) throw new UnreadDefinition();
    return { column, shape: one };
  });
}

function tableCollation(
  known: string | undefined,
  clauses: readonly TableClause[],
  context: DefinitionContext,
): string | undefined {
  const last = clauses.findLast(({ kind }) => kind === "collation" || kind === "convert") as
    | Extract<TableClause, { readonly kind: "collation" | "convert" }>
    | undefined;
  return last === undefined ? known : namedCollation(last, context);
}

/** Whether what is renamed or dropped stands in an expression, which the server writes in a way of its own. */
function isNamedInExpression({ columns, checks }: TableSchema, { names }: AlteredColumns): boolean {
  const texts = [
    ...columns.flatMap(({ generated }) => generated ?? []),
    ...checks.map(({ native }) => native),
  ];
  const touched = columns.filter(({ name }) => names.get(name.toLowerCase()) !== name);
  return touched.some(({ name }) => texts.some((text) => text.toLowerCase().includes(name.toLowerCase())));
}

function alteredIndexes(
  before: TableSchema,
  clauses: readonly TableClause[],
  { columns, names }: AlteredColumns,
): readonly IndexDefinition[] {
  const dropped = new Set(
    clauses.flatMap((clause) =>
      clause.kind === "drop-index" || clause.kind === "drop-constraint" ? [clause.name.toLowerCase()] : [],
    ),
  );
  const kept = before.indexes
    .filter(({ name }) => !dropped.has(name.toLowerCase()))
    .map(definitionOf)
    .flatMap((index): readonly IndexDefinition[] => {
      const parts = index.parts.flatMap((part) => {
        const name = names.get(part.column.toLowerCase());
        return name === undefined ? [] : [{ ...part, column: name }];
      });
      return parts.length === 0 ? [] : [{ ...index, parts }];
    })
    .map((index) => {
      const renamed = clauses.find(
        (clause) => clause.kind === "rename-index" && clause.old.toLowerCase() === index.name.toLowerCase(),
      );
      return renamed?.kind === "rename-index" ? { ...index, name: renamed.name } : index;
    });
  const written = new Map(columns.map(({ column }) => [column.name.toLowerCase(), column.name]));
  const indexes = [...kept];
  for (const clause of clauses) {
    if (clause.kind === "add-reference") indexes.push(...indexForReference(clause.reference, indexes));
    if (clause.kind !== "add-index") continue;
    const parts = clause.index.parts.map((part) => {
      const column = written.get(part.column.toLowerCase());
      if (column === undefined) throw new UnreadDefinition();
      return { ...part, column };
    });
    const taken = indexes.map(({ name }) => name);
    const name = clause.index.name ?? givenName({ parts }, taken);
    if (taken.some((one) => one.toLowerCase() === name.toLowerCase())) throw new UnreadDefinition();
    indexes.push({ ...clause.index, parts, name });
  }
  return indexes;
}

/** The server makes one for a foreign key where none begins with its columns. */
function indexForReference(
  { name, columns }: ReferenceText,
  indexes: readonly IndexDefinition[],
): readonly IndexDefinition[] {
  const isCovered = indexes.some(({ parts }) =>
    columns.every((column, at) => parts[at]?.column.toLowerCase() === column.toLowerCase()),
  );
  const parts = columns.map((column) => ({ column }));
  return isCovered ? [] : [{ name, unique: false, kind: "BTREE", parts }];
}

/** The order of the server (sort_keys): the primary key, unique ones without NULLs, other unique ones, the rest. */
function inServerOrder(indexes: readonly ReturnType<typeof definedIndex>[]): typeof indexes {
  const rank = ({ index, identifies }: (typeof indexes)[number]): number => {
    if (index.name === PRIMARY) return 0;
    if (!index.unique) return index.native.startsWith("FULLTEXT") ? 4 : 3;
    return identifies ? 1 : 2;
  };
  return indexes.toSorted((a, b) => rank(a) - rank(b));
}

/** Columns of a primary key are NOT NULL, whatever else is said of them. */
function withoutNulls(
  columns: readonly ShapedColumn[],
  indexes: readonly IndexDefinition[],
): readonly ShapedColumn[] {
  const primary = indexes.find(({ name }) => name === PRIMARY);
  const names = new Set(primary?.parts.map(({ column }) => column));
  return columns.map((one) => {
    if (!one.column.nullable || !names.has(one.column.name)) return one;
    const column = { ...one.column, nullable: false };
    return { column, shape: { ...one.shape, version: columnVersion(column) } };
  });
}

function alteredReferences(
  { id, foreignKeys }: TableSchema,
  clauses: readonly TableClause[],
  { names }: AlteredColumns,
): readonly ForeignKey[] {
  const dropped = new Set(
    clauses.flatMap((clause) =>
      clause.kind === "drop-reference" || clause.kind === "drop-constraint"
        ? [clause.name.toLowerCase()]
        : [],
    ),
  );
  const isGone = ({ name }: ForeignKey): boolean => dropped.has(name.toLowerCase());
  // What a foreign key that acts by itself did before it went is not to be told: decision 022.
  if (foreignKeys.some((key) => isGone(key) && key.silent !== undefined)) throw new UnreadDefinition();
  const kept = foreignKeys
    .filter((key) => !isGone(key))
    .map((key) => {
      const columns = key.columns.flatMap((name) => names.get(name.toLowerCase()) ?? []);
      if (columns.length < key.columns.length) throw new UnreadDefinition();
      return { ...key, columns };
    });
  const added = clauses.flatMap((clause): readonly ForeignKey[] => {
    if (clause.kind !== "add-reference") return [];
    const { name, columns, schema = id.schema, table, referencedColumns } = clause.reference;
    return [
      { name, columns, references: { schema, name: table }, referencedColumns, native: "", validated: true },
    ];
  });
  return [...kept, ...added];
}

function checksWithout(
  checks: TableSchema["checks"],
  clauses: readonly TableClause[],
): TableSchema["checks"] {
  const dropped = new Set(
    clauses.flatMap((clause) =>
      clause.kind === "drop-check" || clause.kind === "drop-constraint" ? [clause.name.toLowerCase()] : [],
    ),
  );
  return checks.filter(({ name }) => !dropped.has(name.toLowerCase()));
}
