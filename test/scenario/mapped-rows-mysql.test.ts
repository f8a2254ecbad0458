import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { RuleNumbers } from "../support/mapping-rules.ts";
import { MysqlPair } from "../support/mysql-pair.ts";
import { postgresToMysql, ToMysqlPair } from "../support/postgres-to-mysql.ts";
import { assertStopped } from "../support/task.ts";
import { assertNoConflicts } from "../support/task-pair.ts";
import type { TaskRuns } from "../support/task-runs.ts";

/*
 * Rows that table mappings make into others, from MariaDB to PostgreSQL and back: what the target ends with is what the
 * source's own rows come to when the rules are carried out by hand.
 */

const { source: postgres, target: mariadb } = await postgresToMysql({ flavour: "mariadb" });

const rows = Array.from({ length: 300 }, (_, i) => {
  return `(${i + 1}, ${i % 100}, ${i}.25, 'note ${i}', 'body ${i} \\\\ x', '2026-02-28 01:02:0${i % 10}')`;
});

const schema = `create table t (id int primary key, a int, price decimal(10, 2), note varchar(100), body text,
    at timestamp(0) null, gone varchar(10));
  create table kept (id int primary key, v varchar(20));
  insert into t (id, a, price, note, body, at) values ${rows.join(", ")};
  insert into kept values (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four')`;

/** Updates move rows into the filter and out of it, by a column that no key tells of. */
const changes = [
  "update t set a = a + 1",
  "update t set a = a + 40, note = concat(note, '!') where id < 50",
  "update t set id = id + 1000 where id > 290",
  "update t set id = id + 2000, a = 60 - a where id < 10",
  "delete from t where id > 100 and id < 140",
  "insert into t values (140000, 5, 1.10, null, null, null, 'x'), (140001, 45, 2.20, 'out', '12', null, 'y')",
  "update t set price = price * 3, body = null where a > 70",
  "delete from kept where id in (2, 3)",
  "update kept set v = 'other' where id = 4",
  "insert into kept values (3, 'again'), (5, 'five')",
];

function mappings(): string {
  const { rule, selection } = new RuleNumbers("%");
  const outside = { "filter-operator": "notbetween", "start-value": "31", "end-value": "59" };
  const add = (table: string, value: string, expression: string, type: object) =>
    rule({ "table-name": table }, "add-column", { value, expression, "data-type": type });
  return JSON.stringify({
    rules: [
      selection("t", [{ "filter-type": "source", "column-name": "a", "filter-conditions": [outside] }]),
      selection("kept"),
      rule({ "table-name": "t", "column-name": "gone" }, "remove-column"),
      rule({ "table-name": "t", "column-name": "note" }, "data-masking-hash-mask"),
      rule({ "table-name": "t", "column-name": "body" }, "data-masking-digits-mask", { value: "*" }),
      add("t", "total", "$price * 2 + $a", { type: "numeric", precision: 12, scale: 2 }),
      add("t", "day", "substr($at, 1, 10)", { type: "string", length: 10 }),
      rule({ "table-name": "kept", "column-name": "%" }, "add-before-image-columns", {
        "before-image-def": { "column-prefix": "was_", "column-filter": "all" },
      }),
      add("kept", "op", "operation_indicator('D', 'U', 'I')", { type: "string", length: 1 }),
    ],
  });
}

type Row = Readonly<Record<string, unknown>>;

const day = "2026-02-28";

/** What the rules make of a row of t, in texts. */
function made({ id, a, price, note, body, at }: Row): readonly (string | null)[] {
  const text = (value: unknown): string | null => (value == null ? null : String(value));
  const hash = note == null ? null : createHash("sha256").update(String(note)).digest("hex");
  const total = price == null ? null : (Number(price) * 2 + Number(a)).toFixed(2);
  const masked = text(body)?.replaceAll(/\d/g, "*") ?? null;
  return [text(id), text(a), text(price), hash, masked, total, at == null ? null : day];
}

interface Sides {
  readonly pair: TaskRuns;
  readonly onSource: (sql: string) => Promise<readonly Row[]>;
  readonly onTarget: (sql: string) => Promise<readonly Row[]>;
  /** The source sends whole rows before changes, though it tells rows by their keys. */
  readonly tellsBefore: boolean;
}

async function assertMapped({ pair, onSource, onTarget, tellsBefore }: Sides): Promise<void> {
  const task = await pair.replicate();
  for (const sql of changes) await onSource(sql);
  task.running.drain();
  assertStopped(await task.running.outcome);
  const wanted = (await onSource("select * from t order by id"))
    .filter(({ a }) => Number(a) < 31 || Number(a) > 59)
    .map(made);
  const found = await onTarget("select id, a, price, note, body, total, day from t order by id");
  const texts = found.map((row) => Object.values(row).map((value) => (value == null ? null : String(value))));
  assert.ok(wanted.length > 100);
  assert.deepEqual(texts, wanted);
  const kept = await onTarget("select id, v, op, was_id, was_v from kept order by id");
  assert.deepEqual(
    kept.map((row) => Object.values(row).map(String).join(" ")),
    [
      "1 one I null null",
      "2 two D null null",
      "3 again I null null",
      `4 other U 4 ${tellsBefore ? "four" : "null"}`,
      "5 five I null null",
    ],
  );
}

test("rows are made on their way from MariaDB to PostgreSQL", async () => {
  const servers = { source: mariadb, target: postgres };
  const pair = await MysqlPair.make(servers, { name: "mapped", schema, tableMappings: mappings() });
  await assertMapped({
    ...{ pair, tellsBefore: true },
    onSource: (sql) => pair.query(sql),
    onTarget: (sql) => pair.queryTarget(sql),
  });
  await assertNoConflicts(postgres, pair.to);
});

test("rows are made on their way from PostgreSQL to MariaDB", async () => {
  const servers = { source: postgres, target: mariadb };
  const pair = await ToMysqlPair.make(servers, {
    sql: `create schema mapped_back; set search_path = mapped_back; ${schema}`,
    schemas: ["mapped_back"],
    tableMappings: mappings(),
  });
  await assertMapped({
    ...{ pair, tellsBefore: false },
    onSource: (sql) => pair.query(`set search_path = mapped_back; ${sql}`),
    onTarget: (sql) => mariadb.query(sql, "mapped_back"),
  });
});
