import { UNCHANGED_CELL } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable } from "../../../core/schema.ts";
import { type SilentKey, SilentKeys } from "../../../core/silent-keys.ts";
import type { RowBytes } from "./key-index.ts";
import { RowList, rowsOfTexts } from "./row-list.ts";

/** All rows of a table that hold the same in some columns as one of a list does, and what becomes of them. */
export interface ReferringRows {
  readonly plan: number;
  /** Ordinals of the columns that are compared; no value of the list is NULL there. */
  readonly columns: readonly number[];
  readonly rows: RowList;
  /** What they get; undefined when they go. */
  readonly gets: NewValues | undefined;
  /** Plans whose rows nothing is done to, see ApplyMode.skip: they may show a later moment. None when left out. */
  readonly untouched?: ReadonlySet<number> | undefined;
}

export interface NewValues extends RowBytes {
  readonly ordinals: readonly number[];
  /** A row that holds them. */
  readonly row: number;
}

/** Values of some columns of a row; null for NULL. */
type Texts = readonly (string | null)[];

/** What a target is asked to do with referring rows, within the transaction at work. */
export interface CascadeTarget {
  /** Values of some columns of at most `limit` of the rows, as texts. All that was written before counts. */
  read(rows: ReferringRows, columns: readonly number[], limit: number | undefined): Promise<readonly Texts[]>;
  /** Deletes or updates the rows, without waiting for it. */
  write(rows: ReferringRows): Promise<void>;
}

/** Rows whose values are held at once while what refers to them is looked for. */
const PAGE_ROWS = 10_000;

/**
 * Does on the target what foreign keys have done by themselves on the source, see ForeignKey.silent: to the rows that refer to
 * one that has gone or changed, and then to those that refer to these. The first are told by the stream, the others by
 * the rows that are there. Nothing else acts on rows meanwhile, so each row goes before what refers to it: a circle of
 * rows ends where the first of them has gone.
 */
export class Cascades {
  readonly keys: SilentKeys;
  readonly #plans: readonly TablePlan[];
  readonly #target: CascadeTarget;

  constructor(plans: readonly TablePlan[], target: CascadeTarget) {
    this.keys = new SilentKeys(plans.map(({ source }) => source));
    this.#plans = plans;
    this.#target = target;
  }

  async apply(rows: ReferringRows): Promise<void> {
    const keys = this.#keysHit(rows);
    if (keys.length === 0) {
      await this.#target.write(rows);
      return;
    }
    const { key, columns } = this.#plans[rows.plan]!.source;
    const wanted = [...new Set([...key, ...keys.flatMap(({ referencedColumns }) => referencedColumns)])];
    // Rows cannot be taken a part at a time that have no key, or may be found again: "A" by "a", once they hold that.
    const limit = key.length === 0 || givesValues(rows) ? undefined : PAGE_ROWS;
    let before: Texts | undefined;
    for (let isLast = false; !isLast; ) {
      const texts = await this.#target.read(rows, wanted, limit);
      if (texts.length === 0) return;
      if (before !== undefined && holds(texts, before)) throw this.#stays(rows.plan);
      before = texts[0]!;
      isLast = limit === undefined || texts.length < limit;
      const found = rowsOfTexts(columns.length, wanted, texts);
      await this.#target.write(isLast ? rows : { ...rows, columns: key, rows: found });
      for (const one of keys) {
        const below = this.#below(one, rows, found);
        if (below.rows.length > 0) await this.apply(below);
      }
    }
  }

  /** A row that was written is found again as it was: it would be for ever. */
  #stays(plan: number): MigrationError {
    const { source, target } = this.#plans[plan]!;
    return new MigrationError("apply.rejected", {
      message: `The target keeps rows of ${displayTable(target.id)} that a foreign key of the source has deleted or changed.`,
      subject: displayTable(source.id),
      table: source.id,
      remedy:
        "Look for a trigger of that table on the target that keeps rows, and drop it; then reload the table.",
    });
  }

  /** Keys to the rows' table that act when this happens to them. */
  #keysHit({ plan, gets, untouched }: ReferringRows): readonly SilentKey[] {
    return this.keys.to(plan).filter(({ table, onDelete, onUpdate, referencedColumns }) => {
      if (untouched?.has(table) === true) return false;
      if (gets === undefined) return onDelete !== undefined;
      return onUpdate !== undefined && referencedColumns.some((ordinal) => gets.ordinals.includes(ordinal));
    });
  }

  /** The rows that refer to those that were found, and what becomes of them in turn. */
  #below(key: SilentKey, { gets, untouched }: ReferringRows, found: RowList): ReferringRows {
    const { columns, referencedColumns } = key;
    const width = 2 * this.#plans[key.table]!.source.columns.length;
    const cells = new Int32Array(width * found.length).fill(UNCHANGED_CELL);
    // The bytes are those of the found rows, which all lie in one place.
    const from = found.source(0);
    const source = { bytes: from.bytes, cells };
    const rows = new RowList();
    for (let i = 0; i < found.length; i++) {
      let refers = true;
      for (let c = 0; c < columns.length; c++) {
        const there = found.row(i) + 2 * referencedColumns[c]!;
        const here = width * i + 2 * columns[c]!;
        cells[here] = from.cells[there]!;
        cells[here + 1] = from.cells[there + 1]!;
        refers &&= cells[here]! >= 0;
      }
      if (refers) rows.add(source, width * i);
    }
    return { plan: key.table, columns, rows, gets: this.#getsBelow(key, gets), untouched };
  }

  #getsBelow(key: SilentKey, gets: NewValues | undefined): NewValues | undefined {
    const action = gets === undefined ? key.onDelete : key.onUpdate;
    if (action === "set-null") return nulls(key.columns);
    if (gets === undefined) return undefined;
    const { columns, referencedColumns } = key;
    const changed = columns.flatMap((ordinal, i) => {
      const from = referencedColumns[i]!;
      return gets.ordinals.includes(from) ? [{ ordinal, from }] : [];
    });
    const width = 2 * (Math.max(...columns) + 1);
    const cells = new Int32Array(width).fill(UNCHANGED_CELL);
    for (const { ordinal, from } of changed) {
      cells[2 * ordinal] = gets.cells[gets.row + 2 * from]!;
      cells[2 * ordinal + 1] = gets.cells[gets.row + 2 * from + 1]!;
    }
    return { bytes: gets.bytes, cells, row: 0, ordinals: changed.map(({ ordinal }) => ordinal) };
  }
}

function holds(rows: readonly Texts[], wanted: Texts): boolean {
  return rows.some((row) => row.every((text, i) => text === wanted[i]));
}

/** Whether the rows get something else than NULL. */
function givesValues({ gets }: ReferringRows): boolean {
  if (gets === undefined) return false;
  const { ordinals, cells, row } = gets;
  return ordinals.some((ordinal) => cells[row + 2 * ordinal]! >= 0);
}

const NO_BYTES = Buffer.alloc(0);

function nulls(ordinals: readonly number[]): NewValues {
  const cells = new Int32Array(2 * (Math.max(...ordinals) + 1)).fill(-1);
  return { bytes: NO_BYTES, cells, row: 0, ordinals };
}
