import assert from "node:assert/strict";
import { test } from "node:test";
import { Rereads } from "./rereads.ts";

test("a table is read again ten times, and others are counted for themselves", () => {
  const rereads = new Rereads();
  const granted = Array.from({ length: 12 }, () => rereads.grant({ schema: "s", name: "t" }));
  assert.deepEqual(granted, [...Array(10).fill(true), false, false]);
  assert.equal(rereads.grant({ schema: "s", name: "u" }), true);
});

test("a table that is forgotten has all its chances again", () => {
  const rereads = new Rereads(2);
  const grants = (): readonly boolean[] => [1, 2, 3].map(() => rereads.grant({ schema: "s", name: "t" }));
  assert.deepEqual(grants(), [true, true, false]);
  rereads.forget({ schema: "s", name: "t" });
  assert.deepEqual(grants(), [true, true, false]);
});
