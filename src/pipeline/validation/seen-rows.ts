import type { Candidate, RowState } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import type { SeenRow } from "./find-candidates.ts";
import { hasMore } from "./row-reader.ts";
import type { ScannedStates } from "./settle.ts";
import type { StateReads } from "./state-reads.ts";
import type { ValidationContext } from "./validation-context.ts";

interface SortedRows {
  readonly keyed: readonly Candidate[];
  readonly digested: readonly SeenRow[];
  /** What each side had of those with a key in the snapshots that were scanned. */
  readonly scanned: ScannedStates;
}

/** Sorts rows that were seen on one side alone by how they are looked for again. */
export class SeenRows {
  readonly #reads: StateReads;
  readonly #sides: ValidationContext["sides"];
  /** Keys of which a side had several rows when it was scanned, as far as they have been sorted; undefined where such come together. */
  readonly #several: Set<string> | undefined;

  /** `areTogether`: all that is seen of a key is sorted at once. */
  constructor(
    reads: StateReads,
    { sides, areTogether }: Pick<ValidationContext, "sides"> & { readonly areTogether: boolean },
  ) {
    this.#several = areTogether ? undefined : new Set();
    this.#reads = reads;
    this.#sides = sides;
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
    const { openedMs: atMs } = this.#sides.target;
    return { keyed, digested, scanned: { source, target, atMs } };
  }

  /** Several rows of one key may be seen one by one. */
  #isNew(id: string, states: readonly (RowState | undefined)[]): boolean {
    if (this.#several === undefined) return true;
    if (states.every((state) => state === undefined || state.rows === 1)) return true;
    if (this.#several.has(id)) return false;
    this.#several.add(id);
    return true;
  }

  /** What a side had in the snapshot that was scanned. */
  async #then(name: SideName, candidates: readonly Candidate[]): Promise<ReadonlyMap<string, RowState>> {
    if (candidates.length === 0) return new Map();
    const { snapshot, sessions } = this.#sides[name];
    return await sessions.run(() => this.#reads.byKey(name, snapshot, candidates));
  }
}
