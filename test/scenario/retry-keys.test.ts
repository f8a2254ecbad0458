import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startMysql } from "../support/mysql-server.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { type RetryPair, retryKinds } from "../support/retry-pair.ts";
import { serverOfFile } from "../support/server-pair.ts";

/*
 * Keys that the source tells apart and the target takes for the same: a row that is tried again never costs another one. Keys that
 * are the same, however either side writes them, are found.
 */

const [postgres, otherPostgres, mysql] = await Promise.all([
  serverOfFile(startPostgres()),
  serverOfFile(startPostgres()),
  serverOfFile(startMysql({ flavour: "mariadb" })),
]);
const servers = { postgres, otherPostgres, mysql };

const pairs: RetryPair[] = [];
after(() => Promise.all(pairs.map(({ runs }) => runs.end())));

/** Of the target's key, for which 'a' and 'A' are the same. */
const FOLDING: Readonly<Record<string, string>> = {
  "PostgreSQL to PostgreSQL": "varchar(20) collate folding",
  "PostgreSQL to MariaDB": "varchar(20) character set utf8mb4 collate utf8mb4_general_ci not null",
};
const COLLATION =
  "create collation folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";

for (const { name, alter, make } of retryKinds.filter((kind) => kind.name in FOLDING)) {
  test(`${name}: what is tried again deletes and overwrites no row but its own`, async () => {
    const folds = `alter table k ${alter("id", FOLDING[name]!)}`;
    const pair = await make(servers, {
      tables: "create table k (id varchar(20) primary key, v varchar(40))",
      narrow: `${name.endsWith("PostgreSQL") ? COLLATION : ""} ${folds}; alter table k ${alter("v", "varchar(4)")}`,
      names: ["k"],
    });
    pairs.push(pair);
    await pair.write("insert into k values ('changed', 'old'), ('a', 'one')");
    const task = await pair.runs.replicate();
    assert.ok(
      task.findings.some(({ code, table }) => code === "target.key_collation" && table?.name === "k"),
    );
    // Each is refused, or finds no row.
    await pair.write("insert into k values ('abc', 'far too long'), ('came', 'far too long')");
    await pair.write("update k set id = 'ABC', v = 'new' where id = 'abc'");
    await pair.write("update k set v = 'far too long' where id = 'changed'");
    await pair.write("insert into k values ('A', 'two')");
    await pair.write("insert into k values ('gone', 'far too long')");
    await pair.write("delete from k where id = 'gone'");
    await task.until(({ tables }) => tables.every(({ refused, conflicts }) => refused + conflicts === 7));
    await pair.target("insert into k values ('GONE', 'mine')");
    await pair.target(`alter table k ${alter("v", "varchar(40)")}`);
    task.running.retryErrors({ number: 1, tables: undefined });
    await task.until(({ retry }) => retry?.state === "done" || retry?.state === "failed");
    assert.equal(task.last!.retry?.error, undefined);
    assert.deepEqual((await pair.target("select id, v from k")).map(({ id, v }) => `${id}: ${v}`).sort(), [
      "ABC: new",
      "GONE: mine",
      "a: one",
      "came: far too long",
      "changed: far too long",
    ]);
    const [tried] = task.last!.retry!.tables;
    assert.deepEqual([tried!.left, tried!.codes], [1, { "apply.rejected": 1 }]);
    await task.until(({ tables }) =>
      tables.every(({ refused, conflicts }) => refused === 1 && conflicts === 0),
    );
    await pair.runs.drain(task);
  });
}

for (const { name, alter, make } of retryKinds) {
  test(`${name}: a row is found by its key, whatever zeros and spaces stand at the end of that`, async () => {
    const pair = await make(servers, {
      tables: "create table f (d decimal(6, 2), c char(4), v varchar(40), primary key (d, c))",
      narrow: `alter table f ${alter("d", "decimal(8, 4)")}; alter table f ${alter("v", "varchar(4)")}`,
      names: ["f"],
    });
    pairs.push(pair);
    await pair.write("insert into f values (1.50, 'a', 'old'), (3.00, 'c', 'old'), (4.10, 'd', 'old')");
    const task = await pair.runs.replicate();
    await pair.write("update f set d = 2.50, c = 'b', v = 'far too long' where d = 1.5");
    await pair.write("update f set v = 'far too long' where d = 3");
    await task.until(({ tables }) => tables.every(({ refused }) => refused === 2));
    await pair.target(`alter table f ${alter("v", "varchar(40)")}`);
    task.running.retryErrors({ number: 1, tables: undefined });
    await task.until(({ retry }) => retry?.state === "done" || retry?.state === "failed");
    assert.equal(task.last!.retry?.error, undefined);
    await pair.runs.drain(task);
    assert.equal(await pair.recorded(), 0);
    assert.deepEqual(
      (await pair.target("select d, c, v from f"))
        .map(({ d, c, v }) => `${Number(d)} ${String(c).trim()} ${v}`)
        .sort(),
      ["2.5 b far too long", "3 c far too long", "4.1 d old"],
    );
  });
}

/** A type of keys, and one of its values. */
const KEYS = [
  ["int", "7"],
  ["bigint", "9007199254740993"],
  ["decimal(30, 10)", "12345678901234567890.0000000001"],
  ["varchar(20)", "'k''\"ü{} '"],
  ["char(6)", "'ab'"],
  ["date", "'2024-02-29'"],
  ["time(3)", "'23:59:59.125'"],
] as const;

for (const { name, alter, make } of retryKinds) {
  test(`${name}: a load's refused children come after their parents, whatever the type of the key that they share`, async () => {
    const each = (sql: (i: number, type: string, value: string) => string): string =>
      KEYS.map(([type, value], i) => sql(i, type, value)).join("; ");
    const v = (type: string): string =>
      each((i) => `alter table child${i} ${alter("v", type)}; alter table parent${i} ${alter("v", type)}`);
    // A child is tried before the parent that it needs.
    const pair = await make(servers, {
      tables: each(
        (i, type) => `create table parent${i} (k ${type} primary key, v varchar(40));
          create table child${i} (k ${type} primary key, v varchar(40),
            constraint f${i} foreign key (k) references parent${i} (k))`,
      ),
      narrow: v("varchar(4)"),
      names: KEYS.flatMap((_, i) => [`child${i}`, `parent${i}`]),
      type: "full-load",
    });
    pairs.push(pair);
    await pair.write(
      each((i, _, value) =>
        ["parent", "child"]
          .map((table) => `insert into ${table}${i} values (${value}, 'far too long')`)
          .join("; "),
      ),
    );
    await pair.runs.load();
    assert.equal(await pair.recorded(), 2 * KEYS.length);
    await pair.target(v("varchar(40)"));
    const { last } = await pair.runs.load({
      start: "resume-processing",
      retry: { number: 1, tables: undefined },
    });
    assert.deepEqual(
      last!.retry!.tables.map(({ settled, left }) => [settled, left]),
      last!.retry!.tables.map(() => [1, 0]),
    );
    assert.equal(await pair.recorded(), 0);
    await pair.assertEqual();
  });
}
