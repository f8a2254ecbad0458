import assert from "node:assert/strict";
import { test } from "node:test";
import type { StartMode } from "../../src/task/task.ts";
import { type DatabaseKind, postgres, type TestSchema } from "../contract/database-kind.ts";
import { mariadb } from "../contract/mysql-kinds.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, ObservedTask, runToEnd, schemas, taskSpec } from "../support/task.ts";
import { areCompared, failuresOf, validating, validationOf } from "../support/task-validation.ts";

/*
 * A task that only compares: what it finds, and that nothing of the target's is another afterwards.
 */

const running = new Map(
  await Promise.all(
    [postgres, mariadb].map(async (kind) => [kind, await serverOfFile(kind.start())] as const),
  ),
);

const tables = `
  create table item (id int primary key, word varchar(50));
  insert into item values ${Array.from({ length: 300 }, (_, i) => `(${i}, 'word ${i}')`).join(", ")};
  create table bag (n int, word varchar(50));
  insert into bag values (1, 'a'), (1, 'a'), (2, 'b')`;

const ONLY = { ValidationSettings: { ValidationOnly: true } };

async function newSide(kind: DatabaseKind): Promise<TestSchema> {
  const schema = await running.get(kind)!.newSchema();
  await schema.run(tables);
  return schema;
}

const pairs: readonly (readonly [DatabaseKind, DatabaseKind])[] = [
  [postgres, postgres],
  [mariadb, postgres],
  [postgres, mariadb],
];

for (const [from, to] of pairs) {
  test(`a task that only compares finds what differs and changes nothing: ${from.name} to ${to.name}`, async () => {
    const [source, target] = [await newSide(from), await newSide(to)];
    await source.run(
      "create table lacking (id int primary key); insert into lacking values (1); create index words on item (word)",
    );
    await target.run(
      "update item set word = 'other' where id = 7; delete from item where id = 8; insert into bag values (9, 'stray')",
    );
    const rows = async (): Promise<unknown> => [
      await target.rows("select * from item order by id"),
      await target.rows("select * from bag order by n"),
      await target.rows(
        `select table_name from information_schema.tables where table_schema = '${target.name}' and table_name not like 'awsdms%'`,
      ),
    ];
    const before = await rows();
    const spec = taskSpec({
      ...{ type: "full-load", source: source.endpoint, target: target.endpoint },
      ...{ tableMappings: schemas(source.name), settings: validating(target, ONLY) },
    });
    const { outcome } = await runToEnd(spec);
    assertStopped(outcome);
    assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED");
    const { progress } = outcome;
    const item = validationOf(progress, "item");
    assert.deepEqual([item?.state, item?.failed, item?.pending], ["Mismatched records", 2, 0]);
    assert.equal(validationOf(progress, "bag")?.failed, 1);
    const lacking = validationOf(progress, "lacking");
    assert.deepEqual([lacking?.state, lacking?.details], ["Table error", "The target has no such table."]);
    assert.deepEqual(
      progress.tables.map(({ state, fullLoadRows }) => [state, fullLoadRows]),
      Array.from({ length: 3 }, () => ["Table completed", 0]),
    );
    assert.deepEqual(
      (await failuresOf(target)).filter((line) => !line.includes("TABLE_WARNING")),
      ["bag MISSING_SOURCE 1 row", "item MISSING_TARGET 8", "item RECORD_DIFF 7 word"],
    );
    assert.deepEqual(await rows(), before);
    if (from !== to) return;

    // Going on, nothing is left to compare of what has been; started anew, all is.
    await target.run("update item set word = 'word 7' where id = 7");
    const again = async (start: StartMode): Promise<number | undefined> =>
      validationOf((await runToEnd({ ...spec, start })).outcome.progress, "item")?.failed;
    assert.equal(await again("resume-processing"), 2);
    assert.equal(await again("reload-target"), 1);
  });
}

test("a task that only compares waits for the task that brings the rows", async () => {
  const [source, target] = [await newSide(postgres), await running.get(postgres)!.newSchema()];
  await source.run("alter table bag replica identity full");
  const parts = { source: source.endpoint, target: target.endpoint, tableMappings: schemas(source.name) };
  const settings = validating(target, { ValidationSettings: { EnableValidation: false } });
  const brought = taskSpec({ ...parts, type: "full-load-and-cdc", settings });
  const bringing = new ObservedTask(brought);
  try {
    await bringing.until(({ phase }) => phase === "replicating");
    await source.run("update item set word = 'new'; delete from item where id < 100");
    const comparing = new ObservedTask(
      taskSpec({ ...parts, type: "full-load", settings: validating(target, ONLY) }),
    );
    const outcome = await comparing.running.outcome;
    assertStopped(outcome);
    assert.ok(areCompared(outcome.progress), JSON.stringify(outcome.progress.tables));
    const told = comparing.logs.find(({ message }) => message.startsWith("rows are compared by"));
    assert.deepEqual(told?.fields["tasks"], [brought.id]);
  } finally {
    bringing.running.stop();
    await bringing.running.outcome;
  }
});

test("a task that loads and replicates cannot only compare", async () => {
  const [source, target] = [await newSide(postgres), await newSide(postgres)];
  const parts = { source: source.endpoint, target: target.endpoint, tableMappings: schemas(source.name) };
  const { outcome } = await runToEnd(
    taskSpec({ ...parts, type: "full-load-and-cdc", settings: validating(target, ONLY) }),
  );
  assert.equal(outcome.state, "failed");
  assert.deepEqual(
    [outcome.error?.code, outcome.error?.subject],
    ["settings.unsupported", "ValidationSettings.ValidationOnly"],
  );
});
