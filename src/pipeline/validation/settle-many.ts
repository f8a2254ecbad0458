import { type Candidate, NO_ROWS, type RowState } from "./candidate.ts";
import type { SideName } from "./compared-side.ts";
import { type DigestAmount, DigestParts, numbersOf, numbersPayload } from "./digest-parts.ts";
import { type DigestSieve, sieveOf } from "./digest-sieve.ts";
import { FollowedRow, type Settled } from "./followed-row.ts";
import { isLateAfter } from "./settle.ts";
import type { TargetPlace } from "./target-place.ts";

/**
 * Reads what a side has now of rows that a sieve lets pass: a record for each, with what is to be shown of it. They have as
 * many parts as are said.
 */
export type ReadDigests = (
  side: SideName,
  sieved: { readonly sieve: DigestSieve; readonly amount: DigestAmount },
) => Promise<DigestParts>;

export interface SettleManyContext {
  readonly read: ReadDigests;
  readonly place: TargetPlace;
  readonly signal: AbortSignal;
  /** How so many are settled as memory holds. */
  readonly few: (candidates: readonly Candidate[]) => AsyncIterable<Settled>;
  /** performance.now() when left out. */
  readonly clock?: () => number;
}

/** When rounds have ended, and what was known by then. */
interface PastRound {
  readonly nowMs: number;
  readonly turns: number | undefined;
  readonly isLate: boolean;
}

/** What both sides have of all rows in a round. */
interface RoundReads {
  readonly before: DigestParts;
  readonly target: DigestParts;
  readonly after: DigestParts;
}

/**
 * Decides as settle() does about rows without a key of which there may be more than memory holds. `candidates`: a record for each; they
 * are disposed of.
 */
export async function* settleMany(
  candidates: DigestParts,
  context: SettleManyContext,
): AsyncGenerator<Settled> {
  using open = new DisposableStack();
  open.use(candidates);
  const areMany = candidates.count > candidates.amount.atOnce;
  const left = areMany ? yield* settleInRounds({ candidates, open }, context) : candidates;
  const last = [...candidatesOf(left)];
  left[Symbol.dispose]();
  if (last.length > 0) yield* context.few(last);
}

interface OpenCandidates {
  readonly candidates: DigestParts;
  /** Takes what is to be disposed of in the end. */
  readonly open: DisposableStack;
}

/** Each round reads both sides once for all rows; what they had in each is kept with them. Returns the last, which are few enough. */
async function* settleInRounds(
  { candidates, open }: OpenCandidates,
  { read, place, signal, clock = () => performance.now() }: SettleManyContext,
): AsyncGenerator<Settled, DigestParts> {
  let followed = candidates;
  const { amount } = candidates;
  const { atOnce } = amount;
  const startedMs = clock();
  const past: PastRound[] = [];
  const sieve = sieveOf(candidates);
  let before = open.use(await read("source", { sieve, amount }));
  for (;;) {
    await place.passed(signal);
    using target = await read("target", { sieve, amount });
    const after = open.use(await read("source", { sieve, amount }));
    const nowMs = clock();
    const isLate = isLateAfter(past.length + 1, nowMs - startedMs);
    past.push({ nowMs, turns: place.turns, isLate });
    const left = open.use(new DigestParts(amount));
    for (let part = 0; part < followed.parts; part++) {
      yield* settlePart(part, { followed, left, past, reads: { before, target, after } }, place);
    }
    followed[Symbol.dispose]();
    before[Symbol.dispose]();
    if (left.count <= atOnce) return left;
    followed = left;
    before = after;
  }
}

/** `candidates`: a record for each. */
function* candidatesOf(candidates: DigestParts): Generator<Candidate> {
  for (let part = 0; part < candidates.parts; part++) {
    for (const { digest } of candidates.part(part)) yield { id: digest, lookup: undefined };
  }
}

interface FollowedPart {
  /** With the rows that the source, the target and the source again had in each round before. */
  readonly followed: DigestParts;
  /** Takes those that have to be looked at again, with this round. */
  readonly left: DigestParts;
  readonly past: readonly PastRound[];
  readonly reads: RoundReads;
}

function* settlePart(
  part: number,
  { followed, left, past, reads }: FollowedPart,
  place: TargetPlace,
): Generator<Settled> {
  const histories = new Map<string, number[]>();
  for (const { digest, payload } of followed.part(part)) histories.set(digest, numbersOf(payload));
  const before = new PartStates(reads.before, part, histories);
  const target = new PartStates(reads.target, part, histories);
  const after = new PartStates(reads.after, part, histories);
  const now = past.at(-1)!;
  for (const [id, history] of histories) {
    const row = new FollowedRow({ id, lookup: undefined });
    for (let round = 0; round < past.length - 1; round++) {
      const [had, there, then] = history.slice(3 * round, 3 * round + 3).map(stateOfCount);
      row.round({ before: had!, target: there!, after: then!, ...past[round]! });
    }
    const states = { before: before.of(id), target: target.of(id), after: after.of(id) };
    row.round({ ...states, ...now });
    const verdict = row.verdict(place, now);
    if (verdict !== undefined) {
      yield row.settled(verdict, place, now.nowMs);
      continue;
    }
    history.push(states.before.rows, states.target.rows, states.after.rows);
    left.add(id, numbersPayload(history));
  }
}

/** What was read of the rows of a part that are followed. */
class PartStates {
  readonly #counts = new Map<string, number>();
  /** Where values are told. */
  readonly #payloads = new Map<string, Buffer>();

  constructor(reads: DigestParts, part: number, followed: ReadonlyMap<string, unknown>) {
    for (const { digest, payload } of reads.part(part)) {
      if (!followed.has(digest)) continue;
      const count = this.#counts.get(digest) ?? 0;
      this.#counts.set(digest, count + 1);
      if (count === 0 && payload.length > 0) this.#payloads.set(digest, payload);
    }
  }

  of(digest: string): RowState {
    const state = stateOfCount(this.#counts.get(digest) ?? 0);
    const payload = this.#payloads.get(digest);
    return payload === undefined ? state : { ...state, values: JSON.parse(payload.toString("utf8")) };
  }
}

const ONE_ROW: RowState = { rows: 1, text: "1", prints: undefined, values: undefined };

function stateOfCount(rows: number): RowState {
  if (rows === 0) return NO_ROWS;
  return rows === 1 ? ONE_ROW : { ...ONE_ROW, rows, text: String(rows) };
}

/** Of one row, in the order of the compared columns; nothing where values are not told. */
export function shownPayload(values: readonly (string | null)[]): Buffer {
  return Buffer.from(JSON.stringify(values));
}
