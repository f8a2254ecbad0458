import { Backoff, pause } from "../../base/backoff.ts";
import { asMigrationError } from "../../core/error.ts";
import { isWrittenAlike } from "../../core/row-digest.ts";
import type { Snapshot } from "../../core/source.ts";
import { WHOLE } from "../whole-table.ts";
import { partOf, type WantedBuckets } from "./add-rows.ts";
import type { Candidate, RowState } from "./candidate.ts";
import { askedRows, type ComparedSide, type RowPart, type SideName } from "./compared-side.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { DigestParts } from "./digest-parts.ts";
import { digestsOfRows, type SievedDigests, statesByDigest, statesByKey } from "./read-states.ts";
import { shownValues } from "./row-reader.ts";
import type { SideRow } from "./rows-of-keys.ts";
import { shownPayload } from "./settle-many.ts";
import type { ValidatedSide, ValidationContext } from "./validation-context.ts";

/** Both servers have worked, as the table was scanned: half a minute, and then somebody is to know. */
const RETRIES = { retries: 6, firstDelayMs: 500, doubling: true, longestDelayMs: 10_000 };

/** How rows of a table are read again. */
export interface Rereads {
  readonly sides: Readonly<Record<SideName, ComparedSide>>;
  /** The buckets in which rows without a key are looked for; undefined for all of the table. */
  readonly choice: WantedBuckets | undefined;
  /** How many rows are looked for at most, more or less. */
  readonly rows: number;
}

export interface RereadContext extends Pick<ValidationContext, "withValues" | "signal"> {
  readonly sides: Readonly<Record<SideName, Pick<ValidatedSide, "source" | "sessions">>>;
}

/** Reads rows of a table again. */
export class StateReads {
  readonly #table: ComparedTable;
  readonly #rereads: Rereads;
  readonly #context: RereadContext;

  constructor(table: ComparedTable, rereads: Rereads, context: RereadContext) {
    this.#table = table;
    this.#rereads = rereads;
    this.#context = context;
  }

  /** Whether a row may be in a bucket that is not read again: a server says which rows are in these, by another text perhaps. */
  get mayMissRows(): boolean {
    const { sides, choice } = this.#rereads;
    if (choice === undefined || this.#table.columns.every(({ form }) => isWrittenAlike(form))) return false;
    return Object.values(sides).some(({ digests }) => digests !== undefined);
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
    const part = this.#part(name, isWhole);
    return statesByDigest(this.#reading(name), { snapshot, part }, candidates, this.#context.signal);
  }

  /** What a side has now of rows that a sieve lets pass, wherever they are; each with its values where these are told. */
  digests(name: SideName, sieved: Omit<SievedDigests, "payload">): Promise<DigestParts> {
    const { withValues } = this.#context;
    const payload = ({ canonical, rows, row }: SideRow): Buffer | undefined =>
      withValues ? shownPayload(shownValues(canonical, { rows, row })) : undefined;
    return this.rows(name, { ...sieved, payload });
  }

  /** As digests(), with something else that is kept of each row. */
  rows(name: SideName, sieved: SievedDigests): Promise<DigestParts> {
    const part = this.#part(name, this.mayMissRows);
    const side = this.#rereads.sides[name];
    return this.now(name, (snapshot) =>
      digestsOfRows(side, { snapshot, part }, sieved, this.#context.signal),
    );
  }

  /** How many rows a side has now. */
  count(name: SideName): Promise<number> {
    const side = this.#rereads.sides[name];
    const request = { ...askedRows(side), partition: WHOLE, columns: [] };
    return this.now(name, async (snapshot) => {
      const { rows } = await snapshot.totals(request, this.#context.signal);
      return rows;
    });
  }

  /**
   * Reads what a side has at this moment; `read` may be called several times: a connection that is lost meanwhile costs
   * what was read, and no more.
   */
  async now<Result>(name: SideName, read: (snapshot: Snapshot) => Promise<Result>): Promise<Result> {
    const { signal } = this.#context;
    const backoff = new Backoff(RETRIES);
    for (;;) {
      try {
        return await this.once(name, read);
      } catch (error) {
        signal.throwIfAborted();
        const delayMs = asMigrationError(error).retry === "never" ? undefined : backoff.failed();
        if (delayMs === undefined) throw error;
        await pause(delayMs, signal);
      }
    }
  }

  /** As now(), for a `read` that must not be called again. */
  async once<Result>(name: SideName, read: (snapshot: Snapshot) => Promise<Result>): Promise<Result> {
    const { sides, signal } = this.#context;
    const { source, sessions } = sides[name];
    const { table } = this.#rereads.sides[name];
    return await sessions.run(async () => {
      const request = { taskId: "validate", tables: [table], anchor: "none", sessions: 1 } as const;
      await using snapshot = await source.openSnapshot(request, signal);
      return await read(snapshot);
    });
  }

  #part(name: SideName, isWhole: boolean): RowPart {
    const { sides, choice } = this.#rereads;
    const digested = isWhole || choice === undefined ? {} : partOf(sides[name], choice);
    return { ...digested, partition: WHOLE };
  }

  #reading(name: SideName): { table: ComparedTable; side: ComparedSide; withValues: boolean } {
    const side = this.#rereads.sides[name];
    return { table: this.#table, side, withValues: this.#context.withValues };
  }
}
