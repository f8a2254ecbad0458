import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOf } from "../support/endpoint.ts";
import { directions, mappedServers, moveMapped } from "../support/mapped-move.ts";
import { ObservedTask, taskSpec } from "../support/task.ts";

/* What table mappings say of whole tables: views that are moved as tables, and how a full load parts tables. */

const servers = await mappedServers();
const { postgres, mariadb } = servers;

const MADE = `
  create table parts (id int primary key, kind varchar(10), weight decimal(8, 2));
  insert into parts values (1, 'a', 1.5), (2, 'b', 20), (3, null, 300), (4, 'a', 4), (5, 'b', null), (6, 'c', 6);
  create view heavy as select id, upper(kind) as kind, weight * 2 as twice from parts where weight > 3;
  create view above as select count(*) as n from heavy`;
const STORED = "create materialized view sums as select kind, sum(weight) as weight from parts group by kind";

const RANGES = {
  ...{ "rule-type": "table-settings", "rule-id": 1 },
  "object-locator": { "schema-name": "{source}", "table-name": "parts" },
  "parallel-load": { type: "ranges", columns: ["kind"], boundaries: [["b"], ["c"]] },
};
const VIEWS = { "object-locator": { "schema-name": "{source}", "table-name": "%", "table-type": "all" } };
const LIGHT = {
  ...{ "rule-type": "selection", "rule-id": 2, "rule-action": "exclude" },
  "object-locator": { "schema-name": "{source}", "table-name": "above", "table-type": "view" },
};

for (const [from, to] of directions) {
  test(`views come as tables, and tables in the wanted ranges, from ${from} to ${to}`, async () => {
    const made = from === "postgres" ? `${MADE}; ${STORED}` : MADE;
    const { rows, findings } = await moveMapped(servers, {
      from,
      to,
      made,
      rules: [RANGES, LIGHT],
      selection: VIEWS,
    });
    assert.deepEqual(
      (await rows("select id, kind, twice from {target}.heavy order by 1")).map(([id, kind, twice]) => [
        ...[id, kind],
        Number(twice),
      ]),
      [
        ["2", "B", 40],
        ["3", null, 600],
        ["4", "A", 8],
        ["6", "C", 12],
      ],
    );
    assert.deepEqual((await rows("select id from {target}.parts order by 1")).flat(), [
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
    ]);
    const relations = await rows(
      "select table_name, table_type from information_schema.tables where table_schema = '{target}' and table_name not like 'awsdms%' order by 1",
    );
    // The excluded view is moved as one where a whole schema is.
    const views = from === "postgres" && to === "postgres" ? [["above", "VIEW"]] : [];
    const sums = from === "postgres" ? [["sums", "BASE TABLE"]] : [];
    assert.deepEqual(relations, [...views, ["heavy", "BASE TABLE"], ["parts", "BASE TABLE"], ...sums]);
    if (from === "postgres") {
      assert.deepEqual(
        (await rows("select kind, weight from {target}.sums where kind is not null order by 1")).map(
          ([kind, weight]) => [kind, Number(weight)],
        ),
        [
          ["a", 5.5],
          ["b", 20],
          ["c", 6],
        ],
      );
    }
    const told = findings.filter(({ code }) =>
      ["source.not_moved", "source.not_transactional"].includes(code),
    );
    assert.doesNotMatch(JSON.stringify(told), /heavy|sums/);
    const journal = to === "postgres" ? "awsdms_load_state" : "awsdms_control.awsdms_load_state";
    assert.deepEqual(
      await rows(`select distinct table_name, range_kind, loaded_rows from ${journal} order by 1, 3 desc`),
      [
        ["heavy", "whole", "4"],
        ["parts", "range", "3"],
        ["parts", "range", "2"],
        ["parts", "range", "1"],
        ...(from === "postgres" ? [["sums", "whole", "4"]] : []),
      ],
    );
  });
}

test("views are refused in a task that applies changes", async () => {
  const database = await postgres.createDatabase("views");
  await postgres.query("create table t (id int primary key); create view v as select id from t", database);
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(postgres, database),
      target: endpointOf(postgres, await postgres.createDatabase("views")),
      tableMappings: JSON.stringify({
        rules: [
          {
            ...{ "rule-type": "selection", "rule-id": 1, "rule-action": "include" },
            "object-locator": { "schema-name": "public", "table-name": "%", "table-type": "view" },
          },
        ],
      }),
    }),
  );
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "failed");
  assert.match(JSON.stringify(outcome), /mapping\.unsupported.*full-load-and-cdc/);
});

test("a view that cannot be read is told, and the others come", async () => {
  const schema = await mariadb.createDatabase("views");
  const target = await mariadb.createDatabase("views");
  await mariadb.query(
    `create table t (id int primary key); insert into t values (7); create table gone (id int);
     create view good as select id from t; create view bad as select id from gone; drop table gone`,
    schema,
  );
  const task = new ObservedTask(
    taskSpec({
      type: "full-load",
      ...{ source: mariadb.endpoint(schema), target: mariadb.endpoint(target) },
      settings: JSON.stringify({ TargetMetadata: { TargetSchema: target } }),
      tableMappings: JSON.stringify({
        rules: [
          {
            ...{ "rule-type": "selection", "rule-id": 1, "rule-action": "include" },
            "object-locator": { "schema-name": "views%", "table-name": "%", "table-type": "view" },
          },
        ],
      }),
    }),
  );
  assert.equal((await task.running.outcome).state, "stopped");
  const errors = task.findings.filter(({ severity }) => severity === "error");
  assert.deepEqual(
    errors.map(({ code, table }) => [code, table]),
    [["source.view_unreadable", { schema, name: "bad" }]],
  );
  assert.deepEqual(await mariadb.query("select * from good", target), [{ id: "7" }]);
});
