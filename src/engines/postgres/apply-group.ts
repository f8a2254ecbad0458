import { type ChangeBatch, type ChangeTransaction, OP_WIDTH, type Op } from "../../core/change-batch.ts";
import type { Position } from "../../core/position.ts";
import { ApplyMode } from "../../core/target.ts";
import type { RowBytes } from "./key-index.ts";
import { type FoldOptions, NetChanges } from "./net-changes.ts";

/** One transaction of a batch, or one piece of a transaction, with what is to be done with it. */
export interface Piece {
  readonly batch: ChangeBatch;
  readonly modes: Uint8Array | undefined;
  /** Index into the batch's transactions. */
  readonly index: number;
}

/** Source transactions that the target commits together, or a part of one that is too large to be held. */
export class ApplyGroup {
  readonly pieces: Piece[] = [];
  /** Changes in it, skipped ones included. */
  ops = 0;
  /** Memory that its changes take, about. */
  bytes = 0;
  /** Position of its last whole transaction; undefined while it is a part of one. */
  position: Position | undefined;
  readonly committedAtMs: number[] = [];

  add(pieces: readonly Piece[], bytes: number): void {
    let ops = 0;
    for (const piece of pieces) {
      const { start, end } = transactionOf(piece);
      ops += end - start;
      if (end > start) this.pieces.push(piece);
    }
    this.ops += ops;
    this.bytes += bytes;
  }

  /** A transaction has ended; `ops` counts what it changed, in earlier groups too. */
  end({ position, committedAtMs }: ChangeTransaction, ops: number): void {
    this.position = position;
    if (ops > 0) this.committedAtMs.push(committedAtMs);
  }
}

export function transactionOf({ batch, index }: Piece): ChangeTransaction {
  return batch.transactions[index]!;
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
}

/** Tables of one group that fold: the server locks each of their staging tables until the commit. */
const MAX_FOLDED = 50;

/**
 * Folds what a group changes, for tables with at least `least` changes. A table whose changes do not all
 * fold is left out: a truncated one, one that converges, one whose rows are not identified by a key.
 */
export function foldGroup(group: ApplyGroup, tables: GroupTables, least: number): FoldedGroup {
  const sources: RowBytes[] = [];
  const folding = new Map<number, NetChanges>();
  for (const plan of busyTables(group, tables, least)) {
    const options = tables.foldOptions(plan);
    if (options !== undefined) folding.set(plan, new NetChanges(options, sources));
  }
  if (folding.size === 0) return { sources, tables: folding };
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
  return { sources, tables: folding };
}

function foldPiece(piece: Piece, source: number, nets: readonly (NetChanges | undefined)[]): void {
  const { batch, modes, index } = piece;
  const { ops } = batch;
  const { start, end } = transactionOf(piece);
  const offset = index * batch.tables.length;
  for (let at = start * OP_WIDTH; at < end * OP_WIDTH; at += OP_WIDTH) {
    const table = ops[at + 1]!;
    const net = nets[table];
    if (net === undefined || net.failed) continue;
    const mode = modes === undefined ? ApplyMode.exact : modes[offset + table];
    if (mode === ApplyMode.skip) continue;
    if (mode !== ApplyMode.exact) net.failed = true;
    else net.add(ops[at] as Op, source, ops[at + 2]!, ops[at + 3]!);
  }
}

/** Plans that a group changes at least so often, those with the most changes when there are too many of them. */
function busyTables(group: ApplyGroup, tables: GroupTables, least: number): readonly number[] {
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
    const { start, end } = transactionOf(piece);
    for (let op = start; op < end; op++) perTable[batch.ops[op * OP_WIDTH + 1]!]!++;
  }
  note();
  return [...counts]
    .filter(([plan, count]) => plan >= 0 && count >= least)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_FOLDED)
    .map(([plan]) => plan);
}
