import assert from "node:assert/strict";
import { test } from "node:test";
import type { PositionCodec } from "../core/position.ts";
import { parseStopPosition } from "./stop-rule.ts";

const codec: PositionCodec = {
  parse: (text) => ({ kind: "pg-lsn", text }),
  compare: (a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0),
};

test("DMS's two timed forms are read as UTC", () => {
  const timeMs = Date.UTC(2018, 1, 9, 12, 12, 12);
  assert.deepEqual(parseStopPosition("server_time:2018-02-09T12:12:12", codec), {
    kind: "server-time",
    timeMs,
  });
  assert.deepEqual(parseStopPosition("commit_time: 2018-02-09T12:12:12", codec), {
    kind: "commit-time",
    timeMs,
  });
});

test("anything else is a position of the source's log", () => {
  assert.deepEqual(parseStopPosition("16/B374D848", codec), {
    kind: "position",
    position: { kind: "pg-lsn", text: "16/B374D848" },
  });
});

test("no stop position means never, and a malformed time is refused", () => {
  assert.deepEqual(parseStopPosition(undefined, codec), { kind: "never" });
  assert.deepEqual(parseStopPosition("", codec), { kind: "never" });
  for (const bad of ["commit_time:yesterday", "server_time:2018-13-40T99:99:99", "commit_time:1"]) {
    assert.throws(() => parseStopPosition(bad, codec), { code: "position.malformed" });
  }
});
