import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamItem } from "../core/change-batch.ts";
import type { Position, PositionCodec } from "../core/position.ts";
import type { ChangeStream } from "../core/source.ts";
import type { Applier } from "../core/target.ts";
import { TableRules } from "./apply-modes.ts";
import { ChangeApply } from "./change-apply.ts";
import type { PipelineObserver } from "./observer.ts";

const at = (value: number): Position => ({ kind: "test", text: String(value) });
const codec: PositionCodec = {
  parse: (text) => ({ kind: "test", text }),
  compare: (a, b) => Math.sign(Number(a.text) - Number(b.text)) as -1 | 0 | 1,
};

const observer: PipelineObserver = {
  loadStarted() {},
  loadMoved() {},
  loadFinished() {},
  building() {},
  tableFailed() {},
  finding() {},
  captured() {},
  applied() {},
  durable() {},
};

/** A log without changes that says how far it is when it is asked. */
class QuietStream implements ChangeStream {
  end = 0;
  #asked = Promise.withResolvers<void>();

  confirm(): void {}

  probe(): void {
    this.#asked.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem> {
    for (;;) {
      await this.#asked.promise;
      this.#asked = Promise.withResolvers();
      yield { kind: "heartbeat", position: at(this.end) };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function applyOf(stream: ChangeStream): ChangeApply {
  const applier: Applier = {
    onApplied: undefined,
    onDurable: undefined,
    onFailure: undefined,
    apply: async () => {},
    flush: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const rules = new TableRules(codec, () => false);
  return new ChangeApply({ stream, applier, rules, observer, saveIdle: async () => {} });
}

test("what is asked for while the loop is between two steps is not left until the log moves", async () => {
  for (const turns of [0, 1, 2, 3, 4, 5]) {
    const apply = applyOf(new QuietStream());
    const run = apply.run();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await apply.between(async () => {});
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    apply.stop();
    assert.equal(await run, "stopped");
  }
});

test("work that needs a position waits until the log has come so far, asking for it", async () => {
  const stream = new QuietStream();
  const apply = applyOf(stream);
  const run = apply.run();
  let done = false;
  const work = apply.between(async () => {
    done = true;
  }, at(5));
  await apply.between(async () => assert.equal(done, false));
  stream.end = 4;
  await apply.between(async () => assert.equal(done, false), at(4));
  stream.end = 5;
  await work;
  apply.stop();
  assert.equal(await run, "stopped");
});

test("a last position ends a run that has another goal beyond it", async () => {
  const stream = new QuietStream();
  const apply = applyOf(stream);
  apply.setGoal({ position: at(9), last: at(3) });
  stream.end = 3;
  assert.equal(await apply.run(), "last");
});
