import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import { type SilentKey, SilentKeys } from "../../../core/silent-keys.ts";
import { OTHER_KEYS, tableChanged } from "../../../core/table-shape.ts";
import { type EventCursor, isSame, malformed, Words } from "./binlog-bytes.ts";
import { positionCodec } from "./binlog-position.ts";
import { planRows, type RowFacts, type RowPlan } from "./binlog-row-plan.ts";
import type { LogPoint } from "./binlog-seen.ts";
import type { RowsStatement, TableEffect } from "./binlog-statement.ts";
import { readTableMap, UNNAMED_TABLE } from "./binlog-table-map.ts";

/** A table in the log that is not the one which was described under its name. */
export interface RowMisfit {
  readonly table: number;
  readonly error: MigrationError;
}

interface MappedTable {
  /** The event's body, from behind the number. */
  readonly body: DataView;
  /** undefined for one that is not among the stream's tables. */
  readonly fit: RowPlan | RowMisfit | undefined;
  readonly isBefore: boolean;
}

/** So many numbers are kept from one statement to the next, which mostly names tables that were named before. */
const KEPT_NUMBERS = 1024;

/** The stream's tables, as the place that the log has come to shows them. */
export class LogTables {
  /** Those of the stream, then RowFacts.outside. */
  readonly #tables: readonly TableSchema[];
  readonly #told: number;
  readonly #keys: SilentKeys;
  readonly #widths: readonly number[];
  #facts: RowFacts;
  readonly #indexes = new Map<string, number>();
  /** By the number that the log gives each for a while. */
  readonly #mapped = new Map<number, MappedTable>();
  /** The last that was looked for: rows follow their TABLE_MAP. */
  #foundNumber: number | undefined;
  readonly #words = new Words();
  #found: MappedTable | undefined;
  /** Tables that were another when the log has not come to a position, by index. */
  readonly #placed = new Map<number, Position>();

  constructor(tables: readonly TableSchema[], facts: RowFacts) {
    this.#tables = [...tables, ...facts.outside];
    this.#told = tables.length;
    this.#keys = new SilentKeys(this.#tables);
    this.#widths = tables.map(({ columns }) => columns.length);
    this.#facts = facts;
    for (const [index, { id, rowIdentity, shape }] of this.#tables.entries()) {
      if (rowIdentity === "none") continue;
      this.#indexes.set(this.#keyOf(id), index);
      if (shape?.place !== undefined) this.#placed.set(index, shape.place.position);
    }
  }

  get all(): readonly TableSchema[] {
    return this.#tables;
  }

  /** The stream's own tables that what happens to a table is told of: itself, or else those that refer to it. */
  toldOf(index: number): readonly number[] {
    return index < this.#told ? [index] : this.#keysTo(index).map(({ table }) => table);
  }

  indexOf(schema: string, name: string): number | undefined {
    return this.#indexes.get(this.#keyOf({ schema, name }));
  }

  /** The stream's tables that are in a database. */
  inDatabase(name: string): readonly TableSchema[] {
    const wanted = this.#folded(name);
    return this.#tables.filter(({ id }) => this.#folded(id.schema) === wanted);
  }

  /**
   * A table of the stream's own as it is where the log has come to, where statements about it are followed. "ahead": it was
   * described as the one makes it that the log has come to. undefined also where the catalog has shown it as it is later: not
   * all that statements did until then can be seen there.
   */
  followed(index: number, commit: LogPoint): TableSchema | "ahead" | undefined {
    const table = this.#tables[index]!;
    const { shape } = table;
    if (
      index >= this.#told ||
      shape === undefined ||
      shape.columns.some(({ since }) => since === "left-out")
    ) {
      return undefined;
    }
    if (!this.#isBefore(index, commit)) return table;
    const { position, isNoted = false } = shape.place!;
    return isNoted && positionCodec.compare(commit.position, position) === 0 ? "ahead" : undefined;
  }

  /** Reads a TABLE_MAP; one that says the same as the last of its number costs a comparison. */
  map(cursor: EventCursor, commit: LogPoint): void {
    const number = cursor.uint48();
    const { bytes, at, end } = cursor;
    const known = this.#find(number);
    if (known !== undefined && isSame(this.#words.of(bytes), at, end, known.body)) {
      if (!known.isBefore) return;
      if (known.fit === undefined || this.#isBefore(known.fit.table, commit)) return;
    }
    const body = new DataView(Uint8Array.from(bytes.subarray(at, end)).buffer);
    this.#foundNumber = undefined;
    this.#mapped.set(number, { body, ...this.#fit(cursor, commit) });
  }

  /**
   * A statement's rows are over: the next one names its tables before its own. The server gives out numbers for ever, also
   * of tables that are none of the stream's.
   */
  statementEnds(): void {
    if (this.#mapped.size <= KEPT_NUMBERS) return;
    this.#mapped.clear();
    this.#foundNumber = undefined;
  }

  /** What rows of a number are; undefined for those of no table of the stream. */
  mapped(number: number): RowPlan | RowMisfit | undefined {
    const found = this.#find(number);
    if (found === undefined) throw malformed(UNNAMED_TABLE);
    return found.fit;
  }

  /** What a statement does to a table of the stream, by its index, unless its description holds that already. */
  effect(effect: TableEffect, commit: LogPoint): RowMisfit | "truncated" | undefined {
    const { table: id, kind } = effect;
    const index = this.indexOf(id.schema, id.name);
    if (index === undefined) return undefined;
    const schema = this.#tables[index]!;
    switch (kind) {
      case "truncated":
        // Refused by the server while foreign keys act.
        return index < this.#told ? "truncated" : undefined;
      case "replaced":
        return { table: index, error: replaced(schema, effect.how) };
      case "dropped":
        return this.#has(schema, effect.column)
          ? { table: index, error: replaced(schema, `lost its column ${effect.column}`) }
          : undefined;
      case "added":
        return this.#has(schema, effect.column)
          ? undefined
          : { table: index, error: tableChanged(schema.id, `got the column ${effect.column}`) };
      case "default":
        return this.#newDefault(index, effect.column, commit);
      case "index-dropped":
        return identifyingIndex(schema)?.toLowerCase() !== effect.index.toLowerCase() ||
          this.#isBefore(index, commit)
          ? undefined
          : { table: index, error: tableChanged(schema.id, "lost the index that tells its rows apart") };
      case "reference-added":
      case "reference-dropped":
        return this.#otherReference(index, effect);
      case "altered":
        return this.#isBefore(index, commit)
          ? undefined
          : { table: index, error: tableChanged(schema.id, effect.how) };
    }
  }

  /** A table of the stream that a statement may have written to, as far as it names tables; undefined for none. */
  writtenBy({ target, makes, names }: RowsStatement): TableId | undefined {
    if (makes) return undefined;
    if (target !== undefined) {
      const index = this.indexOf(target.schema, target.name);
      return index === undefined ? undefined : this.#tables[index]!.id;
    }
    const named = names();
    return this.#tables.find(({ id }) => named.has(id.name.toLowerCase()))?.id;
  }

  #fit(cursor: EventCursor, commit: LogPoint): Pick<MappedTable, "fit" | "isBefore"> {
    const map = readTableMap(cursor);
    const index = this.indexOf(map.schema, map.name);
    if (index === undefined) return { fit: undefined, isBefore: false };
    const schema = this.#tables[index]!;
    const isBefore = this.#isBefore(index, commit);
    try {
      const shape = isBefore ? schema.shape!.place!.before : schema.shape;
      const table = { schema, index, shape, keys: this.#keysTo(index), widths: this.#widths };
      return { fit: planRows(map, { ...table, isOutside: index >= this.#told }, this.#facts), isBefore };
    } catch (error) {
      if (!(error instanceof MigrationError) || error.scope !== "table") throw error;
      return { fit: { table: index, error }, isBefore };
    }
  }

  /**
   * The catalog shows defaults as they are now. What it showed of a column that was added shortly before is then not
   * what the rows got that were there already; and rows of which the log shows a part may lack either default.
   */
  #newDefault(index: number, column: string, commit: LogPoint): RowMisfit | undefined {
    const schema = this.#tables[index]!;
    const key = tableKey(schema.id);
    const wanted = column.toLowerCase();
    const isIt = ({ name }: { readonly name: string }): boolean => name.toLowerCase() === wanted;
    if (this.#isBefore(index, commit)) {
      const isAdded = !schema.shape!.place!.before.columns.some(isIt) && this.#has(schema, column);
      return isAdded
        ? { table: index, error: replaced(schema, `had the default of its new column ${column} changed`) }
        : undefined;
    }
    const known = this.#facts.defaults.get(key);
    if (known === undefined) return undefined;
    const kept = [...known].filter(([name]) => name.toLowerCase() !== wanted);
    this.#facts = { ...this.#facts, defaults: new Map(this.#facts.defaults).set(key, new Map(kept)) };
    this.#foundNumber = undefined;
    for (const [number, { fit }] of this.#mapped) if (fit?.table === index) this.#mapped.delete(number);
    return undefined;
  }

  #find(number: number): MappedTable | undefined {
    if (number !== this.#foundNumber) {
      this.#foundNumber = number;
      this.#found = this.#mapped.get(number);
    }
    return this.#found;
  }

  /** What a table was described with, or else the statement is past that: another look at the table shows it. */
  #otherReference(
    index: number,
    effect: Extract<TableEffect, { kind: "reference-added" | "reference-dropped" }>,
  ): RowMisfit | undefined {
    const { id, foreignKeys } = this.#tables[index]!;
    const text = (names: readonly string[]): string => names.join("\0").toLowerCase();
    const known = foreignKeys.some(({ silent, name, columns }) =>
      silent === undefined
        ? false
        : effect.kind === "reference-dropped"
          ? text([name]) === text([effect.constraint])
          : text(columns) === text(effect.columns),
    );
    if (known === (effect.kind === "reference-added")) return undefined;
    return { table: index, error: tableChanged(id, OTHER_KEYS) };
  }

  /** Foreign keys of the stream's tables to a table. */
  #keysTo(index: number): readonly SilentKey[] {
    return this.#keys.to(index).filter(({ table }) => table < this.#told);
  }

  #keyOf({ schema, name }: TableId): string {
    return tableKey({ schema: this.#folded(schema), name: this.#folded(name) });
  }

  #folded(name: string): string {
    return this.#facts.foldsNames ? name.toLowerCase() : name;
  }

  #isBefore(index: number, commit: LogPoint): boolean {
    const place = this.#placed.get(index);
    if (place === undefined) return false;
    const order = positionCodec.compare(commit.position, place);
    if (order !== undefined && order <= 0) return true;
    // The log does not go back.
    this.#placed.delete(index);
    return false;
  }

  #has({ columns, shape }: TableSchema, column: string): boolean {
    const wanted = column.toLowerCase();
    const isIt = ({ name }: { readonly name: string }): boolean => name.toLowerCase() === wanted;
    return columns.some(isIt) || shape?.columns.some(isIt) === true;
  }
}

export function isMisfit(fit: RowPlan | RowMisfit): fit is RowMisfit {
  return "error" in fit;
}

/** The index whose columns are the table's key; undefined where there is none. */
function identifyingIndex({ key, indexes }: TableSchema): string | undefined {
  if (key.length === 0) return undefined;
  const index = indexes.find(
    ({ constraint, replicaIdentity }) => constraint === "primary-key" || replicaIdentity === true,
  );
  return index?.constraint === "primary-key" ? "PRIMARY" : index?.name;
}

function replaced({ id }: TableSchema, how: string): MigrationError {
  const message = `The table ${how}.`;
  return new MigrationError("source.rows_replaced", { message, subject: displayTable(id), table: id });
}
