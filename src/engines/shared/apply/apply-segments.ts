import {
  type ChangeBatch,
  isReferring,
  NULL_CELL,
  OP_WIDTH,
  Op,
  UNCHANGED_CELL,
} from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { SilentKeys } from "../../../core/silent-keys.ts";
import { ApplyMode } from "../../../core/target.ts";
import type { ReferringRows } from "./apply-cascades.ts";
import type { ApplyGroup, Piece } from "./apply-group.ts";
import { outsidePlan } from "./apply-walk.ts";
import type { RowBytes } from "./key-index.ts";
import { RowList } from "./row-list.ts";

/** Changes of a group that follow each other, then what foreign keys have done by themselves because of them. */
export interface Segment extends Pick<ApplyGroup, "pieces" | "ops"> {
  readonly cascades: readonly ReferringRows[];
}

/** Which changes of a table have to come after what foreign keys are going to do to its rows. */
const Late = {
  none: 0,
  /** All but deletes: what is deleted later was not touched by it. */
  allButDeletes: 1,
  all: 2,
} as const;

interface Family {
  /** A table, and those whose rows may be changed because rows of it are. */
  readonly tables: ReadonlySet<number>;
  /** Where rows of the table go, rows of these may go, and no row becomes another one. */
  readonly onlyDeletes: boolean;
}

export interface SegmentsOptions {
  readonly plans: readonly TablePlan[];
  readonly keys: SilentKeys;
  readonly planOf: (batch: ChangeBatch) => Int32Array;
}

/**
 * Cuts groups so that what foreign keys do by themselves comes after all changes that were made before it, and before
 * those that it may matter to: changes of the rows that refer, of those that refer to these, and so on. Else it waits,
 * so that what many deletes do by one key is done at once.
 */
export class Segments {
  readonly #options: SegmentsOptions;
  /** Foreign keys act by themselves at all. */
  readonly #acts: boolean;
  /** By plan. */
  readonly #families: (Family | undefined)[] = [];
  /** By plan, of the segment at work. */
  readonly #late: Uint8Array;
  #pieces: Piece[] = [];
  #ops = 0;
  #cascades: ReferringRows[] = [];
  /** Rows of which more of the same kind may be added. */
  #open: ReferringRows[] = [];
  #segments: Segment[] = [];

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#acts = options.plans.some(({ source }) =>
      source.foreignKeys.some(({ silent }) => silent !== undefined),
    );
    this.#late = new Uint8Array(options.plans.length);
  }

  of(group: ApplyGroup): readonly Segment[] {
    if (!this.#acts) return [{ pieces: group.pieces, ops: group.ops, cascades: [] }];
    for (const piece of group.pieces) this.#piece(piece);
    this.#cut();
    const segments = this.#segments;
    this.#segments = [];
    return segments;
  }

  #piece(piece: Piece): void {
    const { batch, modes } = piece;
    const planOf = this.#options.planOf(batch);
    const { bytes, cells, ops, transactions } = batch;
    const source = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), cells };
    // Where what is not in a segment yet begins: an op, and its transaction.
    let from = transactions[piece.from]!.start;
    let first = piece.from;
    for (let t = piece.from; t < piece.to; t++) {
      const { start, end } = transactions[t]!;
      const offset = t * batch.tables.length;
      for (let op = start; op < end; op++) {
        const at = op * OP_WIDTH;
        const table = ops[at + 1]!;
        if (modes !== undefined && modes[offset + table] === ApplyMode.skip) continue;
        const plan = planOf[table]!;
        if (isReferring(ops[at]!)) {
          if (plan < 0) throw outsidePlan(batch, table);
          this.#refer(plan, ops, at, source, this.#untouched(piece, t, plan));
        } else if (plan >= 0 && this.#isLate(plan, ops[at]!)) {
          this.#add({ ...piece, from: first, to: t + 1, start: from, end: op });
          this.#cut();
          from = op;
          first = t;
        }
      }
    }
    this.#add({ ...piece, from: first, start: from, end: transactions[piece.to - 1]!.end });
  }

  #isLate(plan: number, op: number): boolean {
    const late = this.#late[plan]!;
    return late !== Late.none && (late === Late.all || op !== Op.delete);
  }

  #add(piece: Required<Piece>): void {
    if (piece.start === piece.end) return;
    this.#pieces.push(piece);
    this.#ops += piece.end - piece.start;
  }

  #cut(): void {
    if (this.#pieces.length === 0) return;
    this.#segments.push({ pieces: this.#pieces, ops: this.#ops, cascades: this.#cascades });
    this.#pieces = [];
    this.#ops = 0;
    this.#cascades = [];
    this.#open = [];
    this.#late.fill(Late.none);
  }

  /** Tables of a plan's family that the transaction's changes are not applied to. */
  #untouched({ batch, modes }: Piece, transaction: number, plan: number): ReadonlySet<number> | undefined {
    if (modes === undefined) return undefined;
    const planOf = this.#options.planOf(batch);
    const { tables } = this.#family(plan);
    const offset = transaction * batch.tables.length;
    const untouched = new Set<number>();
    for (let table = 0; table < batch.tables.length; table++) {
      if (modes[offset + table] === ApplyMode.skip && tables.has(planOf[table]!))
        untouched.add(planOf[table]!);
    }
    return untouched.size === 0 ? undefined : untouched;
  }

  #refer(
    plan: number,
    ops: Int32Array,
    at: number,
    source: RowBytes,
    untouched: ReadonlySet<number> | undefined,
  ): void {
    const before = ops[at + 2]!;
    const after = ops[at + 3]!;
    const { columns } = this.#options.plans[plan]!.source;
    const { cells } = source;
    const isNew = ops[at] === Op.updateReferring && !isAllNull(cells, after, columns.length);
    // An update that gives new values may touch the rows of what comes after it. What leaves tables out stays alone.
    if (isNew || untouched !== undefined) this.#open = [];
    const open = this.#like(plan, cells, before, after);
    if (open === undefined) {
      const rows = new RowList();
      rows.add(source, before);
      const gets =
        after < 0
          ? undefined
          : { ...source, row: after, ordinals: ordinalsHeld(cells, after, columns.length) };
      const added = { plan, columns: ordinalsHeld(cells, before, columns.length), rows, gets, untouched };
      this.#cascades.push(added);
      this.#open = this.#open.filter((one) => this.#commute(one, added));
      if (!isNew && untouched === undefined) this.#open.push(added);
    } else {
      open.rows.add(source, before);
    }
    const { tables, onlyDeletes } = this.#family(plan);
    const late = ops[at] === Op.deleteReferring && onlyDeletes ? Late.allButDeletes : Late.all;
    for (const one of tables) this.#late[one] = Math.max(this.#late[one]!, late);
  }

  /** Rows told by the same key of which the same becomes: they go, or get NULL. */
  #like(plan: number, cells: Int32Array, before: number, after: number): ReferringRows | undefined {
    const { length } = this.#options.plans[plan]!.source.columns;
    for (const one of this.#open) {
      if (one.plan !== plan || !holdsOnly(cells, before, length, one.columns)) continue;
      const isSame = after < 0 ? one.gets === undefined : holdsOnly(cells, after, length, one.gets?.ordinals);
      if (isSame) return one;
    }
    return undefined;
  }

  /** Whether it makes no difference which is done first; for rows that go or get NULL. */
  #commute(one: ReferringRows, other: ReferringRows): boolean {
    if (one.gets === undefined && other.gets === undefined) {
      return this.#family(one.plan).onlyDeletes && this.#family(other.plan).onlyDeletes;
    }
    return this.#leavesFound(one, other) && this.#leavesFound(other, one);
  }

  /** Whether the same rows are found by one after the other was done. */
  #leavesFound(one: ReferringRows, { plan, gets }: ReferringRows): boolean {
    if (one.gets === undefined && !this.#family(one.plan).onlyDeletes) return false;
    // Rows that have gone are found by nothing that would do more to them.
    if (gets === undefined) return this.#family(plan).onlyDeletes;
    const { keys } = this.#options;
    const { ordinals } = gets;
    const isNulled = (ordinal: number): boolean => ordinals.includes(ordinal);
    const goesOn = keys
      .to(plan)
      .some(({ onUpdate, referencedColumns }) => onUpdate !== undefined && referencedColumns.some(isNulled));
    if (goesOn) return false;
    if (one.plan === plan && one.columns.some(isNulled)) return false;
    return [...this.#family(one.plan).tables].every((table) =>
      keys.to(table).every((key) => key.table !== plan || !key.columns.some(isNulled)),
    );
  }

  #family(plan: number): Family {
    const { keys, plans } = this.#options;
    let family = this.#families[plan];
    if (family === undefined) {
      const tables = keys.family(plan);
      const onlyDeletes = [...tables].every(
        (one) =>
          // A row without a key is found by all its values, also by those that a foreign key has given it.
          plans[one]!.source.key.length > 0 && keys.to(one).every(({ onDelete }) => onDelete !== "set-null"),
      );
      family = { tables, onlyDeletes };
      this.#families[plan] = family;
    }
    return family;
  }
}

/** Ordinals of the cells of a row that hold something, be it NULL. */
function ordinalsHeld(cells: Int32Array, row: number, columns: number): readonly number[] {
  const ordinals: number[] = [];
  for (let i = 0; i < columns; i++) if (cells[row + 2 * i] !== UNCHANGED_CELL) ordinals.push(i);
  return ordinals;
}

function isAllNull(cells: Int32Array, row: number, columns: number): boolean {
  for (let i = 0; i < columns; i++) {
    const start = cells[row + 2 * i]!;
    if (start !== NULL_CELL && start !== UNCHANGED_CELL) return false;
  }
  return true;
}

/** Whether a row holds something in these columns and in no others. */
function holdsOnly(
  cells: Int32Array,
  row: number,
  columns: number,
  ordinals: readonly number[] | undefined,
): boolean {
  if (ordinals === undefined) return false;
  let held = 0;
  for (let i = 0; i < columns; i++) if (cells[row + 2 * i] !== UNCHANGED_CELL) held++;
  if (held !== ordinals.length) return false;
  for (const ordinal of ordinals) if (cells[row + 2 * ordinal] === UNCHANGED_CELL) return false;
  return true;
}
