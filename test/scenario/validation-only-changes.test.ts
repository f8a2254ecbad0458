import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { TaskProgress, TaskSpec } from "../../src/task/task.ts";
import { type DatabaseKind, postgres, type TestSchema } from "../contract/database-kind.ts";
import { mariadb } from "../contract/mysql-kinds.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, ObservedTask, schemas, taskSpec } from "../support/task.ts";
import { areCompared, failuresOf, validating, validationOf } from "../support/task-validation.ts";

/* A task that only compares and follows changes, beside one that brings the rows and where nobody does. */

const running = new Map(
  await Promise.all(
    [postgres, mariadb].map(async (kind) => [kind, await serverOfFile(kind.start())] as const),
  ),
);

const tasks: ObservedTask[] = [];
afterEach(async () => {
  await Promise.all(
    tasks.splice(0).map(({ running: task }) => {
      task.stop();
      return task.outcome;
    }),
  );
});

function run(spec: TaskSpec): ObservedTask {
  const task = new ObservedTask(spec);
  tasks.push(task);
  return task;
}

async function ends(task: ObservedTask): Promise<TaskProgress> {
  const outcome = await task.running.outcome;
  assertStopped(outcome);
  return outcome.progress;
}

const newSide = (kind: DatabaseKind): Promise<TestSchema> => running.get(kind)!.newSchema();

const item = `create table item (id int primary key, word varchar(50));
  insert into item values ${Array.from({ length: 300 }, (_, i) => `(${i}, 'word ${i}')`).join(", ")}`;

const ONLY = { ValidationSettings: { ValidationOnly: true } };
const OFF = { ValidationSettings: { EnableValidation: false } };

interface Specs {
  readonly bringing: TaskSpec;
  readonly comparing: TaskSpec;
}

function specs(source: TestSchema, target: TestSchema): Specs {
  const parts = { source: source.endpoint, target: target.endpoint, tableMappings: schemas(source.name) };
  const bringing = { type: "full-load-and-cdc", settings: validating(target, OFF) } as const;
  const comparing = { type: "cdc", settings: validating(target, ONLY) } as const;
  return { bringing: taskSpec({ ...parts, ...bringing }), comparing: taskSpec({ ...parts, ...comparing }) };
}

/** Writes until it is told to end. */
function writing(source: TestSchema): { end(): Promise<void> } {
  let isEnded = false;
  const work = async (): Promise<void> => {
    for (let i = 0; !isEnded; i++) {
      const id = i % 300;
      await source.run(
        `update item set word = 'written ${i}' where id = ${id}; delete from item where id = ${1000 + i - 5};
        insert into item values (${1000 + i}, 'new ${i}')`,
      );
    }
  };
  const done = work();
  return {
    end: async () => {
      isEnded = true;
      await done;
    },
  };
}

const pairs: readonly (readonly [DatabaseKind, DatabaseKind])[] = [
  [postgres, postgres],
  [mariadb, postgres],
  [postgres, mariadb],
];

for (const [from, to] of pairs) {
  test(`rows are compared beside a task that brings them, whichever starts first: ${from.name} to ${to.name}`, async () => {
    const [source, target] = [await newSide(from), await newSide(to)];
    await source.run(item);
    const { bringing, comparing } = specs(source, target);
    const compared = run(comparing);
    await compared.until((progress) => validationOf(progress, "item")?.state === "Table error");
    const brought = run(bringing);
    await brought.until(({ phase }) => phase === "replicating");
    await compared.until((progress) => areCompared(progress));
    const writer = writing(source);
    const isBusy = ({ tables }: TaskProgress): boolean => tables.some(({ inserts }) => inserts > 50);
    await compared.until(isBusy);

    await target.run("update item set word = 'damaged' where id = 1");
    await source.run("insert into item values (5000, 'last'); update item set word = 'last' where id = 299");
    await writer.end();
    await compared.until((progress) => areCompared(progress));

    await target.run("update item set word = 'damaged' where id = 7");
    await source.run("update item set word = 'word 7' where id = 8");
    await compared.until((progress) => areCompared(progress));
    assert.deepEqual(await failuresOf(target), []);
    compared.running.drain();
    assert.ok(areCompared(await ends(compared)));
  });
}
