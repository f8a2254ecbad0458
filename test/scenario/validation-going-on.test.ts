import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import type { TaskSpec } from "../../src/task/task.ts";
import { becomesTrue } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { serverOfFile } from "../support/server-pair.ts";
import { assertStopped } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";
import { areCompared, failuresIn, validationOf, whileUnreadable } from "../support/task-validation.ts";

/* What a task goes on with that has been killed or stopped while it compared tables, and a full load that ends with it. */

const server = await serverOfFile(startPostgres());

const pairs: TaskPair[] = [];
afterEach(() => Promise.all(pairs.splice(0).map((pair) => pair.end())));

const tables = ["first", "moved", "gate"];
const columns = "id int primary key, word text, n int";

/** The target has the table `gate` in a partition: when that cannot be read, the table is known and none of its rows is. */
async function makePair(name: string, parts: Partial<TaskSpec>): Promise<TaskPair> {
  const made = tables.map(
    (table) => `create table app.${table} (${columns});
    insert into app.${table} select i, 'word ' || i, i from generate_series(1, 20) i;`,
  );
  const schema = `create schema app; ${made.join(" ")}`;
  const servers = { source: server, target: server };
  const pair = await TaskPair.make(servers, { name, schema, startId: "first", ...OFF, ...parts });
  pairs.push(pair);
  await pair.queryTarget(`create schema app; create table app.first (${columns}); create table app.moved (${columns});
    create table app.gate (${columns}) partition by range (id);
    create table app.gate_all partition of app.gate default`);
  return pair;
}

function settings(validation: object): Pick<TaskSpec, "settings"> {
  const load = { TargetTablePrepMode: "DO_NOTHING" };
  return { settings: JSON.stringify({ ValidationSettings: validation, FullLoadSettings: load }) };
}

const COMPARES = { EnableValidation: true };
const OFF = settings({});
const ON = settings(COMPARES);
/** Rows that changes concern wait for longer than a test takes. */
const LATE = settings({ ...COMPARES, ValidationQueryCdcDelaySeconds: 1000 });

/** The journal has these as compared, and no other. */
async function areRecorded(pair: TaskPair, names: readonly string[]): Promise<void> {
  await becomesTrue(
    ...([server, pair.to] as const),
    `(select array_agg(table_name::text order by table_name) from public.awsdms_table_state where compared)
      is not distinct from array[${names.map((name) => `'${name}'`)}]::text[]`,
  );
}

test("a task that is killed while it compares goes on with what is not compared, and knows what was found", async () => {
  const pair = await makePair("killed", {});
  const loading = await pair.replicate();
  loading.running.stop();
  await loading.running.outcome;

  // While whole tables are compared.
  await whileUnreadable(pair, "app.gate_all", async (someoneWaits) => {
    const killed = pair.process(ON);
    await someoneWaits();
    await areRecorded(pair, ["first", "moved"]);
    killed.kill();
    await killed.ended();
  });
  for (const table of tables) await pair.queryTarget(`update app.${table} set word = 'other' where id = 6`);
  await pair.queryTarget("delete from app.moved where id = 5");
  await pair.query("update app.moved set word = 'changed' where id = 5");

  // While rows that have changed wait. Of what is compared already, nothing but these is looked at.
  const waiting = pair.process(LATE);
  await waiting.until(
    (progress) =>
      validationOf(progress, "gate")?.failed === 1 && validationOf(progress, "moved")?.pending === 1,
  );
  await areRecorded(pair, ["first"]);
  assert.deepEqual(await failuresIn(pair), ["gate RECORD_DIFF 6 word"]);
  waiting.kill();
  await waiting.ended();

  // What the task had still to look at is compared whole.
  await pair.query("update app.gate set word = 'again', n = 7 where id = 6");
  await pair.queryTarget("update app.gate set word = 'again' where id = 6");
  const last = await pair.process({ ...ON, untilCaughtUp: true }).ended();
  assertStopped(last.outcome!);
  assert.deepEqual(await failuresIn(pair), ["moved MISSING_TARGET 5", "moved RECORD_DIFF 6 word"]);
  const states = last.outcome!.progress.tables.map(
    ({ id, validation }) => `${id.name}: ${validation?.state}`,
  );
  assert.deepEqual(states.sort(), ["first: Validated", "gate: Validated", "moved: Mismatched records"]);
});

test("a full load ends when its tables are compared, and is stopped at once meanwhile", async () => {
  const pair = await makePair("load", { type: "full-load" });
  await pair.queryTarget(`insert into app.moved values (99, 'one too many', 0);
    create function app.spoil() returns trigger language plpgsql as
      $$ begin if new.id = 8 then return null; elsif new.id = 7 then new.word := 'other'; end if; return new; end $$;
    create trigger spoil before insert on app.gate for each row execute function app.spoil();
    alter table app.gate_all enable always trigger spoil`);
  await pair.load();
  const going = { ...ON, start: "resume-processing" } as const;

  await whileUnreadable(pair, "app.gate_all", async (someoneWaits) => {
    const stopped = pair.run(going);
    await someoneWaits();
    stopped.running.stop();
    const { stopReason, error } = await stopped.running.outcome;
    assert.deepEqual([stopReason, error], ["NORMAL", undefined]);
  });

  const { progress, stopReason } = await (await pair.load(going)).running.outcome;
  assert.equal(stopReason, "FULL_LOAD_ONLY_FINISHED");
  const found = ["gate MISSING_TARGET 8", "gate RECORD_DIFF 7 word", "moved MISSING_SOURCE 99"];
  assert.deepEqual(await failuresIn(pair), found);
  assert.ok(areCompared(progress, { gate: 2, moved: 1 }), JSON.stringify(progress.tables));
});
