import type { Column, TableId, TableSchema } from "../../../core/schema.ts";
import type { TableAlteration } from "../../../core/table-alteration.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { addColumn, type CreateTableOptions } from "../catalog/ddl.ts";

/** What becomes of a table's columns, in target names. */
export interface ColumnSteps {
  readonly dropped: readonly string[];
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
  readonly retyped: readonly Column[];
  readonly added: readonly Column[];
  /** Columns that were there and whose entries in the catalog are others now: perhaps default or nullability. */
  readonly touched: readonly Column[];
}

/** Compares columns by their numbers. */
export function columnSteps({ from, to }: Pick<TableAlteration, "from" | "to">): ColumnSteps {
  const known = numbered(from.source, from.target);
  const now = numbered(to.source, to.target);
  const kept = [...now].flatMap(([number, after]) => {
    const before = known.get(number);
    return before === undefined ? [] : [{ before, after }];
  });
  return {
    // What is computed from another column stands in its way.
    dropped: [...known]
      .filter(([number]) => !now.has(number))
      .toSorted(
        ([, a], [, b]) => Number(b.column.generated !== undefined) - Number(a.column.generated !== undefined),
      )
      .map(([, { column }]) => column.name),
    renamed: kept
      .filter(({ before, after }) => before.column.name !== after.column.name)
      .map(({ before, after }) => ({ from: before.column.name, to: after.column.name })),
    retyped: kept.filter(({ before, after }) => before.type !== after.type).map(({ after }) => after.column),
    added: [...now].filter(([number]) => !known.has(number)).map(([, { column }]) => column),
    touched: kept
      .filter(({ before, after }) => before.version !== after.version)
      .map(({ after }) => after.column),
  };
}

interface NumberedColumn {
  /** Of the target. */
  readonly column: Column;
  readonly type: string;
  readonly version: string;
}

function numbered(source: TableSchema, target: TableSchema): Map<number, NumberedColumn> {
  const ordinals = new Map(source.columns.map(({ name }, ordinal) => [name, ordinal]));
  const columns = source.shape!.columns.flatMap(({ number, name, type, version }) => {
    const ordinal = ordinals.get(name);
    return ordinal === undefined
      ? []
      : [[number, { column: target.columns[ordinal]!, type, version }] as const];
  });
  return new Map(columns);
}

/**
 * Statements that give a table of the target its columns. What is so already is left out: a table above it may have
 * passed it on. `present`: what its columns are, by name.
 */
export function structureStatements(
  table: TableId,
  { dropped, renamed, retyped, added }: ColumnSteps,
  { present, ...options }: CreateTableOptions & { readonly present: ReadonlyMap<string, Column> },
): string[] {
  const alter = `alter table ${qualified(table)}`;
  const drops = dropped.filter((name) => present.has(name)).map((name) => `drop column ${identifier(name)}`);
  const due = renamed.filter(({ from }) => present.has(from));
  // Names may go round in a circle.
  const away = due.map(({ from }, i) => rename(from, temporaryName(i)));
  const home = due.map(({ to }, i) => rename(temporaryName(i), to));
  const isDirect = due.every(({ to }) => !present.has(to) || dropped.includes(to));
  const renames = isDirect ? due.map(({ from, to }) => rename(from, to)) : [...away, ...home];
  const types = retyped.flatMap((column) => {
    const name = `alter column ${identifier(column.name)}`;
    const collation = column.collation === undefined ? "" : ` collate ${column.collation}`;
    // A default need not have a cast to the new type; it comes back with the column's other properties.
    const own = column.identity === undefined && column.generated === undefined;
    return [...(own ? [`${name} drop default`] : []), `${name} type ${column.nativeType}${collation}`];
  });
  const after = new Set([...present.keys()].filter((name) => !dropped.includes(name)));
  const missing = added.filter(({ name }) => !after.has(name) || due.some(({ from }) => from === name));
  return [
    ...(drops.length === 0 ? [] : [`${alter} ${drops.join(", ")}`]),
    ...renames.map((text) => `${alter} ${text}`),
    ...(types.length === 0 ? [] : [`${alter} ${types.join(", ")}`]),
    ...missing.flatMap((column) => addColumn({ id: table }, column, options)),
  ];
}

function rename(from: string, to: string): string {
  return `rename column ${identifier(from)} to ${identifier(to)}`;
}

function temporaryName(i: number): string {
  return `tideway_renamed_${i}`;
}

/** Statements that give columns their defaults, and lift NOT NULL. */
export function defaultStatements(
  table: TableId,
  columns: readonly Column[],
  present: ReadonlyMap<string, Column>,
): string[] {
  return columns.flatMap((column) => {
    const there = present.get(column.name);
    if (there === undefined) return [];
    const alter = `alter table ${qualified(table)} alter column ${identifier(column.name)}`;
    const hasOwn = [column, there].every((one) => one.identity === undefined && one.generated === undefined);
    return [
      ...(hasOwn && column.default !== there.default
        ? [`${alter} ${column.default === undefined ? "drop default" : `set default ${column.default}`}`]
        : []),
      ...(column.nullable && !there.nullable ? [`${alter} drop not null`] : []),
    ];
  });
}

/** Columns that are to become NOT NULL. */
export function notNullColumns(
  columns: readonly Column[],
  present: ReadonlyMap<string, Column>,
): readonly string[] {
  return columns.flatMap(({ name, nullable }) =>
    !nullable && present.get(name)?.nullable === true ? [name] : [],
  );
}
