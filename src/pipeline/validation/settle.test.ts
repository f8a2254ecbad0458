import assert from "node:assert/strict";
import { test } from "node:test";
import { type Candidate, NO_ROWS, type RowState } from "./candidate.ts";
import type { Settled } from "./followed-row.ts";
import { type SettleContext, settle } from "./settle.ts";

/** A row with the values at a moment; undefined for none. */
type History = (moment: number) => readonly string[] | undefined;

interface Row {
  readonly source: History;
  /** Left out: the source's, some moments late. */
  readonly target?: History;
}

/** Settles rows of which each reading sees a later moment, and the target passes what the source had when it is waited for. */
async function settled(rows: Readonly<Record<string, Row>>, late = 5): Promise<ReadonlyMap<string, Settled>> {
  let moment = 0;
  let passed = 0;
  const candidates = Object.keys(rows).map((id): Candidate => ({ id, lookup: undefined }));
  const stateAt = (history: History, at: number): RowState => {
    const values = history(at);
    return values === undefined ? NO_ROWS : { rows: 1, text: JSON.stringify(values), prints: values, values };
  };
  const place = {
    begin: async () => undefined,
    passed: async () => {
      passed = moment;
      moment += late + 1;
    },
    decides: ({ rounds }: { readonly rounds: number }) => rounds >= 6,
  };
  const found = settle(candidates, {
    place,
    signal: new AbortController().signal,
    read: async (side, some) => {
      moment++;
      const at = side === "source" ? moment : Math.max(passed, moment - late);
      const states = some.map(({ id }) => {
        const { source, target = source } = rows[id]!;
        return [id, stateAt(side === "source" ? source : target, at)] as const;
      });
      return new Map(states.filter(([, { rows: count }]) => count > 0));
    },
  });
  const all = new Map<string, Settled>();
  for await (const one of found) all.set(one.candidate.id, one);
  return all;
}

test("rows that come late are the same, whatever is done to them meanwhile", async () => {
  const rows: Readonly<Record<string, Row>> = {
    quiet: { source: () => ["1", "a"] },
    late: { source: (at) => ["1", at < 20 ? "a" : "b"] },
    inserted: { source: (at) => (at < 10 ? undefined : ["1"]) },
    deleted: { source: (at) => (at < 10 ? ["1"] : undefined) },
    toggled: { source: (at) => ["1", (at * 2654435761) % 7 < 3 ? "on" : "off"] },
    counted: { source: (at) => ["1", String(Math.floor(at / 3))] },
    hot: { source: (at) => ["1", String(at)] },
  };
  for (const late of [2, 5, 40]) {
    const found = await settled(rows, late);
    for (const [id, { verdict }] of found) assert.equal(verdict, "same", id);
    assert.equal(found.size, 7);
  }
});

test("rows that differ are found, with the columns that stay other", async () => {
  const found = await settled({
    missing: { source: () => ["1"], target: () => undefined },
    extra: { source: () => undefined, target: () => ["1"] },
    other: { source: () => ["1", "a", "x"], target: () => ["1", "b", "x"] },
  });
  assert.deepEqual(
    [...found].map(([id, { verdict, columns }]) => [id, verdict, columns]),
    [
      ["missing", "different", []],
      ["extra", "different", []],
      ["other", "different", [1]],
    ],
  );
});

test("a row that is written all the time is different by a column that is not", async () => {
  const counter: History = (at) => ["1", String(at), "right"];
  const found = await settled({ hot: { source: counter, target: (at) => ["1", String(at), "wrong"] } });
  assert.equal(found.get("hot")?.verdict, "different");
  assert.deepEqual(found.get("hot")?.columns, [2]);
});

test("a row that the source deletes and makes again is missing where it never comes", async () => {
  const source: History = (at) => (at % 7 === 0 ? undefined : ["1", String(at)]);
  const found = await settled({ lost: { source, target: () => ["1", "stale"] } });
  assert.equal(found.get("lost")?.verdict, "different");
});

const one = (value: string): RowState => ({ rows: 1, text: value, prints: [value], values: undefined });

/** Decides by time on a clock of its own, of which each read takes a second. */
function timed(
  settleMs: number,
  isFollowed = false,
): Required<Pick<SettleContext, "place" | "clock">> & { tick(ms?: number): void } {
  let nowMs = 1_000_000;
  return {
    tick: (ms = 1_000) => {
      nowMs += ms;
    },
    clock: () => nowMs,
    place: {
      isFollowed,
      begin: async () => undefined,
      passed: async () => undefined,
      decides: ({ rounds, ms }) => rounds >= 2 && ms >= settleMs,
    },
  };
}

test("what a task has not brought since the scan needs no time to stay; what has changed since then does", async () => {
  const candidates = ["old", "new"].map((id): Candidate => ({ id, lookup: undefined }));
  const { tick, clock, place } = timed(5_000, true);
  let reads = 0;
  const found = settle(candidates, {
    ...{ place, clock },
    signal: new AbortController().signal,
    scanned: {
      source: new Map(candidates.map(({ id }) => [id, one("a")])),
      target: new Map([
        ["old", one("b")],
        ["new", one("x")],
      ]),
      atMs: clock() - 10_000,
    },
    read: async (side, some) => {
      tick();
      if (side === "target") reads++;
      return new Map(some.map(({ id }) => [id, one(side === "source" ? "a" : "b")]));
    },
  });
  const readsOf = new Map<string, number>();
  for await (const { candidate, verdict } of found) {
    assert.equal(verdict, "different");
    readsOf.set(candidate.id, reads);
  }
  assert.equal(readsOf.get("old"), 1);
  assert.ok(readsOf.get("new")! > 2);
});

test("where nothing tells how far the target is, what has differed in the scan has yet to stay", async () => {
  const { tick, clock, place } = timed(5_000);
  let sourceReads = 0;
  const found = settle([{ id: "row", lookup: undefined }], {
    ...{ place, clock },
    signal: new AbortController().signal,
    // An hour ago the target was late with the same change as now.
    scanned: {
      source: new Map([["row", one("b")]]),
      target: new Map([["row", one("a")]]),
      atMs: clock() - 3_600_000,
    },
    read: async (side) => {
      tick(500);
      if (side === "source") sourceReads++;
      return new Map([["row", one(side === "source" || sourceReads > 2 ? "b" : "a")]]);
    },
  });
  for await (const { verdict } of found) assert.equal(verdict, "same");
});

interface Moment {
  readonly source: string;
  readonly target: string;
}

/** Settles one row by time, of which the sides have something else each time that they are read. */
async function timedVerdict(readMs: number, at: (read: number) => Moment): Promise<Settled["verdict"]> {
  const { tick, clock, place } = timed(5_000);
  const reads = { source: 0, target: 0 };
  const found = settle([{ id: "row", lookup: undefined }], {
    ...{ place, clock },
    signal: new AbortController().signal,
    read: async (side) => {
      tick(readMs);
      return new Map([["row", one(at(reads[side]++)[side])]]);
    },
  });
  for await (const { verdict } of found) return verdict;
  throw new Error("the row has not been settled");
}

test("a difference that stays is one however long reading takes; a row of which nothing stays is undecided", async () => {
  assert.equal(await timedVerdict(45_000, () => ({ source: "a", target: "b" })), "different");
  const counted = (read: number): Moment => ({ source: `s${read}`, target: `t${read}` });
  assert.equal(await timedVerdict(45_000, counted), "undecided");
  assert.equal(await timedVerdict(1_000, counted), "undecided");
});

test("a row that is written all the time is the same where the target follows far behind", async () => {
  const behind = (reads: number) => (read: number) => ({ source: `v${read}`, target: `v${read - reads}` });
  assert.equal(await timedVerdict(1_000, behind(30)), "same");
  // It comes to one value that the source had, by chance, and to others that it had not.
  const strayed = (read: number): Moment => ({ source: `v${read}`, target: read === 12 ? "v3" : `t${read}` });
  assert.equal(await timedVerdict(1_000, strayed), "undecided");
});

test("a row is different when the source's stays and the target's never is as that", async () => {
  assert.equal(await timedVerdict(1_000, (read) => ({ source: "a", target: `t${read}` })), "different");
});

test("what the source had before does not make a row the same that has stayed behind", async () => {
  const moments = (read: number): Moment => {
    // The target gets the first value a round late, and the second one never.
    return { source: read === 0 ? "a" : "b", target: read === 0 ? "x" : "a" };
  };
  assert.equal(await timedVerdict(1_000, moments), "different");
});

test("rounds before and after it has become another way of knowing where the target is do not count together", async () => {
  const place = {
    turns: 0,
    passes: 0,
    begin: async () => undefined,
    passed: async () => {
      place.passes++;
      if (place.passes === 2) place.turns++;
    },
    decides: ({ rounds }: { readonly rounds: number }) => rounds >= 3,
  };
  const found = settle([{ id: "row", lookup: undefined }], {
    place,
    signal: new AbortController().signal,
    read: async (side) => new Map([["row", one(side)]]),
  });
  for await (const { verdict } of found) assert.equal(verdict, "different");
  assert.equal(place.passes, 4);
});
