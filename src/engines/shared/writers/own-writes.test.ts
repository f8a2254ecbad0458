import assert from "node:assert/strict";
import { test } from "node:test";
import { OwnWrites } from "./own-writes.ts";

const a = { schema: "public", name: "a" };
const b = { schema: "public", name: "b" };

test("a table is being written to while a write of it is under way, and was written to at its end", () => {
  const writes = new OwnWrites();
  assert.equal(writes.lastMs(a), -Infinity);
  const write = writes.begin([]);
  assert.equal(writes.lastMs(a), -Infinity);
  write.add({ schema: "public", name: "A" });
  assert.equal(writes.lastMs(a), Infinity);
  assert.equal(writes.lastMs(b), -Infinity);
  const beforeMs = performance.now();
  write[Symbol.dispose]();
  const lastMs = writes.lastMs(a);
  assert.ok(lastMs >= beforeMs && lastMs <= performance.now());
  write[Symbol.dispose]();
  assert.equal(writes.lastMs(a), lastMs);
  assert.equal(writes.lastMs(b), -Infinity);
  assert.equal(writes.lastOfAllMs(), lastMs);
});

test("work that may write to anything writes to every table, also when it fails", async () => {
  const writes = new OwnWrites();
  const failed = writes.during(async () => {
    assert.equal(writes.lastMs(a), Infinity);
    assert.equal(writes.lastOfAllMs(), Infinity);
    throw new Error("failed");
  });
  await assert.rejects(failed, /failed/);
  assert.ok(Number.isFinite(writes.lastMs(a)));
  assert.equal(writes.lastMs(a), writes.lastMs(b));
});

test("a write that follows another one may keep the server from counting it", () => {
  const writes = new OwnWrites();
  writes.begin([a])[Symbol.dispose]();
  const long = writes.begin([b]);
  assert.equal(writes.lastMs(a), Infinity);
  long[Symbol.dispose]();
  assert.ok(Number.isFinite(writes.lastMs(a)));
});

test("what was written before a long transaction counts as written at its end", (context) => {
  let nowMs = 100_000;
  context.mock.method(performance, "now", () => nowMs);
  const writes = new OwnWrites();
  writes.begin([a])[Symbol.dispose]();
  nowMs += 20_000;
  writes.begin([b])[Symbol.dispose]();
  nowMs += 100;
  const long = writes.begin([]);
  nowMs += 60_000;
  assert.equal(writes.lastMs(a), 100_000);
  assert.equal(writes.lastMs(b), Infinity);
  long[Symbol.dispose]();
  assert.equal(writes.lastMs(a), 100_000);
  assert.equal(writes.lastMs(b), nowMs);
});
