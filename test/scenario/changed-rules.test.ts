import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { TaskSpec } from "../../src/task/task.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";
import { type MysqlServer, startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { ToMysqlPair } from "../support/postgres-to-mysql.ts";
import { serverOfFile } from "../support/server-pair.ts";
import type { ObservedTask } from "../support/task.ts";
import { TaskPair } from "../support/task-pair.ts";

/* Table mappings that are changed while a task is stopped, as the journals of PostgreSQL and of MariaDB tell of it. */

const [source, toPostgres, toMysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);

type Pair = TaskPair | ToMysqlPair;

const pairs: Pair[] = [];
after(() => Promise.all(pairs.map((pair) => pair.end())));

const SCHEMA = `create schema app;
  create table app.person (id int primary key, ssn varchar(20), note text);
  create table app.fine (id int primary key, v text);
  insert into app.person select i, 'ssn ' || i, 'n' from generate_series(1, 50) i;
  insert into app.fine select i, 'v' from generate_series(1, 50) i`;

function mappings(...actions: readonly (readonly [action: string, column: string, more?: object])[]): string {
  const { rule, selection } = new RuleNumbers("app");
  const rules = actions.map(([action, column, more]) =>
    rule({ "table-name": "person", "column-name": column }, action, more),
  );
  return JSON.stringify({ rules: [selection("%"), ...rules] });
}

const MASKED = mappings(["data-masking-digits-mask", "ssn", { value: "#" }]);
const resumed: Partial<TaskSpec> = { start: "resume-processing" };

const kinds: readonly {
  readonly name: string;
  readonly make: (parts: Partial<TaskSpec>) => Promise<Pair>;
  readonly ask: (pair: Pair, sql: string) => Promise<readonly Record<string, unknown>[]>;
}[] = [
  {
    name: "PostgreSQL",
    make: (parts) => {
      const servers = { source, target: toPostgres };
      return TaskPair.make(servers, { name: "rules", schema: SCHEMA, ...parts });
    },
    ask: (pair, sql) => (pair as TaskPair).queryTarget(sql.replaceAll("from ", "from app.")),
  },
  {
    name: "MariaDB",
    make: (parts) => {
      const servers = { source, target: toMysql as MysqlServer };
      return ToMysqlPair.make(servers, { sql: SCHEMA, schemas: ["app"], ...parts });
    },
    ask: (pair, sql) => (pair as ToMysqlPair).queryTarget(sql, "app"),
  },
];

function state(task: ObservedTask, name: string) {
  const { state: now, error } = task.last!.tables.find(({ id }) => id.name === name)!;
  return [now, error?.code, error?.message];
}

for (const { name, make, ask } of kinds) {
  const start = async (parts: Partial<TaskSpec> = {}): Promise<{ pair: Pair; task: ObservedTask }> => {
    const pair = await make({ tableMappings: mappings(), ...parts });
    pairs.push(pair);
    return { pair, task: await pair.replicate() };
  };
  const count = async (pair: Pair, what: string): Promise<number> =>
    Number((await ask(pair, `select count(*) as n from ${what}`))[0]!["n"]);

  test(`on ${name} a table whose rules were changed is set aside, and loaded again comes by the rules of now`, async () => {
    const { pair, task } = await start();
    await pair.drain(task);
    await pair.query(
      "insert into app.person values (51, 'ssn 51', 'n'); insert into app.fine values (51, 'v')",
    );
    const again = await pair.replicate({ ...resumed, tableMappings: MASKED });
    assert.deepEqual(state(again, "person"), [
      "Table error",
      "mapping.rules_changed",
      "The task's rules for the table have changed since its rows came to the target: they treat the column ssn in another way.",
    ]);
    assert.deepEqual(state(again, "fine"), ["Table completed", undefined, undefined]);
    again.running.reloadTables([{ schema: "app", name: "person" }]);
    await again.until(({ tables }) =>
      tables.some(
        ({ id, state: now, reloaded }) => id.name === "person" && reloaded && now === "Table completed",
      ),
    );
    await pair.query("insert into app.person values (52, 'ssn 52', 'n')");
    await pair.drain(again);
    assert.equal(await count(pair, "person where ssn not like '%#'"), 0);
    assert.deepEqual([await count(pair, "person"), await count(pair, "fine")], [52, 51]);

    // The journal has the rules of now: they are no change any more.
    const third = await pair.replicate({ ...resumed, tableMappings: MASKED });
    const { suspendedTables } = await pair.drain(third);
    assert.deepEqual(suspendedTables, []);
    assert.ok(![...again.findings, ...third.findings].some(({ code }) => code === "mapping.rules_changed"));
  });

  test(`on ${name} a table that was loaded in part is loaded anew by the rules of now`, async () => {
    // The larger table comes first, and alone.
    const settings = JSON.stringify({ FullLoadSettings: { MaxFullLoadSubTasks: 1 } });
    const pair = await make({ settings, tableMappings: mappings(["remove-column", "note"]) });
    pairs.push(pair);
    await pair.query("insert into app.person select i, 'ssn', 'n' from generate_series(51, 5000) i");
    await pair.killAt("load.partition-done", { start: "start-replication" });
    const again = await pair.replicate({ ...resumed, tableMappings: MASKED });
    const { suspendedTables } = await pair.drain(again);
    assert.deepEqual(suspendedTables, []);
    assert.deepEqual(
      [await count(pair, "person"), await count(pair, "person where note = 'n'")],
      [5000, 5000],
    );
    assert.equal(await count(pair, "person where ssn like '%1'"), 0);
  });

  test(`on ${name} a task that only applies changes goes on by other rules and says so, once`, async () => {
    const { pair, task } = await start();
    await pair.drain(task);
    const cdc = { ...resumed, type: "cdc" } as const;
    const other = await pair.replicate({ ...cdc, tableMappings: MASKED });
    await pair.query("insert into app.person values (51, 'ssn 51', 'n')");
    await pair.drain(other);
    assert.equal(await count(pair, "person where ssn = 'ssn ##'"), 1);
    const told = (of: ObservedTask): readonly string[] =>
      of.findings
        .filter(({ code }) => code === "mapping.rules_changed")
        .map(({ severity, subject }) => `${severity} ${subject}`);
    assert.deepEqual(told(other), ["warning app.person"]);
    const third = await pair.replicate({ ...cdc, tableMappings: MASKED });
    await pair.drain(third);
    assert.deepEqual(told(third), []);
  });
}

test("a full load that is done with a table tells of rules that were changed since", async () => {
  const pair = await TaskPair.make(
    { source, target: toPostgres },
    { name: "loaded", schema: SCHEMA, tableMappings: mappings() },
  );
  pairs.push(pair);
  await pair.load();
  const again = await pair.load({ ...resumed, tableMappings: MASKED });
  assert.deepEqual(
    again.findings.filter(({ code }) => code === "mapping.rules_changed").map(({ subject }) => subject),
    ["app.person"],
  );
});
