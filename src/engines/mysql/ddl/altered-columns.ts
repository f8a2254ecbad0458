import type { Column } from "../../../core/schema.ts";
import type { ColumnShape } from "../../../core/table-shape.ts";
import type { FoundColumn } from "../catalog/catalog-columns.ts";
import { columnShape, columnVersion } from "../catalog/table-shape.ts";
import type { Place, TableClause } from "./alter-clause.ts";
import { UnreadDefinition } from "./column-text.ts";
import { convertedColumn } from "./converted-column.ts";
import { type DefinitionContext, definedColumn } from "./defined-column.ts";
import { newDefault } from "./new-default.ts";

/** A column with what identifies it. */
export interface ShapedColumn {
  readonly column: Column;
  readonly shape: ColumnShape;
}

export interface AlteredColumns {
  /** In their new order. */
  readonly columns: readonly ShapedColumn[];
  readonly columnsEver: number;
  /** New names by old ones, of columns that stay, in lower case. */
  readonly names: ReadonlyMap<string, string>;
}

/** A column as a statement leaves it, and where that puts it. */
interface ChangedColumn {
  readonly column: ShapedColumn;
  readonly place: Place | undefined;
}

/** The columns of a table with one collation for strings that come without. */
export interface TableColumns {
  readonly columns: readonly ShapedColumn[];
  readonly columnsEver: number;
  readonly collation: string | undefined;
}

/**
 * What ALTER TABLE makes of columns, in the order in which the server does it (mysql_prepare_alter_table): first those
 * that are there, each where it was; then new ones and those that are moved, as they are named.
 */
export function alteredColumns(
  before: TableColumns,
  clauses: readonly TableClause[],
  context: DefinitionContext,
): AlteredColumns {
  const { columns, collation } = before;
  let { columnsEver } = before;
  const there = new Map(columns.map((one) => [one.column.name.toLowerCase(), one]));
  const known = (name: string): ShapedColumn => {
    const one = there.get(name.toLowerCase());
    if (one === undefined) throw new UnreadDefinition();
    return one;
  };
  const dropped = new Set<ShapedColumn>();
  const changed = new Map<ShapedColumn, ChangedColumn>();
  const placed: ChangedColumn[] = [];
  for (const clause of clauses) {
    switch (clause.kind) {
      case "drop-column":
        if (!clause.ifThere || there.has(clause.name.toLowerCase())) dropped.add(known(clause.name));
        break;
      case "change-column":
      case "rename-column":
      case "default": {
        const old = known(clause.kind === "default" ? clause.column : clause.old);
        if (changed.has(old)) throw new UnreadDefinition();
        const column = changedColumn(old, clause, { context, collation });
        const place = clause.kind === "change-column" ? clause.place : undefined;
        changed.set(old, { column, place });
        if (place !== undefined) placed.push({ column, place });
        break;
      }
      case "add-column": {
        if (clause.ifMissing && there.has(clause.column.name.toLowerCase())) break;
        const found = definedColumn(clause.column, context, collation);
        placed.push({
          column: { column: found.column, shape: columnShape(found, ++columnsEver) },
          place: clause.place,
        });
        break;
      }
      default:
    }
  }
  let after: readonly ShapedColumn[] = columns.flatMap((one) => {
    if (dropped.has(one)) return [];
    const change = changed.get(one);
    if (change === undefined) return [one];
    return change.place === undefined ? [change.column] : [];
  });
  for (const one of placed) after = insert(after, one);
  if (clauses.some(({ kind }) => kind === "convert")) {
    // What is defined beside it may say its own character set or not.
    if (collation === undefined || placed.length > 0 || changed.size > 0) throw new UnreadDefinition();
    after = after.map((one) => convertedColumn(one, collation));
  }
  const names = new Set(after.map(({ column }) => column.name.toLowerCase()));
  if (names.size !== after.length || after.length === 0) throw new UnreadDefinition();
  return { columns: after, columnsEver, names: keptNames(columns, dropped, changed) };
}

function keptNames(
  columns: readonly ShapedColumn[],
  dropped: ReadonlySet<ShapedColumn>,
  changed: ReadonlyMap<ShapedColumn, ChangedColumn>,
): ReadonlyMap<string, string> {
  const kept = columns.filter((one) => !dropped.has(one));
  return new Map(
    kept.map((one) => [one.column.name.toLowerCase(), (changed.get(one)?.column ?? one).column.name]),
  );
}

function insert(columns: readonly ShapedColumn[], { column, place }: ChangedColumn): readonly ShapedColumn[] {
  if (place === undefined) return [...columns, column];
  if ("first" in place) return [column, ...columns];
  const at = columns.findIndex((one) => one.column.name.toLowerCase() === place.after.toLowerCase());
  if (at < 0) throw new UnreadDefinition();
  return columns.toSpliced(at + 1, 0, column);
}

type ColumnClause = Extract<TableClause, { readonly kind: "change-column" | "rename-column" | "default" }>;

function changedColumn(
  old: ShapedColumn,
  clause: ColumnClause,
  { context, collation }: { readonly context: DefinitionContext; readonly collation: string | undefined },
): ShapedColumn {
  switch (clause.kind) {
    case "rename-column":
      // MariaDB goes on to check the old name, and does not show the column as JSON any more.
      if (context.facts.flavour === "mariadb" && old.column.type.kind === "json")
        throw new UnreadDefinition();
      return renamedColumn(old, clause.name);
    case "default": {
      const column = newDefault(old.column, clause.value, context);
      return { column, shape: { ...old.shape, version: columnVersion(column) } };
    }
    case "change-column": {
      // A generated column stays one only where the statement says so.
      if (old.column.generated !== undefined) throw new UnreadDefinition();
      const found = definedColumn(clause.column, context, collation);
      return redefined(old, found);
    }
  }
}

/** What rows show that were written before the column came stays what it was. */
function redefined({ shape }: ShapedColumn, found: FoundColumn): ShapedColumn {
  const { type, version, name } = columnShape(found, shape.number);
  return { column: found.column, shape: { ...shape, name, type, version } };
}

function renamedColumn({ column, shape }: ShapedColumn, name: string): ShapedColumn {
  return { column: { ...column, name }, shape: { ...shape, name } };
}
