import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../core/error.ts";
import { WriteQueue } from "./write-queue.ts";

function full(): MigrationError {
  return new MigrationError("server.store_full", { message: "full" });
}

test("what is told again while it waits is written once, in its place, as it was told last", async () => {
  const queue = new WriteQueue(() => undefined, { retryMs: 1, tellMs: 0 });
  const written: string[] = [];
  let isFull = true;
  const put = (key: string, value: number): void =>
    queue.put(key, async () => {
      if (isFull) throw full();
      written.push(`${key} ${value}`);
    });
  for (let i = 0; i < 1000; i++) for (const key of ["a", "b"]) put(key, i);
  isFull = false;
  await queue.settle();
  assert.deepEqual(written, ["a 999", "b 999"]);
  put("a", 1000);
  await queue.settle();
  assert.deepEqual(written.at(-1), "a 1000");
});

test("what is told again while it is written is written again", async () => {
  const queue = new WriteQueue(() => undefined);
  const written: number[] = [];
  queue.put("a", async () => {
    written.push(1);
    queue.put("a", async () => written.push(2));
  });
  await queue.settle();
  assert.deepEqual(written, [1, 2]);
});

test("a write that no waiting helps is given up and told, and the others follow", async () => {
  const logs: string[] = [];
  const queue = new WriteQueue((_level, message) => logs.push(message));
  const written: number[] = [];
  queue.put("a", () => Promise.reject(new RangeError("no")));
  queue.put("b", async () => written.push(1));
  await queue.settle();
  assert.deepEqual([logs, written], [["state not stored"], [1]]);
});

test("a disk that stays full is told once in a while, and once that there is space again", async () => {
  const lines = async (tellMs: number): Promise<readonly string[]> => {
    const logs: string[] = [];
    const queue = new WriteQueue((_level, message) => logs.push(message), { retryMs: 1, tellMs });
    let failures = 3;
    queue.put("a", async () => {
      if (failures-- > 0) throw full();
    });
    await queue.settle();
    return logs;
  };
  const waits = "states wait to be stored";
  assert.deepEqual(await lines(Infinity), [waits, "states are stored again"]);
  assert.deepEqual(await lines(0), [waits, waits, waits, "states are stored again"]);
});
