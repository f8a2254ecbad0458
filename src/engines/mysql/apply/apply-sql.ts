import { NULL_CELL, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import { writeLiteral } from "../values/cell-text.ts";
import { type OutOfRange, RangeRule } from "../values/out-of-range.ts";
import type { SqlText } from "../values/sql-text.ts";
import { ApplyColumns, type Comparison } from "./apply-columns.ts";
import type { ApplyTable, UniqueIndex } from "./apply-table.ts";
import { FittingRows, type RowAt } from "./fitting-rows.ts";

const OPEN = Buffer.from("(");
const CLOSE = Buffer.from(")");
const COMMA = Buffer.from(",");
const EQUALS = Buffer.from("=");
const AND = Buffer.from(" and ");
const WHERE = Buffer.from(" where ");
const LIMIT = Buffer.from(" limit 1");
const DEFAULT = Buffer.from("default");
const NOTHING = Buffer.alloc(0);

/** Writes the statements that apply one table's changes. */
export class TableSql {
  readonly hasKey: boolean;
  readonly written: readonly number[];
  /** Whether ON DUPLICATE KEY can mean no other row than the key's: that is the only unique index, and folds no key. */
  readonly overwrites: boolean;
  /** Columns of the target that are not the source's. */
  readonly hasOthers: boolean;
  /** Rows are found by the bytes of their keys: the target takes some for the same that the source tells apart. */
  readonly isExact: boolean;
  readonly #columns: ApplyColumns;
  readonly #key: readonly number[];
  readonly #isKey: Uint8Array;
  readonly #comparisons: readonly Comparison[];
  /** Of the key's columns, to the byte. */
  readonly #identities: readonly Comparison[];
  readonly #insert: Buffer;
  readonly #insertSelect: Buffer;
  readonly #unlessThere: Buffer;
  readonly #overwrite: Buffer;
  readonly #unlessKey: Buffer;
  readonly #update: Buffer;
  readonly #delete: Buffer;
  readonly #deleteKeys: Buffer;
  readonly #unlessTaken: Buffer;
  readonly #same: Buffer;
  /** The row that a statement finds, and the one that it writes. */
  readonly #found: FittingRows | undefined;
  readonly #new: FittingRows | undefined;

  constructor(plan: TablePlan, table: ApplyTable | undefined, choices: OutOfRange) {
    const columns = new ApplyColumns(plan, table);
    const { key } = plan.source;
    this.#columns = columns;
    this.#key = key;
    this.hasKey = key.length > 0;
    this.written = columns.written;
    this.hasOthers = columns.others;
    this.isExact = columns.foldsKey;
    this.#isKey = Uint8Array.from(plan.source.columns, (_, ordinal) => (key.includes(ordinal) ? 1 : 0));
    this.#comparisons = (this.hasKey ? key : columns.written).map((o) =>
      this.hasKey ? columns.isKey(o) : columns.isSame(o),
    );
    this.#identities = key.map((o) => columns.isSame(o));
    const name = qualified(plan.target.id);
    const names = columns.written.map((o) => String(columns.names[o]));
    const keyNames = new Set(key.map((o) => plan.target.columns[o]!.name.toLowerCase()));
    const keyIndex = table?.uniques.find((index) => this.hasKey && isOver(index, keyNames));
    const uniques = uniquesOf(plan, table);
    this.overwrites =
      keyIndex !== undefined && !this.isExact && uniques.every((index) => isOver(index, keyNames));
    const same = names[0] === undefined ? "" : `${names[0]}=${names[0]}`;
    const rest = columns.written.filter((o) => this.#isKey[o] === 0).map((o) => String(columns.names[o]));
    const overwritten = rest.length === 0 ? same : rest.map((one) => `${one}=values(${one})`).join(",");
    this.#insert = Buffer.from(`insert into ${name} (${names.join(",")}) values `);
    this.#unlessThere =
      table !== undefined && uniques.length === 0 ? NOTHING : Buffer.from(` on duplicate key update ${same}`);
    this.#overwrite = Buffer.from(` on duplicate key update ${overwritten}`);
    this.#insertSelect = Buffer.from(`insert into ${name} (${names.join(",")}) select `);
    this.#unlessKey = Buffer.from(` from dual where not exists (select 1 from ${name} where `);
    this.#update = Buffer.from(`update ${name} set `);
    this.#delete = Buffer.from(`delete from ${name}`);
    const keyList = key.map((o) => String(columns.names[o])).join(",");
    const hint = keyIndex === undefined ? "" : ` force index (${identifier(keyIndex.name)})`;
    const tuple = key.length === 1 ? keyList : `(${keyList})`;
    this.#deleteKeys = Buffer.from(`delete ${name} from ${name}${hint} where ${tuple} in (`);
    this.#unlessTaken = Buffer.from(` and not exists (select 1 from (select 1 from ${name} where `);
    this.#same = Buffer.from(same);
    const rule = RangeRule.for(plan, columns.there, choices);
    if (rule === undefined) return;
    const fitting = { columns: plan.source.columns.length, used: columns.written };
    this.#new = new FittingRows({ ...fitting, rule });
    this.#found = new FittingRows({ ...fitting, rule, ...(this.hasKey ? { used: key } : {}) });
  }

  /** How many values of rows that were written have come as others. */
  get replaced(): number {
    return this.#new?.replaced ?? 0;
  }

  set replaced(count: number) {
    if (this.#new !== undefined) this.#new.replaced = count;
  }

  /**
   * The row as the target's types have it, good until the next row. Who writes one row in several statements asks for it
   * first: each of them puts other values in the places of those that do not fit, and counts them.
   */
  fitting(row: RowAt): RowAt {
    return this.#new?.fit(row) ?? row;
  }

  /** A row in the way is left as it is, and shows as a statement that changed nothing. */
  insert(out: SqlText, row: RowAt): void {
    this.insertRows(out);
    this.values(out, row);
    out.append(this.#unlessThere);
  }

  /** Begins a statement that inserts the rows that follow, each by values() with comma() between them. */
  insertRows(out: SqlText): void {
    out.append(this.#insert);
  }

  values(out: SqlText, row: RowAt): void {
    out.append(OPEN);
    this.#literals(out, row);
    out.append(CLOSE);
  }

  comma(out: SqlText): void {
    out.append(COMMA);
  }

  /** Ends insertRows(): rows that are there get the new values. Only where `overwrites`. */
  overwrite(out: SqlText): void {
    out.append(this.#overwrite);
  }

  /** Inserts a row unless one of its key is there; "identical": to the byte. */
  insertUnlessThere(out: SqlText, row: RowAt, which?: "identical"): void {
    out.append(this.#insertSelect);
    this.#literals(out, row);
    out.append(this.#unlessKey);
    this.#find(out, row);
    if (which === "identical") this.#identify(out, row);
    out.append(CLOSE);
  }

  /** Updates the row that `where` finds to what was sent of `after`; its key only when that may have changed. */
  update(out: SqlText, where: RowAt, after: RowAt, keyChanges: boolean): void {
    out.append(this.#update);
    this.#set(out, after, keyChanges);
    out.append(WHERE);
    this.#find(out, where);
    if (!this.hasKey) out.append(LIMIT);
  }

  /** Like update() of a row whose key changes, but nothing when the new key is there already. */
  moveUnlessThere(out: SqlText, before: RowAt, after: RowAt): void {
    this.update(out, before, after, true);
    out.append(this.#unlessTaken);
    this.#find(out, after);
    // A table that is updated may be read only through a derived one.
    out.append(TAKEN);
  }

  delete(out: SqlText, row: RowAt): void {
    out.append(this.#delete);
    out.append(WHERE);
    this.#find(out, row);
    if (!this.hasKey) out.append(LIMIT);
  }

  /** Updates the row whose key is the same to the byte. */
  updateIdentical(out: SqlText, row: RowAt): void {
    this.update(out, row, row, false);
    this.#identify(out, row);
  }

  deleteIdentical(out: SqlText, row: RowAt): void {
    this.delete(out, row);
    this.#identify(out, row);
  }

  deleteAll(out: SqlText): void {
    out.append(this.#delete);
  }

  /** Begins a statement that deletes the rows of the keys that follow, each by key() with comma() between them. */
  deleteKeys(out: SqlText): void {
    out.append(this.#deleteKeys);
  }

  key(out: SqlText, row: RowAt): void {
    const isTuple = this.#key.length > 1;
    const fitting = this.#found?.fit(row) ?? row;
    if (isTuple) out.append(OPEN);
    for (let i = 0; i < this.#key.length; i++) {
      if (i > 0) out.append(COMMA);
      const { item, close, form } = this.#comparisons[i]!;
      const cell = fitting.row + 2 * this.#key[i]!;
      out.append(item);
      writeLiteral(out, form, fitting.bytes, fitting.cells[cell]!, fitting.cells[cell + 1]!);
      out.append(close);
    }
    if (isTuple) out.append(CLOSE);
  }

  endKeys(out: SqlText): void {
    out.append(CLOSE);
  }

  #literals(out: SqlText, given: RowAt): void {
    const { bytes, cells, row } = this.fitting(given);
    const { written } = this;
    const { forms } = this.#columns;
    for (let i = 0; i < written.length; i++) {
      const ordinal = written[i]!;
      const cell = row + 2 * ordinal;
      if (i > 0) out.append(COMMA);
      if (cells[cell] === UNCHANGED_CELL) out.append(DEFAULT);
      else writeLiteral(out, forms[ordinal]!, bytes, cells[cell]!, cells[cell + 1]!);
    }
  }

  #set(out: SqlText, given: RowAt, keyChanges: boolean): void {
    const { bytes, cells, row } = this.fitting(given);
    const { written } = this;
    const { forms, names } = this.#columns;
    let count = 0;
    for (let i = 0; i < written.length; i++) {
      const ordinal = written[i]!;
      const cell = row + 2 * ordinal;
      if (cells[cell] === UNCHANGED_CELL || (!keyChanges && this.#isKey[ordinal] === 1)) continue;
      if (count++ > 0) out.append(COMMA);
      out.append(names[ordinal]!);
      out.append(EQUALS);
      writeLiteral(out, forms[ordinal]!, bytes, cells[cell]!, cells[cell + 1]!);
    }
    // A change that says nothing new must still find its row: a column is set to what it is.
    if (count === 0) out.append(this.#same);
  }

  /** The condition that finds a row: by key, or by all its values. */
  #find(out: SqlText, given: RowAt): void {
    this.#compare(out, given, this.#comparisons);
    if (this.isExact) this.#byBytes(out, given);
  }

  /** After #find() by key, for which an index serves: only a row whose key is the same to the byte. */
  #identify(out: SqlText, given: RowAt): void {
    if (!this.isExact) this.#byBytes(out, given);
  }

  #byBytes(out: SqlText, given: RowAt): void {
    out.append(AND);
    this.#compare(out, given, this.#identities);
  }

  #compare(out: SqlText, given: RowAt, comparisons: readonly Comparison[]): void {
    const { bytes, cells, row } = this.#found?.fit(given) ?? given;
    const ordinals = this.hasKey ? this.#key : this.written;
    let count = 0;
    for (let i = 0; i < ordinals.length; i++) {
      const cell = row + 2 * ordinals[i]!;
      const start = cells[cell]!;
      if (start === UNCHANGED_CELL) continue;
      if (count++ > 0) out.append(AND);
      const { open, close, form, isNull } = comparisons[i]!;
      if (start === NULL_CELL) {
        out.append(isNull);
        continue;
      }
      out.append(open);
      writeLiteral(out, form, bytes, start, cells[cell + 1]!);
      out.append(close);
    }
  }
}

const TAKEN = Buffer.from(" limit 1) as taken)");

/** Unique indexes that are there, and those that the plan is going to make while changes are applied. */
function uniquesOf(
  { target }: TablePlan,
  table: ApplyTable | undefined,
): readonly Pick<UniqueIndex, "columns">[] {
  const planned = target.indexes
    .filter(({ unique }) => unique)
    .map(({ columns }) => ({
      columns: columns === undefined ? undefined : new Set(columns.map((name) => name.toLowerCase())),
    }));
  return [...(table?.uniques ?? []), ...planned];
}

function isOver({ columns }: Pick<UniqueIndex, "columns">, names: ReadonlySet<string>): boolean {
  return (
    columns !== undefined && columns.size === names.size && [...columns].every((name) => names.has(name))
  );
}
