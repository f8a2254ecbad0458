import type { OtherWriter, WriterWatch } from "../../../core/other-writer.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import { type OwnWrites, ownWrites } from "./own-writes.ts";
import type { Account, SeenCounts, StatedWriter, TableCount, WriterServer } from "./writer-server.ts";

/** How often the server's counters are read. */
const COUNTED_EVERY_MS = 5_000;
/** Between two looks that are further apart another program of Tideway's may have come and gone unseen. */
const LOOKS_APART_MS = 5_000;
/** For so long a statement waits for the server's counters to show that it has written. */
const STATED_MS = 20_000;

/** What was known of a table when its counter was read. */
interface Counted extends TableCount {
  readonly atMs: number;
  readonly accounts: SeenCounts["accounts"];
}

/** A table that the server passes writes on to is looked at again after so long: to ask what it does costs something. */
const PASSED_BY_MS = 20_000;

/** A writer by a statement's text, who is told when the table is written to, whoever that shows by. */
interface Candidate {
  readonly writer: OtherWriter;
  readonly shownBy: StatedWriter["shownBy"];
  /** Before the statement; undefined where it was not known. */
  readonly before: TableCount | undefined;
  readonly untilMs: number;
}

/** A table whose counter has grown while nothing of Tideway's wrote to it. */
interface Grown {
  readonly before: Counted;
  readonly now: Counted;
}

/**
 * Who writes is seen in three ways (docs/decisions/039): transactions that are open show whoever has written in them. Statements
 * show who may have written, and count once the table's counter has grown. A counter that has grown while nothing of Tideway's
 * wrote to the table, nor to one that the server passes writes on from, shows that somebody has, if nobody is known.
 */
export class ServerWriters implements WriterWatch {
  readonly #tables: readonly TableId[];
  readonly #server: WriterServer;
  readonly #own: Pick<OwnWrites, "lastMs" | "lastOfAllMs">;
  readonly #counted = new Map<string, Counted>();
  /** As they were known before the last look at sessions: no statement that is seen now was counted in them. */
  #before: ReadonlyMap<string, TableCount> = new Map();
  #candidates = new Map<string, Candidate>();
  /** Users who are known to have written, by table. */
  readonly #named = new Map<string, Set<string | null>>();
  /** Until when tables are not looked at that the server passes writes on to. */
  readonly #passedByMs = new Map<string, number>();
  #countAtMs = -Infinity;
  #lookedAtMs = -Infinity;
  /** When another program of Tideway's may have written last. */
  #othersAtMs = performance.now();

  constructor(
    tables: readonly TableId[],
    server: WriterServer,
    own: Pick<OwnWrites, "lastMs" | "lastOfAllMs"> = ownWrites,
  ) {
    this.#tables = tables;
    this.#server = server;
    this.#own = own;
  }

  async look(signal: AbortSignal): Promise<readonly OtherWriter[]> {
    if (this.#tables.length === 0) return [];
    // Counters first: a statement that they have missed is seen by the look at sessions that follows.
    const seen = await this.#count(signal);
    const { writing, stating, othersOfTideway } = await this.#server.sessions(signal);
    const nowMs = performance.now();
    if (othersOfTideway || nowMs - this.#lookedAtMs > LOOKS_APART_MS) this.#othersAtMs = nowMs;
    this.#lookedAtMs = nowMs;
    for (const writer of writing) this.#name(writer);
    const found = [...writing, ...this.#stated([...stating, ...(seen?.stating ?? [])])];
    for (const writer of found) this.#name(writer);
    this.#before = new Map(this.#counted);
    const unknown = seen === undefined ? [] : await this.#unknown(seen.grown, seen.lagMs, signal);
    return [...found, ...unknown];
  }

  async #count(
    signal: AbortSignal,
  ): Promise<(SeenCounts & { readonly grown: readonly Grown[] }) | undefined> {
    const atMs = performance.now();
    if (atMs - this.#countAtMs < COUNTED_EVERY_MS) return undefined;
    this.#countAtMs = atMs;
    const wanted = [...this.#candidates.values()].map(({ writer }) => writer.table);
    const seen = await this.#server.counts(wanted, signal);
    const grown: Grown[] = [];
    for (const one of seen.counts) {
      const key = tableKey(one.table);
      const before = this.#counted.get(key);
      const now = { ...one, atMs, accounts: seen.accounts };
      this.#counted.set(key, now);
      if (before !== undefined && before.identity !== null && hasGrown(before, now)) {
        grown.push({ before, now });
      }
    }
    return { ...seen, grown };
  }

  #name({ table, user }: OtherWriter): void {
    const key = tableKey(table);
    this.#named.set(key, (this.#named.get(key) ?? new Set()).add(user));
  }

  /** Those of whom a statement has been seen, and whose table has been written to since. */
  #stated(stating: readonly StatedWriter[]): readonly OtherWriter[] {
    const found: OtherWriter[] = [];
    const nowMs = performance.now();
    for (const stated of stating) {
      const writer = { ...stated.writer, isStated: true } as const;
      const { shownBy } = stated;
      const { table, session, user, address, application } = writer;
      // By a session more is known of who writes.
      if (session === null && this.#named.get(tableKey(table))?.has(user) === true) continue;
      if (shownBy === "itself") found.push(writer);
      const key = JSON.stringify([tableKey(table), user, address, application, shownBy]);
      const before = this.#before.get(tableKey(table));
      if (this.#candidates.get(key)?.before === undefined) {
        this.#candidates.set(key, { writer, shownBy, before, untilMs: nowMs + STATED_MS });
      }
    }
    for (const [key, candidate] of this.#candidates) {
      const { writer, untilMs } = candidate;
      const hasWritten = showsWriter(candidate, this.#counted.get(tableKey(writer.table)));
      if (hasWritten) found.push(writer);
      if (hasWritten || nowMs > untilMs) this.#candidates.delete(key);
    }
    return found;
  }

  async #unknown(
    grown: readonly Grown[],
    lagMs: number,
    signal: AbortSignal,
  ): Promise<readonly OtherWriter[]> {
    const awaited = new Set([...this.#candidates.values()].map(({ writer }) => tableKey(writer.table)));
    const suspects = grown.filter(({ before }) => {
      const key = tableKey(before.table);
      if (
        this.#named.has(key) ||
        awaited.has(key) ||
        before.atMs < (this.#passedByMs.get(key) ?? -Infinity)
      ) {
        return false;
      }
      return this.#isQuiet(before.table, before, lagMs);
    });
    if (suspects.length === 0) return [];
    const { acting, passedOn } = await this.#server.effects(signal);
    return suspects.flatMap(({ before, now }) => {
      const isQuiet = (table: TableId): boolean =>
        [table, ...waysTo(table, passedOn)].every((one) => this.#isQuiet(one, before, lagMs));
      const nothingActs =
        acting === undefined ? this.#own.lastOfAllMs() < before.atMs - lagMs : acting.every(isQuiet);
      if (nothingActs && isQuiet(before.table)) return [unknownWriter(before, now)];
      this.#passedByMs.set(tableKey(before.table), performance.now() + PASSED_BY_MS);
      return [];
    });
  }

  /** Whether nothing of Tideway's that was written to a table can be in what was counted since a moment. */
  #isQuiet(table: TableId, { atMs }: Counted, lagMs: number): boolean {
    const fromMs = atMs - lagMs;
    return this.#othersAtMs < fromMs && this.#own.lastMs(table) < fromMs;
  }
}

function showsWriter({ before, shownBy }: Candidate, now: TableCount | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  if (shownBy === "count") return hasGrown(before, now);
  return before.identity !== null && now.identity !== null && before.identity !== now.identity;
}

/** One that was not there has been made since, and began at 0. */
function hasGrown(before: TableCount, now: TableCount): boolean {
  return now.count > before.count && (before.identity === null || before.identity === now.identity);
}

/** Tables that the server passes writes on from to this one. */
function waysTo(table: TableId, passedOn: readonly (readonly [TableId, TableId])[]): readonly TableId[] {
  const reached = new Set([tableKey(table)]);
  const ways: TableId[] = [];
  // A set is iterated over what is added meanwhile, too.
  for (const key of reached) {
    for (const [from, to] of passedOn) {
      if (tableKey(to) !== key || reached.has(tableKey(from))) continue;
      reached.add(tableKey(from));
      ways.push(from);
    }
  }
  return ways;
}

function unknownWriter(before: Counted, now: Counted): OtherWriter {
  const written = [...now.accounts].filter(([account, count]) => count > (before.accounts.get(account) ?? 0));
  const [only] = written.length === 1 ? written[0]! : [];
  return {
    ...{ table: now.table, session: null, prepared: null, user: null, address: null, application: null },
    counted: {
      rows: now.isOfRows ? now.count - before.count : null,
      withinMs: performance.now() - before.atMs,
      onlyAccount: only === undefined ? null : (JSON.parse(only) as Account),
    },
  };
}
