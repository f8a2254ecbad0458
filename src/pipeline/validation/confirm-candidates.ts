import type { Candidate } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { type DigestAmount, DigestParts, numbersPayload, sumsOf } from "./digest-parts.ts";
import type { SeenRow } from "./find-candidates.ts";
import type { Settled } from "./followed-row.ts";
import { SeenRows } from "./seen-rows.ts";
import { type ReadStates, type ScannedStates, settle } from "./settle.ts";
import { type ReadDigests, settleMany } from "./settle-many.ts";
import { settleSurplus } from "./settle-surplus.ts";
import { type Rereads, StateReads } from "./state-reads.ts";
import type { TargetPlace } from "./target-place.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** Decides which of the rows of a table that seemed to differ do. */
export class Confirmation implements Disposable {
  readonly #reads: StateReads;
  readonly #seen: SeenRows;
  readonly #context: ValidationContext;
  readonly #place: TargetPlace;
  /** A row that is told by its digest has come, or gone: in its stead the source may have another that nobody has seen. */
  #hasMoved = false;
  /**
   * How many more the source has of rows without a key, or fewer, as they are seen. Whoever looks for one of them reads all: so
   * all wait for each other. Where a server digests another text of a row than the other server, its equal is seen later.
   */
  readonly #waiting: DigestParts;
  readonly #amount: DigestAmount;

  constructor(table: ComparedTable, rereads: Rereads, context: ValidationContext) {
    this.#amount = { records: rereads.rows, atOnce: rowsAtOnce(context) };
    this.#waiting = new DigestParts(this.#amount);
    this.#reads = new StateReads(table, rereads, context);
    this.#seen = new SeenRows(this.#reads, { ...context, areTogether: rereads.choice !== undefined });
    this.#context = context;
    this.#place = context.placeOf(table.plan.source.id);
  }

  [Symbol.dispose](): void {
    this.#waiting[Symbol.dispose]();
  }

  /** Each row is decided about once, though it may be seen on both sides, and in different buckets; those without a key by rest(). */
  async *of(seen: readonly SeenRow[]): AsyncGenerator<Settled> {
    const { keyed, digested, scanned } = await this.#seen.sorted(seen);
    if (keyed.length > 0) yield* this.#settleKeyed(keyed, scanned);
    for (const { side, digest, rows } of digested) {
      this.#waiting.add(digest, numbersPayload([side === "source" ? rows : -rows]));
    }
  }

  /** How many rows rest() decides about, or a few less. */
  get waiting(): number {
    return this.#waiting.count;
  }

  /** To be called once, when all have been seen. */
  async *rest(): AsyncGenerator<Settled> {
    const all = this.#waiting;
    using left = new DigestParts(this.#amount);
    for (let part = 0; part < all.parts; part++) {
      for (const digest of sumsOf(all, part).keys()) left.add(digest);
    }
    all[Symbol.dispose]();
    const few = (candidates: readonly Candidate[]): AsyncGenerator<Settled> =>
      this.#settleDigested(candidates);
    if (left.count === 0) return;
    const read: ReadDigests = (...asked) => this.#reads.digests(...asked);
    const { signal } = this.#context;
    for await (const settled of settleMany(left, { read, place: this.#place, signal, few })) {
      yield this.#noted(settled);
    }
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
      else yield settled;
    }
    if (left.length === 0) return;
    // A row may have come since in a bucket of another number, as a server may digest it by another text than this program.
    yield* settle(left, { read: read(true), place: twice(place), signal });
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
