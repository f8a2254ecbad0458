import {
  type ChangeBatch,
  type ChangeTransaction,
  isReferring,
  OP_WIDTH,
  type Op,
} from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import { ApplyMode } from "../../../core/target.ts";
import type { RowBytes } from "./key-index.ts";
import { type FoldOptions, NetChanges } from "./net-changes.ts";

/** Transactions of a batch that follow each other, or one piece of a transaction, with what is to be done with them. */
export interface Piece {
  readonly batch: ChangeBatch;
  readonly modes: Uint8Array | undefined;
  /** Indexes [from, to) into the batch's transactions. */
  readonly from: number;
  readonly to: number;
  /** Where it is a part of these: ops [start, end) of the batch, counted in quads. */
  readonly start?: number;
  readonly end?: number;
}

/** Source transactions that the target commits together, or a part of one that is too large to be held. */
export class ApplyGroup {
  readonly pieces: Piece[] = [];
  /** Changes in it, skipped ones included. */
  ops = 0;
  /** Memory that its changes take, about. */
  bytes = 0;
  /** Nothing but that the parts which came before it are to be taken back: their transaction never commits. */
  takesBack = false;
  readonly committedAtMs: number[] = [];
  /** The piece that grows as the transactions after it are added. */
  #last: { batch: ChangeBatch; modes: Uint8Array | undefined; from: number; to: number } | undefined;
  #ended: ChangeTransaction | undefined;

  /** Position of its last whole transaction; undefined while it is a part of one. */
  get position(): Position | undefined {
    return this.#ended?.position;
  }

  /** Adds the transaction at an index of a batch, or the piece of one that is there. */
  add(batch: ChangeBatch, modes: Uint8Array | undefined, index: number): void {
    const { start, end } = batch.transactions[index]!;
    this.ops += end - start;
    const last = this.#last;
    if (last?.batch === batch && last.to === index) {
      last.to++;
    } else if (end > start) {
      this.#last = { batch, modes, from: index, to: index + 1 };
      this.pieces.push(this.#last);
    }
  }

  /** A transaction has ended; `ops` counts what it changed, in earlier groups too. */
  end(transaction: ChangeTransaction, ops: number): void {
    this.#ended = transaction;
    if (ops > 0) this.committedAtMs.push(transaction.committedAtMs);
  }
}

interface OpRange {
  readonly start: number;
  readonly end: number;
}

/** Ops of a piece, counted in quads. */
export function opsOf({ batch: { transactions }, from, to, start, end }: Piece): OpRange {
  return { start: start ?? transactions[from]!.start, end: end ?? transactions[to - 1]!.end };
}

/** Those of them that are of one of its transactions. */
export function opsOfTransaction(piece: Piece, transaction: number): OpRange {
  const { start, end } = piece.batch.transactions[transaction]!;
  return { start: Math.max(start, piece.start ?? 0), end: Math.min(end, piece.end ?? end) };
}

/** How the tables of a group's changes relate to the applier's plans. */
export interface GroupTables {
  /** For each table of a batch the index of its plan; throws when there is none. */
  planOf(batch: ChangeBatch): Int32Array;
  /** undefined: the table's changes are to be applied one by one. */
  foldOptions(plan: number): FoldOptions | undefined;
}

/** The net changes of a group, for those of its tables whose changes can be told so. */
export interface FoldedGroup {
  readonly sources: readonly RowBytes[];
  readonly tables: ReadonlyMap<number, NetChanges>;
  /** Whether the group changes tables that are not among these. */
  readonly leavesSome: boolean;
}

/** Tables of one group that fold: the server locks each of their staging tables until the commit. */
const MAX_FOLDED = 50;

/**
 * Folds what a group changes, for tables with at least `least` changes; what foreign keys do is left to others. A
 * table whose changes do not all fold is left out: a truncated one, one that converges, one whose rows are not
 * identified by a key.
 */
export function foldGroup(
  group: Pick<ApplyGroup, "pieces">,
  tables: GroupTables,
  least: number,
): FoldedGroup {
  const sources: RowBytes[] = [];
  const folding = new Map<number, NetChanges>();
  const counts = changesPerPlan(group, tables);
  for (const plan of busiest(counts, least)) {
    const options = tables.foldOptions(plan);
    if (options !== undefined) folding.set(plan, new NetChanges(options, sources, counts.get(plan)));
  }
  if (folding.size === 0) return { sources, tables: folding, leavesSome: true };
  let batch: ChangeBatch | undefined;
  let source = -1;
  let nets: (NetChanges | undefined)[] = [];
  for (const piece of group.pieces) {
    if (piece.batch !== batch) {
      batch = piece.batch;
      const { bytes, cells } = batch;
      source =
        sources.push({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), cells }) - 1;
      nets = Array.from(tables.planOf(batch), (plan) => folding.get(plan));
    }
    foldPiece(piece, source, nets);
  }
  for (const [plan, net] of folding) if (net.failed || net.size === 0) folding.delete(plan);
  return { sources, tables: folding, leavesSome: folding.size < counts.size };
}

function foldPiece(piece: Piece, source: number, nets: readonly (NetChanges | undefined)[]): void {
  const { batch, modes, from, to } = piece;
  const { ops } = batch;
  for (let t = from; t < to; t++) {
    const { start, end } = opsOfTransaction(piece, t);
    const offset = t * batch.tables.length;
    for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      const table = ops[at + 1]!;
      const net = nets[table];
      if (net === undefined || net.failed || isReferring(ops[at]!)) continue;
      const mode = modes === undefined ? ApplyMode.exact : modes[offset + table];
      if (mode === ApplyMode.skip) continue;
      if (mode !== ApplyMode.exact) net.failed = true;
      else net.add(ops[at] as Op, source, ops[at + 2]!, ops[at + 3]!);
    }
  }
}

/** How often a group changes each plan's table, skipped changes included; -1 stands for all that are in no plan. */
function changesPerPlan(group: Pick<ApplyGroup, "pieces">, tables: GroupTables): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  let batch: ChangeBatch | undefined;
  let plans = new Int32Array(0);
  let perTable = new Int32Array(0);
  const note = (): void => {
    for (let i = 0; i < perTable.length; i++) {
      if (perTable[i]! > 0) counts.set(plans[i]!, (counts.get(plans[i]!) ?? 0) + perTable[i]!);
    }
  };
  for (const piece of group.pieces) {
    if (piece.batch !== batch) {
      note();
      batch = piece.batch;
      plans = tables.planOf(batch) as Int32Array<ArrayBuffer>;
      perTable = new Int32Array(plans.length);
    }
    const { start, end } = opsOf(piece);
    for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
      if (!isReferring(batch.ops[at]!)) perTable[batch.ops[at + 1]!]!++;
    }
  }
  note();
  return counts;
}

/** Plans that are changed at least so often, those with the most changes when there are too many of them. */
function busiest(counts: ReadonlyMap<number, number>, least: number): readonly number[] {
  return [...counts]
    .filter(([plan, count]) => plan >= 0 && count >= least)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_FOLDED)
    .map(([plan]) => plan);
}
