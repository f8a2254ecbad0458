import assert from "node:assert/strict";
import { test } from "node:test";
import { at, batch, codec } from "../../test/support/numbered-log.ts";
import { type ChangeBatch, type ChangeTransaction, Op, type StreamItem } from "../core/change-batch.ts";
import type { ChangeStream } from "../core/source.ts";
import type { AppliedCounts, Applier } from "../core/target.ts";
import { TableRules } from "./apply-modes.ts";
import { ChangeApply, type ChangeApplyParts } from "./change-apply.ts";
import { CountedChanges } from "./counted-changes.ts";
import type { PipelineObserver } from "./observer.ts";

const observer: PipelineObserver = {
  loadStarted() {},
  loadMoved() {},
  loadLeftOut() {},
  valuesCut() {},
  loadForgotten() {},
  loadFinished() {},
  building() {},
  tableFailed() {},
  finding() {},
  taken() {},
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

/** `taken`: called with each batch that the applier is given. */
function applyOf(
  stream: ChangeStream,
  taken: (batch: ChangeBatch) => void = () => assert.fail("nothing is there to be applied"),
  more: Partial<ChangeApplyParts> = {},
): ChangeApply {
  const applier: Applier = {
    onApplied: undefined,
    onDurable: undefined,
    onFailure: undefined,
    apply: async (batch) => taken(batch),
    flush: async () => {},
    retry: async () => assert.fail("nothing is tried again"),
    [Symbol.asyncDispose]: async () => {},
  };
  return new ChangeApply({
    ...{ stream, applier, observer, truncates: "carry-out" },
    rules: new TableRules(codec, () => false),
    saveIdle: async () => {},
    counted: new CountedChanges(),
    ...more,
  });
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

test("what waits for a turn when a run is abandoned fails, and so does what asks for one afterwards", async () => {
  const apply = applyOf(new QuietStream());
  const work = (): Promise<void> => assert.fail("nothing runs any more");
  const waiting = [apply.between(work), apply.at(async () => at(1), work)];
  apply.abandon();
  for (const one of [...waiting, apply.between(work), apply.at(async () => at(1), work)])
    await assert.rejects(one, { name: "AbortError" });
});

test("a last position ends a run that has another goal beyond it", async () => {
  const stream = new QuietStream();
  const apply = applyOf(stream);
  apply.setGoal({ position: at(9), last: at(3) });
  stream.end = 3;
  assert.equal(await apply.run(), "last");
});

/** A log that holds these batches and then nothing more. */
function streamOf(...batches: readonly ChangeBatch[]): ChangeStream {
  return {
    confirm() {},
    probe() {},
    async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem> {
      for (const one of batches) yield { kind: "changes", batch: one };
      await new Promise(() => undefined);
    },
    async [Symbol.asyncDispose]() {},
  };
}

for (const [goal, end] of [
  [{ last: at(2) }, "last"],
  [{ committedBeforeMs: 2000 }, "commit-time"],
  [{ last: at(2), committedBeforeMs: 9000 }, "last"],
  [{ last: at(9), committedBeforeMs: 2000 }, "commit-time"],
] as const) {
  test(`a run ends before the first transaction beyond its goal, by ${end}: ${JSON.stringify(goal)}`, async () => {
    const taken: string[] = [];
    const apply = applyOf(streamOf(batch([1]), batch([2, 3, 4])), ({ transactions }) => {
      for (const { position } of transactions) taken.push(position.text);
    });
    apply.setGoal(goal);
    assert.equal(await apply.run(), end);
    assert.deepEqual(taken, ["1", "2"]);
  });
}

/** A piece of the transaction at position 3. */
function piece(part: Pick<ChangeTransaction, "begins" | "commits" | "takenBack">): ChangeBatch {
  const { transactions, ...rest } = batch([3]);
  return { ...rest, transactions: transactions.map((one) => ({ ...one, ...part })) };
}

const begun = piece({ begins: true, commits: false });

test("a transaction that has begun before a goal comes to its end", async () => {
  let taken = 0;
  const ended = piece({ begins: false, commits: true });
  const apply = applyOf(streamOf(begun, ended, batch([4])), () => {
    // It is asked for while the transaction is under way.
    if (++taken === 1) apply.setGoal({ last: at(2), committedBeforeMs: 2000 });
  });
  assert.equal(await apply.run(), "last");
  assert.equal(taken, 2);
});

test("work waits for the end of a transaction in pieces, which may be that the source takes it back", async () => {
  let taken = 0;
  let takenBefore: number | undefined;
  let work: Promise<void> | undefined;
  const takenBack = piece({ begins: false, commits: false, takenBack: true });
  const apply = applyOf(streamOf(begun, takenBack, batch([4])), () => {
    taken++;
    work ??= apply.between(async () => {
      takenBefore = taken;
      apply.stop();
    });
  });
  assert.equal(await apply.run(), "stopped");
  await work;
  assert.equal(takenBefore, 2);
});

for (const position of [1, 2, 3, 5]) {
  test(`work that needs the target to stand at ${position} finds all up to there and nothing beyond`, async () => {
    const taken: string[] = [];
    const seen: string[][] = [];
    const works: Promise<void>[] = [];
    const stand = (text: number): Promise<void> =>
      apply.at(
        async () => at(text),
        async () => {
          seen.push([...taken]);
          if (text < 6) works.push(stand(6));
        },
      );
    const apply = applyOf(streamOf(batch([1]), batch([2, 4]), batch([6, 7])), ({ transactions }) => {
      for (const one of transactions) taken.push(one.position.text);
      if (works.length === 0) works.push(stand(position));
      if (taken.includes("7")) apply.stop();
    });
    assert.equal(await apply.run(), "stopped");
    await Promise.all(works);
    const all = ["1", "2", "4", "6", "7"];
    assert.deepEqual(seen, [all.filter((one) => Number(one) <= position), all.slice(0, 4)]);
    assert.deepEqual(taken, all);
  });
}

test("rows that a foreign key has changed are not applied where they cannot be told from newer ones", async () => {
  const rules = new TableRules(codec, () => false);
  rules.setWindow({ schema: "s", name: "b" }, { oldest: at(1), newest: at(5) });
  const ops = Int32Array.of(Op.insert, 0, -1, 0, Op.updateReferring, 1, 0, -1);
  const apply = applyOf(streamOf({ ...batch([3]), ops }), undefined, { rules });
  await assert.rejects(apply.run(), { code: "apply.row_incomplete", table: { schema: "s", name: "b" } });
});

test("what another attempt is sent again is to be applied again, and is captured once", async () => {
  const counted = new CountedChanges();
  const told: string[] = [];
  const tell =
    (what: string) =>
    (counts: ReadonlyMap<string, AppliedCounts>): void => {
      for (const { inserts, deletes } of counts.values()) told.push(`${what} ${inserts} ${deletes}`);
    };
  for (const batches of [[batch([1, 2]), batch([3])], [batch([2, 3, 4])]]) {
    const apply = applyOf(streamOf(...batches, batch([9])), () => {}, {
      observer: { ...observer, taken: tell("taken"), captured: tell("captured") },
      counted,
    });
    counted.begin(codec);
    apply.setGoal({ last: at(5) });
    await apply.run();
  }
  const both = (what: string, count: number): string[] => [`${what} ${count} 0`, `${what} 0 ${count}`];
  assert.deepEqual(told, [
    ...[...both("taken", 2), ...both("captured", 2), ...both("taken", 1), ...both("captured", 1)],
    ...[...both("taken", 3), ...both("captured", 1)],
  ]);
});

test("a truncate that is passed over does not count among the changes that are to be applied", async () => {
  const captured: unknown[] = [];
  const ops = Int32Array.of(Op.truncate, 0, -1, -1, Op.delete, 1, 0, -1);
  const apply = applyOf(streamOf({ ...batch([3]), ops }, batch([4])), () => {}, {
    truncates: "keep-rows",
    observer: {
      ...observer,
      captured: (counts) => {
        for (const { truncates, deletes } of counts.values()) captured.push([truncates, deletes]);
      },
    },
  });
  apply.setGoal({ last: at(3) });
  assert.equal(await apply.run(), "last");
  assert.deepEqual(captured, [[0, 1]]);
});
