import assert from "node:assert/strict";
import { test } from "node:test";
import { Rereads } from "./rereads.ts";

test("a table is read again ten times, and others are counted for themselves", () => {
  const rereads = new Rereads();
  const granted = Array.from({ length: 12 }, () => rereads.grant({ schema: "s", name: "t" }));
  assert.deepEqual(granted, [...Array(10).fill(true), false, false]);
  assert.equal(rereads.grant({ schema: "s", name: "u" }), true);
  const few = new Rereads();
  assert.deepEqual(
    [1, 2, 3].map(() => few.grant({ schema: "s", name: "t" }, 2)),
    [true, true, false],
  );
});
