import assert from "node:assert/strict";
import { test } from "node:test";
import { lsnCodec } from "../catalog/lsn.ts";
import { beginOf, logName, parseHistory, parseLogName, partedLogs } from "./source-log.ts";

const at = lsnCodec.parse;

test("a history tells where each earlier timeline was left", () => {
  const text =
    "1\t0/3000158\tno recovery target specified\n\n# a comment\n 2\t16/B374D848\tbefore 2026-01-31 12:00:00+00\n";
  assert.deepEqual(
    [...parseHistory(text)],
    [
      [1, at("0/3000158")],
      [2, at("16/B374D848")],
    ],
  );
  assert.equal(parseHistory("").size, 0);
});

test("a timeline begins where the one before it was left", () => {
  const history = parseHistory("1\t0/100\tx\n3\t0/200\tx\n");
  assert.deepEqual(
    [1, 3, 4].map((timeline) => beginOf(timeline, history)),
    [undefined, at("0/100"), at("0/200")],
  );
  assert.equal(beginOf(1, new Map()), undefined);
});

test("a log's name is read as it was written", () => {
  for (const name of ["7714083397131343839/1", "7714083397131343839/12/16/B374D848"]) {
    assert.equal(logName(parseLogName(name)), name);
  }
  assert.deepEqual(parseLogName("7/2/0/100"), { system: "7", timeline: 2, begin: at("0/100") });
  assert.deepEqual(parseLogName("7/2"), { system: "7", timeline: 2, begin: undefined });
});

test("two logs are the same up to where the timeline of the one was left by the other", () => {
  const history = parseHistory("1\t0/100\tx\n2\t0/200\tx\n");
  const now = { system: "7", timeline: 3, begin: beginOf(3, history), end: at("0/300"), history };
  const code = (known: string | undefined, reached: string): string | undefined =>
    partedLogs(known === undefined ? undefined : parseLogName(known), now, at(reached))?.code;
  assert.equal(code("7/3", "0/300"), undefined);
  assert.equal(code("7/3", "0/301"), "source.set_back");
  assert.equal(code("7/2", "0/200"), undefined);
  // The source has come further itself, but with other changes.
  assert.equal(code("7/2", "0/201"), "source.set_back");
  assert.equal(code("7/1", "0/100"), undefined);
  assert.equal(code("7/1", "0/101"), "source.set_back");
  // A server that was promoted as well, or the primary of before.
  assert.equal(code("7/4", "0/50"), "source.other_server");
  assert.equal(code("8/3", "0/50"), "source.other_server");
  // Another server that took the same number, for itself or for one that this comes from.
  assert.equal(code("7/3/0/200", "0/300"), undefined);
  assert.equal(code("7/3/0/201", "0/300"), "source.other_server");
  assert.equal(code("7/2/0/100", "0/200"), undefined);
  assert.equal(code("7/2/0/FF", "0/200"), "source.other_server");
  // What an earlier version has left.
  assert.equal(code(undefined, "0/300"), undefined);
  assert.equal(code(undefined, "0/301"), "source.set_back");
});
