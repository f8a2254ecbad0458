import type { MigrationError } from "../../../core/error.ts";
import { type Column, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { SilentKey } from "../../../core/silent-keys.ts";
import { type TableShape, tableChanged } from "../../../core/table-shape.ts";
import type { Charset } from "../values/binlog-charset.ts";
import type { ValueCounts } from "../values/value-counts.ts";
import { keepsZeroDates, type ZeroDates, zeroDateError } from "../values/zero-dates.ts";
import { CellKind, cellKindOf, sizeOf } from "./binlog-cell-kind.ts";
import { CELL_ROOM } from "./binlog-cells.ts";
import { charsetOfColumn, labelsOf, type PlanContext } from "./binlog-row-text.ts";
import { ColumnKind, type MappedColumn, type TableMap } from "./binlog-table-map.ts";

/** What is known of values beside the tables. */
export interface RowFacts {
  /** Names of databases and tables that differ in capital letters alone are the same. */
  readonly foldsNames: boolean;
  readonly zeroDates: ZeroDates;
  /** Counts the dates of rows as they have become that no calendar has. */
  readonly zeroDateCounts: ValueCounts;
  /** By the name of the set, those whose bytes are not UTF-8. */
  readonly charsets: ReadonlyMap<string, Charset>;
  /** Names of character sets by the numbers of their collations. */
  readonly collations: ReadonlyMap<number, string>;
  /**
   * By the table's key and the column's name, what a row holds in a column that a statement did not name; null for NULL.
   * Columns of which only the row tells have none.
   */
  readonly defaults: ReadonlyMap<string, ReadonlyMap<string, string | null>>;
  /** Tables beside the stream's that foreign keys of these refer to, when rows that go there act on rows here. */
  readonly outside: readonly TableSchema[];
}

/** What a TABLE_MAP is held against. */
export interface RowTable {
  readonly schema: TableSchema;
  readonly index: number;
  /** See RowPlan. */
  readonly isOutside: boolean;
  /** Foreign keys to the table, and the columns of each table that these may be of. */
  readonly keys: readonly SilentKey[];
  readonly widths: readonly number[];
  /** The table as it was where the log has come to, as far as that is known. */
  readonly shape: TableShape | undefined;
}

/** Which columns the image of a row holds. */
export interface Image {
  readonly present: Int32Array;
  /** Cells of columns that it does not hold. */
  readonly absent: Int32Array;
}

/** How rows in the log become rows of their table. Lists have an entry for each column that is sent. */
export class RowPlan {
  /** Index into the stream's tables. */
  readonly table: number;
  /** Cells of a row are 2 * columns numbers. */
  readonly columns: number;
  readonly width: number;
  /** The log shows the whole old row, as nothing less tells rows apart. */
  readonly isFull: boolean;
  readonly kinds: Uint8Array;
  /** See CellSize. */
  readonly sizes: Int32Array;
  readonly metas: Int32Array;
  readonly isJson: readonly boolean[];
  /** Where in a row the column's cell stands; -1 for one that is left out. */
  readonly cellOf: Int32Array;
  /** 1 for a column whose dates come as they are, also those that no calendar has. */
  readonly keepsDates: Uint8Array;
  /** Index into `located`, -1 for other columns. */
  readonly locatedOf: Int32Array;
  /** Columns of the key, in the order of TableSchema.key. */
  readonly key: Int32Array;
  /** Columns whose values are looked at before and after a change: those of the key, then others that are referred to. */
  readonly located: Int32Array;
  /** Foreign keys of other tables that act when rows of this one go or change. */
  readonly references: readonly Reference[];
  /** The table is none of the stream's: nothing is told of its rows but what they do to those that refer to them. */
  readonly isOutside: boolean;
  readonly charsets: readonly (Charset | undefined)[];
  readonly labels: readonly (readonly Buffer[] | undefined)[];
  /** An image that lacks none. */
  readonly whole: Image;
  /** Room that the values of a row without a length take at most. */
  readonly room: number;
  /** What rows hold in columns that the table did not have yet; columns that were NULL are left out. */
  readonly later: readonly { readonly cell: number; readonly bytes: Buffer }[];
  /** By the number of a cell: see RowFacts. */
  readonly defaults: ReadonlyMap<number, Buffer | null>;
  readonly #schema: TableSchema;
  readonly #zeroDates: ZeroDates;
  readonly #zeroDateCounts: ValueCounts;

  constructor(schema: TableSchema, facts: RowFacts, parts: RowPlanParts) {
    const { sent, ordinals } = parts;
    this.#schema = schema;
    this.#zeroDates = facts.zeroDates;
    this.#zeroDateCounts = facts.zeroDateCounts;
    this.table = parts.table;
    this.columns = schema.columns.length;
    this.width = sent.length;
    this.isFull = schema.rowIdentity === "full";
    this.kinds = Uint8Array.from(parts.cells, ({ kind }) => kind);
    this.sizes = Int32Array.from(parts.cells, ({ size }) => size);
    this.metas = Int32Array.from(sent, ({ meta }) => meta);
    this.isJson = sent.map(({ kind }) => kind === ColumnKind.json);
    this.cellOf = Int32Array.from(parts.cells, ({ isWanted }, i) => (isWanted ? 2 * ordinals[i]! : -1));
    this.keepsDates = Uint8Array.from(ordinals, (ordinal) => {
      const column = schema.columns[ordinal];
      return column !== undefined && keepsZeroDates(column, facts.zeroDates) ? 1 : 0;
    });
    const referenced = parts.keys.flatMap(({ referencedColumns }) => referencedColumns);
    const located = [...new Set([...schema.key, ...referenced])];
    this.locatedOf = Int32Array.from(ordinals, (ordinal) => (ordinal < 0 ? -1 : located.indexOf(ordinal)));
    this.located = Int32Array.from(located, (ordinal) => ordinals.indexOf(ordinal));
    this.key = this.located.subarray(0, schema.key.length);
    this.references = parts.keys.map((key) => ({
      ...key,
      width: 2 * parts.widths[key.table]!,
      located: key.referencedColumns.map((ordinal) => located.indexOf(ordinal)),
    }));
    this.isOutside = parts.isOutside;
    this.charsets = parts.cells.map(({ charset }) => charset);
    this.labels = parts.cells.map(({ labels }) => labels);
    this.whole = { present: Int32Array.from(sent, (_, i) => i), absent: new Int32Array(0) };
    this.room = CELL_ROOM * sent.length;
    const known = facts.defaults.get(tableKey(schema.id));
    this.defaults = new Map(
      schema.columns.flatMap(({ name }, ordinal) => {
        const text = known?.get(name);
        return text === undefined ? [] : [[2 * ordinal, text === null ? null : Buffer.from(text)] as const];
      }),
    );
    const present = new Set(ordinals);
    this.later = schema.columns.flatMap(({ later, generated }, ordinal) => {
      if (present.has(ordinal) || generated !== undefined || later?.value == null) return [];
      return [{ cell: 2 * ordinal, bytes: Buffer.from(later.value) }];
    });
  }

  /** `how` follows "The table". */
  changed(how: string): MigrationError {
    return changed(this.#schema, how);
  }

  /** The column that is sent at i; every one that has a cell is one of the table's. */
  column(i: number): Column {
    return this.#schema.columns[this.cellOf[i]! >> 1]!;
  }

  get schema(): TableSchema {
    return this.#schema;
  }

  countZeroDates(count: number): void {
    this.#zeroDateCounts.add(this.#schema.id, count);
  }

  /** The text for a date that no calendar has; undefined for NULL. */
  insteadOfZero(i: number): string | undefined {
    const { name, nullable, type } = this.column(i);
    if (this.#zeroDates === "epoch") {
      if (type.kind === "date") return "1970-01-01";
      return type.kind === "timestamp" && type.zoned ? "1970-01-01 00:00:00+00" : "1970-01-01 00:00:00";
    }
    if (this.#zeroDates === "error" || !nullable) throw zeroDateError(this.#schema.id, name, this.#zeroDates);
    return undefined;
  }
}

/** A foreign key to the plan's table, that acts by itself. */
export interface Reference extends SilentKey {
  /** Numbers that a row of the referring table takes among the cells. */
  readonly width: number;
  /** The columns that are referred to, as indexes into RowPlan.located. */
  readonly located: readonly number[];
}

interface RowPlanParts {
  readonly table: number;
  readonly isOutside: boolean;
  readonly keys: readonly SilentKey[];
  /** Columns of each table that a key may be of. */
  readonly widths: readonly number[];
  readonly sent: readonly MappedColumn[];
  /** Of each column that is sent, which of the table's it is; -1 for one that is left out. */
  readonly ordinals: readonly number[];
  readonly cells: readonly PlannedCell[];
}

interface PlannedCell {
  readonly kind: CellKind;
  readonly size: number;
  readonly isWanted: boolean;
  readonly charset?: Charset | undefined;
  readonly labels?: readonly Buffer[] | undefined;
}

/**
 * Fits what the log says of a table to how it was described. Throws `source.table_changed` when it is another one.
 *
 * The log names columns only where binlog_row_metadata is FULL. Else they are told by their place, so what is sent may
 * lack the last columns if these came later, or have more of them if the task leaves those out.
 */
export function planRows(map: TableMap, table: RowTable, facts: RowFacts): RowPlan {
  const { schema, index, shape, keys } = table;
  const sent = map.columns;
  const ordinals = ordinalsOf(sent, schema, shape);
  const present = new Set(ordinals);
  for (const [ordinal, { later, generated }] of schema.columns.entries()) {
    if (!present.has(ordinal) && later === undefined && generated === undefined) {
      throw changed(schema, "has other columns");
    }
  }
  const located = [...schema.key, ...keys.flatMap(({ referencedColumns }) => referencedColumns)];
  if (located.some((ordinal) => !present.has(ordinal))) throw changed(schema, "has another key");
  const cells = sent.map((column, i) => planCell(column, ordinals[i]!, { schema, facts }));
  const { isOutside, widths } = table;
  return new RowPlan(schema, facts, { table: index, isOutside, keys, widths, sent, ordinals, cells });
}

function ordinalsOf(
  sent: readonly MappedColumn[],
  schema: TableSchema,
  shape: TableShape | undefined,
): readonly number[] {
  const ordinals = new Map(schema.columns.map(({ name }, ordinal) => [name, ordinal]));
  const inShape = shape?.columns.map(({ name }) => name);
  const names = sent[0]?.name === undefined ? undefined : sent.map(({ name }) => name!);
  if (names !== undefined) {
    return names.map((name, i) => {
      const ordinal = ordinals.get(name);
      // One that is left out comes after all that are not, or the shape knows of it.
      const isLeftOut =
        inShape?.includes(name) === true || (schema.leavesOut === true && i >= schema.columns.length);
      if (ordinal === undefined && !isLeftOut) throw changed(schema, "has other columns");
      return ordinal ?? -1;
    });
  }
  if (inShape?.length === sent.length) return inShape.map((name) => ordinals.get(name) ?? -1);
  if (sent.length > schema.columns.length && schema.leavesOut !== true) {
    throw changed(schema, "has other columns");
  }
  return sent.map((_, i) => (i < schema.columns.length ? i : -1));
}

function planCell(sent: MappedColumn, ordinal: number, { schema, facts }: PlanContext): PlannedCell {
  const size = sizeOf(sent);
  const column = schema.columns[ordinal];
  if (size === undefined) throw changed(schema, `has a type in the log that is not known (${sent.kind})`);
  if (column === undefined || column.generated !== undefined) {
    return { kind: CellKind.bytes, size, isWanted: false };
  }
  const kind = cellKindOf(sent, column);
  const isSigned =
    sent.unsigned === undefined || column.type.kind !== "int" || sent.unsigned === column.type.unsigned;
  const isYear = kind === CellKind.year;
  if (kind === undefined || !(isSigned || isYear)) {
    throw changed(schema, `has another type in column ${column.name}`);
  }
  if (kind === CellKind.enum || kind === CellKind.set) {
    return { kind, size, isWanted: true, labels: labelsOf(sent, column, { schema, facts }) };
  }
  const charset = kind === CellKind.utf8 ? charsetOfColumn(sent, column, { schema, facts }) : undefined;
  return charset === undefined
    ? { kind, size, isWanted: true }
    : { kind: CellKind.text, size, isWanted: true, charset };
}

function changed(schema: TableSchema, how: string): MigrationError {
  return tableChanged(schema.id, `${how} than when the task described it`);
}
