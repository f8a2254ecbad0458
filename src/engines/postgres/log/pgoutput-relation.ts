import type { MigrationError } from "../../../core/error.ts";
import type { TableSchema } from "../../../core/schema.ts";
import { type ColumnShape, type TableShape, tableChanged } from "../../../core/table-shape.ts";

/** A column as the log's Relation message describes it. */
export interface RelationColumn {
  readonly name: string;
  readonly inKey: boolean;
  readonly type: number;
  readonly modifier: number;
}

/** A Relation message (protocol manual, "Logical Replication Message Formats"). */
export interface RelationMessage {
  readonly schema: string;
  readonly name: string;
  /** pg_class.relreplident: d, i, f or n. */
  readonly identity: string;
  readonly columns: readonly RelationColumn[];
}

/** Types of a table's columns by name when the stream was opened: pg_type oid and type modifier. */
export type ColumnTypes = ReadonlyMap<string, { readonly type: number; readonly modifier: number }>;

/** A relation that is not the table that was described under its name. */
export interface RelationMisfit {
  readonly table: number;
  readonly error: MigrationError;
}

/** How a relation's tuples become rows of its table. */
export interface RelationMap {
  /** Index into the stream's tables. */
  readonly table: number;
  readonly error?: undefined;
  /** Cells of a row are 2 * columns numbers. */
  readonly columns: number;
  /** The same with room behind them for the columns that are sent but left out. */
  readonly width: number;
  /** For each column that is sent, where in a row its cell stands. */
  readonly cellOf: Int32Array;
  /** What rows hold in columns that the table did not have yet; columns that were NULL are left out. */
  readonly later: readonly LaterCell[];
}

export interface LaterCell {
  /** Where in a row the cell stands. */
  readonly cell: number;
  readonly bytes: Uint8Array;
}

/** What a relation is held against. */
export interface RelationTable {
  readonly schema: TableSchema;
  readonly index: number;
  readonly types: ColumnTypes | undefined;
  /** By column name, in the stream's encoding: the values of `Column.later` that are not NULL. */
  readonly laterValues: ReadonlyMap<string, Uint8Array> | undefined;
  /** The table as it was when the relation was described, as far as that is known. */
  readonly shape?: TableShape | undefined;
}

/**
 * Fits a relation to its table. Throws `source.table_changed` when the table that wrote these changes
 * is not the one that was described: other columns, types, or another replica identity.
 *
 * A server appends columns, and the stream may show a table before and after. So what is sent may lack the
 * last columns if these came later, or have more of them if the task leaves those out; up to there each column
 * must be the one at its place. Generated columns are sent where the publication says so, for all of its tables: those
 * that the target computes are left out.
 */
export function mapRelation(message: RelationMessage, table: RelationTable): RelationMap {
  const { schema, index, types } = table;
  const numbered = numberedColumns(message, table.shape);
  if (numbered !== undefined && schema.shape !== undefined) return mapNumbered(message, table, numbered);
  const names = namesOf(message);
  const sent = schema.columns.flatMap(({ name, generated }, ordinal) =>
    generated === undefined || names.has(name) ? [ordinal] : [],
  );
  const lacking = sent.slice(message.columns.length);
  const isLong = message.columns.length > sent.length && schema.leavesOut !== true;
  if (isLong || lacking.some((ordinal) => schema.columns[ordinal]!.later === undefined)) {
    throw changed(schema, "has other columns");
  }
  const columns = schema.columns.length;
  const cellOf = new Int32Array(message.columns.length);
  let width = columns;
  for (const [i, column] of message.columns.entries()) {
    const ordinal = sent[i];
    if (ordinal === undefined) {
      cellOf[i] = 2 * width++;
      continue;
    }
    if (schema.columns[ordinal]!.name !== column.name) throw changed(schema, "has other columns");
    const known = types?.get(column.name);
    if (known !== undefined && (known.type !== column.type || known.modifier !== column.modifier)) {
      throw changed(schema, `has another type in column ${column.name}`);
    }
    cellOf[i] = 2 * (schema.columns[ordinal]!.generated === undefined ? ordinal : width++);
  }
  checkIdentity(message, schema, sent);
  const later = lacking.flatMap((ordinal) => {
    const bytes = table.laterValues?.get(schema.columns[ordinal]!.name);
    return bytes === undefined ? [] : [{ cell: 2 * ordinal, bytes }];
  });
  return { table: index, columns, width, cellOf, later };
}

function namesOf({ columns }: RelationMessage): ReadonlySet<string> {
  return new Set(columns.map(({ name }) => name));
}

/** The columns that are sent, as the table had them; undefined when it was another one. */
function numberedColumns(
  message: RelationMessage,
  shape: TableShape | undefined,
): readonly ColumnShape[] | undefined {
  const names = namesOf(message);
  const sent = shape?.columns.filter(({ name, computed }) => computed === null || names.has(name));
  const isSame =
    sent?.length === message.columns.length && sent.every(({ name }, i) => name === message.columns[i]!.name);
  return isSame ? sent : undefined;
}

/**
 * Columns are what their numbers say, whatever they are called: one that is gone is left out, one that was not there
 * yet shows what every row had.
 */
function mapNumbered(
  message: RelationMessage,
  { schema, index, laterValues }: RelationTable,
  sent: readonly ColumnShape[],
): RelationMap {
  const now = new Map(schema.shape!.columns.map((column) => [column.number, column]));
  const ordinals = new Map(schema.columns.map(({ name }, ordinal) => [name, ordinal]));
  const columns = schema.columns.length;
  const cellOf = new Int32Array(message.columns.length);
  let width = columns;
  const places = sent.map(({ number }, i) => {
    const column = now.get(number);
    const ordinal = column === undefined ? undefined : ordinals.get(column.name);
    if (column !== undefined && ordinal !== undefined) {
      const { type, modifier } = message.columns[i]!;
      if (column.type !== `${type} ${modifier}`) {
        throw changed(schema, `has another type in column ${column.name}`);
      }
    }
    const isTaken = ordinal !== undefined && schema.columns[ordinal]!.generated === undefined;
    cellOf[i] = 2 * (isTaken ? ordinal : width++);
    return ordinal ?? -1;
  });
  checkIdentity(message, schema, places);
  const present = new Set(places);
  const later = schema.columns.flatMap(({ name, generated }, ordinal) => {
    const bytes = present.has(ordinal) || generated !== undefined ? undefined : laterValues?.get(name);
    return bytes === undefined ? [] : [{ cell: 2 * ordinal, bytes }];
  });
  return { table: index, columns, width, cellOf, later };
}

function checkIdentity(message: RelationMessage, schema: TableSchema, sent: readonly number[]): void {
  // FULL sends the whole old row, which holds any key. Less than what the table was described with
  // would leave rows that cannot be found.
  if (message.identity === "f") return;
  const key = message.columns.flatMap(({ inKey }, i) => (inKey ? [sent[i] ?? -1] : []));
  const same = key.length === schema.key.length && key.every((ordinal) => schema.key.includes(ordinal));
  if (schema.rowIdentity === "full" || !same) throw changed(schema, "has another replica identity");
}

function changed(schema: TableSchema, how: string): MigrationError {
  return tableChanged(schema.id, `${how} than when the task described it`);
}
