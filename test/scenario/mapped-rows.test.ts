import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failpoint } from "../../src/base/failpoint.ts";
import { killRows, killSchema } from "../support/kill-schema.ts";
import { RuleNumbers } from "../support/mapping-rules.ts";
import { serverPair } from "../support/server-pair.ts";
import { TaskLife } from "../support/task-life.ts";
import { assertNoConflicts, TaskPair } from "../support/task-pair.ts";

/*
 * Tables whose rows table mappings make into others: masked, filtered, with columns that are made, left out and
 * renamed. The task is killed while it loads and while it replicates, and goes on; in the end the source itself says
 * what the rules make of its rows.
 */

const servers = await serverPair();

const outside = { "filter-operator": "notbetween", "start-value": "31", "end-value": "59" };

const { rule, selection } = new RuleNumbers("app");
const table = (name: string) => ({ "table-name": name });
const column = (of: string, name: string) => ({ "table-name": of, "column-name": name });

const rules = [
  ...["ranged", "child", "event", "log"].map((name) => selection(name)),
  selection("blocks", [{ "filter-type": "source", "column-name": "a", "filter-conditions": [outside] }]),
  rule(column("ranged", "note"), "data-masking-hash-mask"),
  rule(table("ranged"), "add-column", {
    value: "total",
    expression: "$id * 2 + $a",
    "data-type": { type: "int8" },
  }),
  rule(column("blocks", "note"), "rename", { value: "remark" }),
  rule(table("blocks"), "add-column", {
    value: "label",
    expression: "$id || ':' || upper($note)",
    "data-type": { type: "string", length: 200 },
  }),
  rule(table("event"), "add-column", {
    value: "op",
    expression: "operation_indicator('gone', 'other', 'new')",
    "data-type": { type: "string", length: 10 },
  }),
  rule(column("child", "label"), "remove-column"),
  rule(column("log", "note"), "data-masking-digits-mask", { value: "#" }),
];

const loading: readonly [Failpoint, number][] = [
  ["load.partition-read", 2],
  ["load.partition-written", 3],
  ["load.partition-done", 4],
  ["build.index-done", 1],
];
const replicating: readonly [Failpoint, number][] = [
  ["apply.batch-taken", 1],
  ["apply.changes-written", 1],
  ["apply.committed", 2],
];

test("killed while mapped tables are loaded and replicated, a task ends with what the rules make of the source", async () => {
  const life = await TaskLife.begin(servers, {
    type: "full-load-and-cdc",
    schema: `${killSchema}; ${killRows}; insert into app.ranged (id, a) values (0, 1)`,
    tableMappings: JSON.stringify({ rules }),
    // Ranges that are done stay done, and show another moment than those that are read after a kill.
    settings: { FullLoadSettings: { MaxFullLoadSubTasks: 1 }, TidewaySettings: { SharedReadLimitInMB: 0 } },
  });
  {
    await using writer = await life.write("mapped");
    for (const [i, [failpoint, arrival]] of [...loading, ...replicating].entries()) {
      writer.note = `mapped ${failpoint}`;
      const start = i === 0 ? "start-replication" : "resume-processing";
      await life.kill({ failpoint, arrival }, { start });
    }
    assert.ok(writer.commits > 0);
  }
  const { source } = servers;
  const [gone] = await source.query(
    `with gone as (delete from app.event where n % 3 = 0 returning 1) select count(*)::int as n from gone`,
    life.from,
  );
  assert.ok(gone.n > 0);
  await life.finish();
  await life.assertSame(
    "select id, a, encode(sha256(note::bytea), 'hex') as note, id * 2 + a as total from app.ranged",
    "select id, a, note, total from app.ranged",
  );
  await life.assertSame(
    "select id, a, note, id || ':' || upper(note) as label from app.blocks where a not between 31 and 59",
    "select id, a, remark, label from app.blocks",
  );
  await life.assertSame("select id, ranged_id from app.child", "select * from app.child");
  await life.assertSame(
    "select regexp_replace(note, '[0-9]', '#', 'g'), n from app.log",
    "select note, n from app.log",
  );
  await life.assertSame("select note, n from app.event", "select note, n from app.event where op = 'new'");
  const kept = await servers.target.query(
    "select op, count(*)::int as n, bool_and(n % 3 = 0) as deleted from app.event where op <> 'new' group by op",
    life.to,
  );
  await assertNoConflicts(servers.target, life.to);
  assert.deepEqual(kept, [{ op: "gone", n: gone.n, deleted: true }]);
});

test("a row that comes into the filter without a long value of its has the table loaded again", async () => {
  const numbers = new RuleNumbers("app");
  const tableMappings = JSON.stringify({
    rules: [
      numbers.selection("long", [
        { "filter-type": "source", "column-name": "a", "filter-conditions": [outside] },
      ]),
    ],
  });
  const schema = `create schema app; create table app.long (id int primary key, a int, body text);
    alter table app.long alter body set storage external;
    insert into app.long select i, 40 + i, repeat(md5(i::text), 200) from generate_series(1, 30) i`;
  const pair = await TaskPair.make(servers, { name: "long", schema, tableMappings });
  const task = await pair.replicate();
  await pair.query("update app.long set a = 40 where id = 30; update app.long set a = 70 where id = 1");
  await task.until(({ tables }) => tables.some(({ reloaded }) => reloaded));
  await pair.query(
    "update app.long set a = 80 where id = 2; update app.long set a = 50, body = 'short' where id = 29",
  );
  await pair.drain(task);
  const rows = "select id, a, md5(body) from app.long where a not between 31 and 59 order by id";
  assert.deepEqual(
    await pair.queryTarget(rows.replace("where a not between 31 and 59", "")),
    await pair.query(rows),
  );
  assert.ok(task.findings.some(({ code }) => code === "mapping.value_may_lack"));
});
