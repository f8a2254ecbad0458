import type { Snapshot } from "../../core/source.ts";
import type { Candidate, RowState } from "./candidate.ts";
import type { ComparedSide, SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import { partOf, type SeenRow } from "./find-candidates.ts";
import { statesByDigest, statesByKey } from "./read-states.ts";
import { type ReadStates, type ScannedStates, type Settled, settle } from "./settle.ts";
import type { TargetPlace } from "./target-place.ts";
import type { ValidationContext } from "./validation-context.ts";
import { WHOLE } from "./whole-table.ts";

/** How rows of a table are read again. */
export interface Rereads {
  readonly sides: Readonly<Record<SideName, ComparedSide>>;
  /** The buckets in which rows without a key are looked for; undefined for all of the table. */
  readonly choice: { readonly buckets: number; readonly wanted: readonly number[] } | undefined;
}

/**
 * Which of some rows that seemed to differ do. Each is decided about once, though both of its sides may have been seen, and
 * in different buckets: one that the source has in its snapshot counts when it was seen there.
 */
export async function* confirmCandidates(
  table: ComparedTable,
  rereads: Rereads,
  seen: readonly SeenRow[],
  context: ValidationContext,
): AsyncGenerator<Settled> {
  const reads = new StateReads(table, rereads, context);
  const { keyed, digested, scanned } = await reads.sorted(seen);
  const { signal } = context;
  const place = context.placeOf(table.plan.source.id);
  if (keyed.length > 0) {
    const read: ReadStates = (side, candidates) =>
      reads.now(side, (snapshot) => reads.byKey(side, snapshot, candidates));
    yield* settle(keyed, { read, place, signal, scanned });
  }
  if (digested.length === 0) return;
  const read: ReadStates = (side, candidates) =>
    reads.now(side, (snapshot) => reads.byDigest(side, { snapshot, isWhole: false }, candidates));
  const left: Candidate[] = [];
  for await (const settled of settle(digested, { read, place, signal })) {
    if (settled.verdict === "different" && reads.isChosenByServers) left.push(settled.candidate);
    else yield settled;
  }
  if (left.length === 0) return;
  // A row may have come since in a bucket of another number, as a server may digest it by another text than this program.
  const readAll: ReadStates = (side, candidates) =>
    reads.now(side, (snapshot) => reads.byDigest(side, { snapshot, isWhole: true }, candidates));
  yield* settle(left, { read: readAll, place: twice(place), signal });
}

/** Of what has stayed as long as a place asks for, but in some buckets alone, it is looked twice whether it stays in all. */
function twice(place: TargetPlace): TargetPlace {
  return {
    begin: (signal) => place.begin(signal),
    passed: (signal) => place.passed(signal),
    decides: ({ rounds }) => rounds >= 2,
  };
}

interface SortedRows {
  readonly keyed: readonly Candidate[];
  readonly digested: readonly Candidate[];
  /** What each side had of those with a key in the snapshots that were scanned. */
  readonly scanned: ScannedStates;
}

class StateReads {
  readonly #table: ComparedTable;
  readonly #rereads: Rereads;
  readonly #context: ValidationContext;

  constructor(table: ComparedTable, rereads: Rereads, context: ValidationContext) {
    this.#table = table;
    this.#rereads = rereads;
    this.#context = context;
  }

  /**
   * Rows that can be looked up by their keys, which is tried where they were seen, and those that cannot. Without rows that
   * are seen on the source, too, perhaps in another bucket.
   */
  async sorted(seen: readonly SeenRow[]): Promise<SortedRows> {
    const seenOn = (name: SideName): ReadonlyMap<string, Candidate> => {
      const own = seen.filter(({ side, candidate }) => side === name && candidate.lookup !== undefined);
      return new Map(own.map(({ candidate }) => [candidate.id, candidate]));
    };
    const here = seenOn("source");
    const there = [...seenOn("target").values()].filter(({ id }) => !here.has(id));
    const source = await this.#then("source", [...here.values(), ...there]);
    const alone = there.filter(({ id }) => !source.has(id));
    const target = await this.#then("target", [...here.values(), ...alone]);
    const keyed = [
      ...[...here.values()].filter(({ id }) => source.has(id)),
      ...alone.filter(({ id }) => target.has(id)),
    ];
    const found = new Set([...keyed, ...there.filter(({ id }) => source.has(id))].map(({ id }) => id));
    const digested = new Map<string, Candidate>();
    for (const { candidate, digest } of seen) {
      if (candidate.lookup !== undefined && found.has(candidate.id)) continue;
      digested.set(digest, { id: digest, lookup: undefined });
    }
    const { openedMs: atMs } = this.#context.sides.target;
    return { keyed, digested: [...digested.values()], scanned: { source, target, atMs } };
  }

  /** Whether a server has said which rows are in the buckets that are read again. */
  get isChosenByServers(): boolean {
    const { sides, choice } = this.#rereads;
    return choice !== undefined && Object.values(sides).some(({ digests }) => digests !== undefined);
  }

  byKey(
    name: SideName,
    snapshot: Snapshot,
    candidates: readonly Candidate[],
  ): Promise<ReadonlyMap<string, RowState>> {
    return statesByKey(this.#reading(name), snapshot, candidates, this.#context.signal);
  }

  byDigest(
    name: SideName,
    { snapshot, isWhole }: { readonly snapshot: Snapshot; readonly isWhole: boolean },
    candidates: readonly Candidate[],
  ): Promise<ReadonlyMap<string, RowState>> {
    const { sides, choice } = this.#rereads;
    const digested = isWhole || choice === undefined ? {} : partOf({ ...choice, side: sides[name] });
    const part = { ...digested, partition: WHOLE };
    return statesByDigest(this.#reading(name), { snapshot, part }, candidates, this.#context.signal);
  }

  /** Reads what a side has at this moment. */
  async now<Result>(name: SideName, read: (snapshot: Snapshot) => Promise<Result>): Promise<Result> {
    const { source, sessions } = this.#context.sides[name];
    const { table } = this.#rereads.sides[name];
    return await sessions.run(async () => {
      const request = { taskId: "validate", tables: [table], anchor: "none", sessions: 1 } as const;
      await using snapshot = await source.openSnapshot(request, this.#context.signal);
      return await read(snapshot);
    });
  }

  /** What a side had in the snapshot that was scanned. */
  async #then(name: SideName, candidates: readonly Candidate[]): Promise<ReadonlyMap<string, RowState>> {
    if (candidates.length === 0) return new Map();
    const { snapshot, sessions } = this.#context.sides[name];
    return await sessions.run(() => this.byKey(name, snapshot, candidates));
  }

  #reading(name: SideName): { table: ComparedTable; side: ComparedSide; withValues: boolean } {
    const side = this.#rereads.sides[name];
    return { table: this.#table, side, withValues: this.#context.withValues };
  }
}
