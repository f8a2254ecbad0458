import assert from "node:assert/strict";
import { test } from "node:test";
import { BesideChanges } from "./beside-changes.ts";

interface Parts {
  readonly beside: BesideChanges;
  readonly start: () => void;
  readonly abort: AbortController;
  readonly failures: readonly unknown[];
}

/** What fails first ends all of it, as in a task. */
function make(): Parts {
  const started = Promise.withResolvers<void>();
  const abort = new AbortController();
  const failures: unknown[] = [];
  const beside = new BesideChanges(started.promise, abort.signal, (error) => {
    failures.push(error);
    abort.abort();
  });
  return { beside, start: started.resolve, abort, failures };
}

test("one after another has its turn, none before the start, and the end waits for all", async () => {
  const { beside, start, failures } = make();
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, end: Promise<void>) => async (): Promise<void> => {
    told.push(`${name} begins`);
    await end;
    told.push(`${name} ends`);
  };
  void beside.do(beside.inTurn(work("first", first.promise)));
  void beside.do(beside.inTurn(work("second", Promise.resolve())));
  const ended = beside.ended.then(() => told.push("all have ended"));
  await new Promise(setImmediate);
  assert.deepEqual(told, []);
  start();
  await new Promise(setImmediate);
  assert.deepEqual(told, ["first begins"]);
  first.resolve();
  await ended;
  assert.deepEqual(told, ["first begins", "first ends", "second begins", "second ends", "all have ended"]);
  assert.deepEqual(failures, []);
});

test("what fails is told once, and ends what has turns later", async () => {
  const { beside, start, failures } = make();
  const lost = new Error("the connection is lost");
  const turns: number[] = [];
  void beside.do(beside.inTurn(() => Promise.reject(lost)));
  void beside.do(
    beside.inTurn(async () => {
      turns.push(2);
      // Whoever has begun all the same is told soon.
      await new Promise(setImmediate);
      throw new Error("a consequence");
    }),
  );
  void beside.do(beside.inTurn(async () => void turns.push(3)));
  start();
  await beside.ended;
  assert.deepEqual(failures, [lost]);
  assert.ok(!turns.includes(3));
});

test("a failure that is caught in its turn leaves the turns after it", async () => {
  const { beside, start, failures } = make();
  const turns: number[] = [];
  const caught = beside.inTurn(() => Promise.reject(new Error("of no account"))).catch(() => undefined);
  void beside.do(caught.then(() => beside.inTurn(async () => void turns.push(2))));
  start();
  await beside.ended;
  assert.deepEqual(turns, [2]);
  assert.deepEqual(failures, []);
});

test("nothing has a turn once it is ended from outside, and nothing is told of it", async () => {
  const { beside, start, abort, failures } = make();
  void beside.do(beside.inTurn(() => assert.fail("it has ended")));
  abort.abort();
  start();
  await beside.ended;
  assert.deepEqual(failures, []);
});
