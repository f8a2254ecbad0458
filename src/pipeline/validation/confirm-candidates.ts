import type { Candidate } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { SeenRow } from "./find-candidates.ts";
import { SeenRows } from "./seen-rows.ts";
import { type ReadStates, type ScannedStates, type Settled, settle } from "./settle.ts";
import { settleSurplus } from "./settle-surplus.ts";
import { type Rereads, StateReads } from "./state-reads.ts";
import type { TargetPlace } from "./target-place.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** Decides which of the rows of a table that seemed to differ do. */
export class Confirmation {
  readonly #reads: StateReads;
  readonly #seen: SeenRows;
  readonly #context: ValidationContext;
  readonly #place: TargetPlace;
  /** A row that is told by its digest has come, or gone: in its stead the source may have another that nobody has seen. */
  #hasMoved = false;
  /**
   * How many more the source has of rows without a key, by their digests. Whoever looks for one of them reads all: so they
   * wait for each other. Where a server digests another text of a row than the other server, its equal is seen later.
   */
  readonly #waiting = new Map<string, number>();
  readonly #mostWaiting: number;
  /** Those that have been told before all were seen. */
  readonly #told = new Set<string>();
  /** One row may be seen several times: in parts of a table, or in buckets of each server's own. */
  readonly #isSeenAgain: boolean;

  constructor(table: ComparedTable, rereads: Rereads, context: ValidationContext) {
    this.#mostWaiting = rowsAtOnce(context);
    this.#reads = new StateReads(table, rereads, context);
    this.#isSeenAgain = table.key !== undefined || this.#reads.mayMissRows;
    this.#seen = new SeenRows(this.#reads, context);
    this.#context = context;
    this.#place = context.placeOf(table.plan.source.id);
  }

  /** Each row is decided about once, though it may be seen on both sides, and in different buckets. Some are by rest(). */
  async *of(seen: readonly SeenRow[]): AsyncGenerator<Settled> {
    const { keyed, digested, scanned } = await this.#seen.sorted(seen);
    if (keyed.length > 0) yield* this.#settleKeyed(keyed, scanned);
    for (const row of digested) this.#wait(row);
    if (this.#waiting.size < this.#mostWaiting) return;
    for await (const settled of this.rest()) {
      if (settled.verdict === "different" && this.#isSeenAgain) this.#told.add(settled.candidate.id);
      yield settled;
    }
  }

  /** How many rows rest() decides about. */
  get waiting(): number {
    return this.#waiting.size;
  }

  async *rest(): AsyncGenerator<Settled> {
    const candidates = Array.from(this.#waiting.keys(), (id): Candidate => ({ id, lookup: undefined }));
    this.#waiting.clear();
    if (candidates.length > 0) yield* this.#settleDigested(candidates);
  }

  #wait({ side, digest, rows }: SeenRow): void {
    if (this.#told.has(digest)) return;
    const more = (this.#waiting.get(digest) ?? 0) + (side === "source" ? rows : -rows);
    if (more === 0) this.#waiting.delete(digest);
    else this.#waiting.set(digest, more);
  }

  /**
   * How many rows more the source has than the differences say, less where it has fewer; undefined where that cannot be
   * decided. `told`: how many more it has by them.
   */
  async surplus(told: number): Promise<number | undefined> {
    if (!this.#hasMoved) return 0;
    const count = (side: SideName): Promise<number> => this.#reads.count(side);
    return await settleSurplus({ count, told, place: this.#place, signal: this.#context.signal });
  }

  #settleKeyed(keyed: readonly Candidate[], scanned: ScannedStates): AsyncGenerator<Settled> {
    const reads = this.#reads;
    const read: ReadStates = (side, candidates) =>
      reads.now(side, (snapshot) => reads.byKey(side, snapshot, candidates));
    return settle(keyed, { read, place: this.#place, signal: this.#context.signal, scanned });
  }

  async *#settleDigested(digested: readonly Candidate[]): AsyncGenerator<Settled> {
    const reads = this.#reads;
    const { signal } = this.#context;
    const place = this.#place;
    const read =
      (isWhole: boolean): ReadStates =>
      (side, candidates) =>
        reads.now(side, (snapshot) => reads.byDigest(side, { snapshot, isWhole }, candidates));
    const left: Candidate[] = [];
    for await (const settled of settle(digested, { read: read(false), place, signal })) {
      if (settled.verdict === "different" && reads.mayMissRows) left.push(settled.candidate);
      else yield this.#noted(settled);
    }
    if (left.length === 0) return;
    // A row may have come since in a bucket of another number, as a server may digest it by another text than this program.
    for await (const settled of settle(left, { read: read(true), place: twice(place), signal })) {
      yield this.#noted(settled);
    }
  }

  #noted(settled: Settled): Settled {
    this.#hasMoved ||= settled.verdict === "same";
    return settled;
  }
}

/** Of what has stayed as long as a place asks for, but in some buckets alone, it is looked twice whether it stays in all. */
function twice(place: TargetPlace): TargetPlace {
  return {
    begin: (signal) => place.begin(signal),
    passed: (signal) => place.passed(signal),
    decides: ({ rounds }) => rounds >= 2,
  };
}
