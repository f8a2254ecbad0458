import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { cleanUpTask } from "../../src/server/run-task.ts";
import type { TableProgress, TaskProgress, TaskSpec } from "../../src/task/task.ts";
import { type DatabaseKind, postgres, type TestSchema } from "../contract/database-kind.ts";
import { mariadb } from "../contract/mysql-kinds.ts";
import { eventually } from "../support/eventually.ts";
import { inSteps, OngoingWork } from "../support/ongoing-work.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped, ObservedTask, schemas, TaskProcess, taskSpec } from "../support/task.ts";
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
  readonly brings: TaskSpec;
  readonly compares: TaskSpec;
}

function specs(source: TestSchema, target: TestSchema): Specs {
  const parts = { source: source.endpoint, target: target.endpoint, tableMappings: schemas(source.name) };
  const brings = { type: "full-load-and-cdc", settings: validating(target, OFF) } as const;
  const compares = { type: "cdc", settings: validating(target, ONLY) } as const;
  return { brings: taskSpec({ ...parts, ...brings }), compares: taskSpec({ ...parts, ...compares }) };
}

/** Writes until it is disposed of. */
function writing(source: TestSchema): OngoingWork {
  return new OngoingWork(
    inSteps((i) =>
      source.run(
        `update item set word = 'written ${i}' where id = ${i % 300}; delete from item where id = ${1000 + i - 5};
        insert into item values (${1000 + i}, 'new ${i}')`,
      ),
    ),
  );
}

const pairs: readonly (readonly [DatabaseKind, DatabaseKind])[] = [
  [postgres, postgres],
  [mariadb, postgres],
  [postgres, mariadb],
];

/** The task brings rows and changes of the source. */
async function bringing(spec: TaskSpec): Promise<ObservedTask> {
  const task = run(spec);
  await task.until(({ phase }) => phase === "replicating");
  return task;
}

/** The tasks that a task goes by. */
function followedBy({ logs }: ObservedTask): readonly unknown[] {
  const told = logs.findLast(({ message }) => message.startsWith("rows are compared by"));
  return (told?.fields["tasks"] as readonly unknown[] | undefined) ?? [];
}

/** All is compared, and so many rows of `item` differ. */
async function untilCompared(task: ObservedTask, failed = 0): Promise<void> {
  await task.until((progress) => areCompared(progress, { item: failed }));
}

for (const [from, to] of pairs) {
  test(`rows are compared beside a task that brings them, whichever starts first: ${from.name} to ${to.name}`, async () => {
    const [source, target] = [await newSide(from), await newSide(to)];
    await source.run(item);
    const { brings, compares } = specs(source, target);
    const compared = run(compares);
    await compared.until((progress) => validationOf(progress, "item")?.state === "Table error");
    await bringing(brings);
    await untilCompared(compared);
    {
      await using _writer = writing(source);
      await compared.until(({ tables }) => tables.some(({ inserts }) => inserts > 50));
    }
    await untilCompared(compared);
    assert.deepEqual(await failuresOf(target), []);
    await eventually("the task is found", async () => followedBy(compared).includes(brings.id));

    // The update finds no row on the target.
    await target.run("delete from item where id = 7");
    await source.run("update item set word = 'other' where id = 7");
    await untilCompared(compared, 1);
    assert.deepEqual(await failuresOf(target), ["item MISSING_TARGET 7"]);
    await target.run("insert into item values (7, 'mended')");
    await source.run("update item set word = 'mended' where id = 7");
    await untilCompared(compared);
    assert.deepEqual(await failuresOf(target), []);

    // What is known by then is compared before it ends.
    await source.run("update item set word = 'last' where id < 100");
    compared.running.drain();
    const progress = await ends(compared);
    assert.ok(areCompared(progress), JSON.stringify(progress.tables));
    const [{ updates, appliedUpdates, pendingChanges }] = progress.tables as [TableProgress];
    assert.ok(updates >= 102, `${updates} updates`);
    assert.deepEqual([appliedUpdates, pendingChanges], [0, 0]);
  });
}

test("a task that only compares changes nothing of the target's, and lets go of the source's log", async () => {
  const [source, target] = [await newSide(postgres), await newSide(postgres)];
  for (const side of [source, target]) {
    await side.run(`${item}; create table bag (n int); insert into bag values (1), (1), (2)`);
  }
  await source.run(
    "create table lacking (id int primary key); create index words on item (word); alter table bag replica identity full",
  );
  await target.run("update item set word = 'damaged' where id = 3; insert into bag values (3)");
  const whole = async (): Promise<unknown> => [
    await target.rows("select * from item order by id"),
    await target.rows("select * from bag order by n"),
    await target.rows(
      "select nspname, relname, relkind from pg_class c join pg_namespace n on n.oid = relnamespace where relname not like 'awsdms%' and nspname !~ '^pg_' order by 1, 2",
    ),
    await target.rows(
      "select proname, roname from pg_proc, pg_replication_origin where pronamespace = 'shop'::regnamespace",
    ),
  ];
  const before = await whole();
  const { compares } = specs(source, target);
  const compared = run(compares);
  await compared.until(({ tables }) => tables.some(({ validation }) => validation?.failed === 1));
  const slot = async (): Promise<string> => {
    const [row] = await source.rows(
      "select confirmed_flush_lsn from pg_replication_slots where database = current_database()",
    );
    return row![0]!;
  };
  const first = await slot();
  // Who waits to see them compared has them noted.
  await source.run("update item set word = 'here' where id < 50; truncate bag; insert into bag values (5)");
  await source.run(
    "alter table item add column more int; drop table lacking; create table late (id int primary key)",
  );
  await compared.until(
    (progress) =>
      validationOf(progress, "item")?.failed === 50 &&
      validationOf(progress, "bag")?.state === "Mismatched records" &&
      validationOf(progress, "late")?.state === "Table error" &&
      validationOf(progress, "lacking") === undefined,
  );
  await eventually("the slot lets go of the log", async () => {
    const [row] = await source.rows(`select '${await slot()}'::pg_lsn > '${first}'::pg_lsn`);
    return row![0] === "t" || row![0] === "true";
  });
  assert.deepEqual(await whole(), before);
  compared.running.drain();
  await compared.running.outcome;

  await cleanUpTask(compares, AbortSignal.timeout(60_000));
  assert.deepEqual(
    await source.rows("select slot_name from pg_replication_slots where database = current_database()"),
    [],
  );
});

test("rows that a task brings late, or anew, are equal when it goes on", async () => {
  const [source, target] = [await newSide(postgres), await newSide(postgres)];
  await source.run(item);
  const { brings, compares } = specs(source, target);
  const first = await bringing(brings);
  const compared = run(compares);
  await untilCompared(compared);

  first.running.stop();
  await first.running.outcome;
  await source.run("update item set word = 'late' where id < 3");
  await untilCompared(compared, 3);
  const again = await bringing({ ...brings, start: "resume-processing" });
  await untilCompared(compared);
  assert.deepEqual(await failuresOf(target), []);

  // So are those that it has loaded anew.
  await target.run("delete from item where id = 7");
  await source.run("update item set word = 'other' where id = 7");
  await untilCompared(compared, 1);
  again.running.reloadTables([{ schema: source.name, name: "item" }]);
  await untilCompared(compared);

  // Another that compares does not go by this one, which has its records beside them.
  const other = run({ ...compares, id: `${compares.id}_other`, type: "full-load" });
  assert.ok(areCompared(await ends(other)));
  assert.deepEqual([followedBy(other), followedBy(compared)], [[brings.id], [brings.id]]);
});

test("tables that are altered, renamed, made and dropped on the source are compared as they come to the target", async () => {
  const [source, target] = [await newSide(postgres), await newSide(postgres)];
  await source.run(
    `${item}; create table first (id int primary key, word text); create table leaving (id int primary key)`,
  );
  const { brings, compares } = specs(source, target);
  await bringing(brings);
  const compared = run(compares);
  await untilCompared(compared);
  await source.run(`alter table item add column n int default 4, alter word type text; update item set n = id where id < 50;
    alter table first rename to second; insert into second values (1, 'one'); drop table leaving;
    create table made (id int primary key, v text); insert into made values (1, 'one')`);
  await compared.until(
    (progress) =>
      areCompared(progress) &&
      JSON.stringify(progress.tables.map(({ id }) => id.name).sort()) === '["item","made","second"]',
  );
  await target.run("delete from second where id = 1; delete from item where id = 7");
  await source.run("update second set word = 'other' where id = 1; update item set n = 8 where id = 7");
  await compared.until((progress) => areCompared(progress, { item: 1, second: 1 }));
  assert.deepEqual(await failuresOf(target), ["item MISSING_TARGET 7", "second MISSING_TARGET 1"]);
});

test("a task that only compares and is killed finds what was damaged meanwhile, and ends at its stop position", async () => {
  const [source, target] = [await newSide(postgres), await newSide(postgres)];
  await source.run(item);
  const { brings, compares } = specs(source, target);
  await bringing(brings);
  const killed = new TaskProcess(compares);
  await killed.until((progress) => areCompared(progress));
  killed.kill();
  await killed.ended();

  await target.run("delete from item where id in (7, 8)");
  await source.run("update item set word = 'other' where id = 7");
  const goesOn = { ...compares, start: "resume-processing" } as const;
  // Killed once more where the journal has the place of the change.
  const again = new TaskProcess(goesOn, "apply.durable");
  assert.equal((await again.ended()).signal, "SIGKILL");
  const [end] = await source.rows("select pg_current_wal_lsn()");
  await source.run("update item set word = 'beyond' where id = 9");
  const last = run({ ...goesOn, cdcStopPosition: end![0]! });
  const progress = await ends(last);
  assert.equal(validationOf(progress, "item")?.failed, 2, JSON.stringify(progress.tables));
  assert.deepEqual(await failuresOf(target), ["item MISSING_TARGET 7", "item MISSING_TARGET 8"]);
});
