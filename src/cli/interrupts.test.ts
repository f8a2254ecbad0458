import assert from "node:assert/strict";
import { test } from "node:test";
import { onInterrupt } from "./interrupts.ts";

test("the first Ctrl-C stops in order, its echo is ignored, the next one ends", (context) => {
  const nowMs = context.mock.method(performance, "now", () => 1000);
  const calls: string[] = [];
  using _listening = onInterrupt(
    () => calls.push("first"),
    () => calls.push("second"),
  );
  process.emit("SIGINT");
  nowMs.mock.mockImplementation(() => 1100);
  process.emit("SIGINT");
  assert.deepEqual(calls, ["first"]);
  nowMs.mock.mockImplementation(() => 2000);
  process.emit("SIGTERM");
  assert.deepEqual(calls, ["first", "second"]);
});

test("nothing listens any more after disposal", () => {
  const before = process.listenerCount("SIGINT");
  {
    using _listening = onInterrupt(
      () => undefined,
      () => undefined,
    );
    assert.equal(process.listenerCount("SIGINT"), before + 1);
  }
  assert.equal(process.listenerCount("SIGINT"), before);
});
