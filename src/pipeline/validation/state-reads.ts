import type { Snapshot } from "../../core/source.ts";
import { WHOLE } from "../whole-table.ts";
import { partOf, type WantedBuckets } from "./add-rows.ts";
import type { Candidate, RowState } from "./candidate.ts";
import type { ComparedSide, SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { SeenRow } from "./find-candidates.ts";
import { statesByDigest, statesByKey } from "./read-states.ts";
import { hasMore } from "./row-reader.ts";
import type { ScannedStates } from "./settle.ts";
import type { ValidationContext } from "./validation-context.ts";

/** How rows of a table are read again. */
export interface Rereads {
  readonly sides: Readonly<Record<SideName, ComparedSide>>;
  /** The buckets in which rows without a key are looked for; undefined for all of the table. */
  readonly choice: WantedBuckets | undefined;
}

interface SortedRows {
  readonly keyed: readonly Candidate[];
  readonly digested: readonly SeenRow[];
  /** What each side had of those with a key in the snapshots that were scanned. */
  readonly scanned: ScannedStates;
}

/** For counting: any hash would do. */
const TOGETHER = { hash: "md5", buckets: 1 } as const;

/** Reads rows of a table again. */
export class StateReads {
  readonly #table: ComparedTable;
  readonly #rereads: Rereads;
  readonly #context: ValidationContext;
  /** Keys of which a side had several rows when it was scanned, as far as they have been sorted. */
  readonly #several = new Set<string>();

  constructor(table: ComparedTable, rereads: Rereads, context: ValidationContext) {
    this.#table = table;
    this.#rereads = rereads;
    this.#context = context;
  }

  /**
   * Rows that can be looked up by their keys, which is tried where they were seen, and those that cannot. A row of the
   * target counts where it has too many of the key: else one of the source's is seen, too, perhaps in another bucket.
   */
  async sorted(seen: readonly SeenRow[]): Promise<SortedRows> {
    const seenOn = (name: SideName): ReadonlyMap<string, Candidate> => {
      const own = seen.filter(({ side, candidate }) => side === name && candidate.lookup !== undefined);
      return new Map(own.map(({ candidate }) => [candidate.id, candidate]));
    };
    const here = seenOn("source");
    const there = [...seenOn("target").values()].filter(({ id }) => !here.has(id));
    const all = [...here.values(), ...there];
    const source = await this.#then("source", all);
    const target = await this.#then("target", all);
    const keyed = [
      ...[...here.values()].filter(({ id }) => source.has(id)),
      ...there.filter(({ id }) => hasMore(target.get(id), source.get(id))),
    ].filter(({ id }) => this.#isNew(id, [source.get(id), target.get(id)]));
    const digested = seen.filter(({ side, candidate }) => {
      const isFound = (side === "source" ? source : target).has(candidate.id);
      return candidate.lookup === undefined || !isFound;
    });
    const { openedMs: atMs } = this.#context.sides.target;
    return { keyed, digested, scanned: { source, target, atMs } };
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
    const digested = isWhole || choice === undefined ? {} : partOf(sides[name], choice);
    const part = { ...digested, partition: WHOLE };
    return statesByDigest(this.#reading(name), { snapshot, part }, candidates, this.#context.signal);
  }

  /** How many rows a side has now. */
  count(name: SideName): Promise<number> {
    const side = this.#rereads.sides[name];
    const { signal } = this.#context;
    return this.now(name, async (snapshot) => {
      let rows = 0;
      if (side.digests === undefined) {
        for await (const chunk of side.read(snapshot, { partition: WHOLE }, signal)) {
          rows += chunk.rows;
          chunk.release?.();
        }
        return rows;
      }
      const filter = side.filter === undefined ? {} : { filter: side.filter };
      const columns = side.digests.slice(0, 1);
      const request = { ...filter, table: side.table, partition: WHOLE, columns, ...TOGETHER };
      for (const bucket of await snapshot.digests(request, signal)) rows += bucket.rows;
      return rows;
    });
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

  /** Several rows of one key are seen one by one, perhaps in different buckets. */
  #isNew(id: string, states: readonly (RowState | undefined)[]): boolean {
    if (states.every((state) => state === undefined || state.rows === 1)) return true;
    if (this.#several.has(id)) return false;
    this.#several.add(id);
    return true;
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
