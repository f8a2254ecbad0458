import assert from "node:assert/strict";
import { test } from "node:test";
import type { MigrationError } from "../../src/core/error.ts";
import type { RowErrorPolicies } from "../../src/core/row-errors.ts";
import { ApplyMode } from "../../src/core/target.ts";
import type { ChangeFlow } from "./change-flow.ts";
import { LOG } from "./row-error-policies.ts";

/** What a suite of row errors needs of a replication, whatever its target is. */
export interface RowErrorFlow extends ChangeFlow, AsyncDisposable {
  open(): Promise<void>;
  queryTarget(sql: string): Promise<readonly Record<string, unknown>[]>;
  assertEqual(): Promise<void>;
}

export interface RowErrorDialect {
  /** Starts with tables of the same names on both sides. */
  start(schema: string, targetSchema: string): Promise<RowErrorFlow>;
  /** What makes a type of texts on the target for which case is nothing, and that type. */
  readonly folding: { readonly make: string; readonly type: string };
  /** All exceptions in the order in which they came: statement and error. */
  exceptions(flow: RowErrorFlow): Promise<readonly (readonly [statement: string, error: string])[]>;
}

/** Goes on with other policies than usual; see ApplyRequest. */
export async function reopen(
  flow: RowErrorFlow,
  policies: Partial<RowErrorPolicies>,
  screens = false,
): Promise<void> {
  await flow.close();
  flow.onErrors = { rowErrors: { ...LOG, ...policies }, screens };
  await flow.open();
}

/** The object that stands in a statement. */
function told(statement: string): {
  readonly key?: unknown;
  readonly values?: unknown;
  readonly at?: unknown;
} {
  return JSON.parse(statement.slice(statement.indexOf(" {")));
}

const T = "create table t (id int primary key, v varchar(20))";

export function rowErrorCases({ start, folding, exceptions }: RowErrorDialect): void {
  test("a policy makes the target's row what the source has", async () => {
    await using r = await start(T, T);
    await reopen(r, { insertPresent: "overwrite", updateMissing: "insert" });
    await r.queryTarget("insert into t values (1, 'in the way')");
    await r.write("insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
    await r.queryTarget("delete from t where id > 1");
    await r.write("update t set v = 'bb' where id = 2; update t set id = 4 where id = 3");
    await r.assertEqual();
    assert.deepEqual(r.counts("t"), [3, 2, 0, 0]);
    await r.queryTarget("delete from t where id = 1");
    await r.write("delete from t where id = 1");
    assert.deepEqual(r.counts("t"), [3, 2, 0, 1]);
    assert.equal((await exceptions(r)).length, 1);
  });

  test("a policy makes a conflict its table's error or the task's, and nothing of its transaction stays", async () => {
    await using r = await start(
      `${T}; create table other (id int primary key)`,
      `${T}; create table other (id int primary key)`,
    );
    for (const [policies, change, code] of [
      [{ insertPresent: "suspend-table" }, "insert into t values (1, 'x')", "apply.row_exists"],
      [{ updateMissing: "stop-task" }, "update t set v = 'y'", "apply.row_missing"],
      [{ deleteMissing: "suspend-table" }, "delete from t", "apply.row_missing"],
    ] as const) {
      await reopen(r, policies);
      if (code === "apply.row_exists") await r.queryTarget("insert into t values (1, 'in the way')");
      else await r.queryTarget("delete from t");
      await r.query(`begin; insert into other values (1); ${change}; commit`);
      const error = (await r.failure()) as MigrationError;
      const stops = Object.values(policies).includes("stop-task");
      assert.equal(error.code, stops ? "apply.stopped_by_policy" : code);
      assert.deepEqual(error.table, stops ? undefined : { schema: "public", name: "t" });
      assert.deepEqual(await r.queryTarget("select id from other"), []);
      // Let through, it is recorded.
      await reopen(r, {});
      await r.write("delete from other");
      const [statement, said] = (await exceptions(r)).at(-1)!;
      assert.equal(said.slice(0, code.length), code);
      assert.deepEqual(told(statement).key, { id: "1" });
    }
  });

  test("conflicts count up to a limit over restarts", async () => {
    await using r = await start(T, T);
    const conflictLimit = { count: 3, action: "suspend-table" } as const;
    await r.queryTarget("insert into t values (1, 'x'), (2, 'x'), (3, 'x')");
    await reopen(r, { conflictLimit });
    await r.write("insert into t values (1, 'a')");
    await r.write("insert into t values (2, 'a')");
    await reopen(r, { conflictLimit });
    await r.write("insert into t values (4, 'd')");
    await r.query("insert into t values (3, 'a')");
    const error = (await r.failure()) as MigrationError;
    assert.equal(error.code, "apply.too_many_errors");
    assert.deepEqual(error.table, { schema: "public", name: "t" });
    assert.equal((await exceptions(r)).length, 2);
  });

  test("a change touches no row whose key is the same for the target alone", async () => {
    const table = (type: string): string => `create table f (id ${type} primary key, v varchar(20))`;
    await using r = await start(table("varchar(20)"), `${folding.make} ${table(folding.type)}`);
    const rows = async (): Promise<readonly string[]> => {
      const found = await r.queryTarget("select id, v from f where v <> 'many'");
      return found.map(({ id, v }) => `${id} ${v}`).sort();
    };
    await reopen(r, {}, true);
    await r.write("insert into f values ('keep', 'a'), ('other', 'b')");
    await r.write("insert into f values ('KEEP', 'in the way')");
    await r.write("update f set v = 'c' where id = 'KEEP'; update f set v = 'd' where id = 'keep'");
    await r.write("update f set id = 'Keep' where id = 'KEEP'; update f set id = 'OTHER' where id = 'other'");
    await r.write("delete from f where id = 'Keep'");
    assert.deepEqual(await rows(), ["OTHER b", "keep d"]);
    // So many that they would go as sets.
    await r.write(
      "insert into f select 'n' || i, 'many' from generate_series(1, 99) i; insert into f values ('KEEP', 'e')",
    );
    await r.write(
      "begin; update f set v = 'many' where id <> 'keep'; delete from f where id <> 'keep'; commit",
    );
    assert.deepEqual(await rows(), ["keep d"]);
    r.mode = ApplyMode.converge;
    await r.write("insert into f values ('KEEP', 'f'), ('new', 'g')");
    await r.write("update f set v = 'h' where id = 'KEEP'; update f set v = 'i' where id = 'keep'");
    await r.write("delete from f where id = 'KEEP'; update f set id = 'NEW' where id = 'new'");
    assert.deepEqual(await rows(), ["NEW g", "keep i"]);
    r.mode = undefined;
  });

  test("rows that the target refuses are passed over one by one, once, and all others come", async () => {
    const narrow =
      "create table t (id int primary key, v varchar(3)); create table n (id int primary key, v int not null)";
    const wide =
      "create table t (id int primary key, v varchar(20)); create table n (id int primary key, v int); create table ok (id int primary key, v int)";
    await using r = await start(wide, `${narrow}; create table ok (id int primary key, v int)`);
    await r.query("insert into t values (1, 'secret')");
    const refusal = (await r.failure()) as MigrationError;
    assert.deepEqual([refusal.code, refusal.isOfRow], ["apply.rejected", true]);
    await reopen(r, {}, true);
    await r.write("insert into ok values (0, 0)");
    assert.deepEqual(r.applied.get(`"public"."t"`)?.refused, 1);
    // Sets of three tables of which two have such rows, in one group; then single changes.
    await r.write(
      `insert into t select i, case when i % 50 = 0 then 'secret' else 'v' end from generate_series(2, 200) i;
       insert into ok select i, i from generate_series(1, 200) i;
       insert into n select i, case when i = 77 then null else i end from generate_series(1, 200) i;
       update ok set v = -v`,
    );
    await r.write(
      "update t set v = 'longer' where id = 2; delete from t where id = 3; insert into n values (300, 1)",
    );
    const [sums] = await r.queryTarget(
      "select (select count(*) from t) as t, (select count(*) from n) as n, (select sum(v) from ok) as ok",
    );
    assert.deepEqual(Object.values(sums!).map(Number), [194, 200, -20100]);
    assert.deepEqual(r.applied.get(`"public"."t"`)?.refused, 6);
    const left = await exceptions(r);
    assert.deepEqual(
      left.map(([statement]) => [statement.split(" ")[0], told(statement).key]),
      [
        ["insert", { id: "1" }],
        ...[50, 100, 150, 200].map((id) => ["insert", { id: String(id) }]),
        ["insert", { id: "77" }],
        ["update", { id: "2" }],
      ],
    );
    assert.doesNotMatch(JSON.stringify(left), /secret|longer/);
    assert.ok(left.every(([statement]) => typeof told(statement).at === "string"));
    // The journal stands behind all of it: nothing comes again.
    await reopen(r, { withValues: true }, true);
    await r.write("update t set v = 'too long' where id = 4");
    assert.equal(r.applied.get(`"public"."t"`)?.refused, 7);
    const [statement] = (await exceptions(r)).at(-1)!;
    assert.deepEqual(told(statement).values, { id: "4", v: "too long" });
  });

  test("what comes into tables after they were emptied together stays, also when one of them has refused rows", async () => {
    const b = "create table b (id int primary key)";
    await using r = await start(
      `create table a (id int primary key, v varchar(20)); ${b}`,
      `create table a (id int primary key, v varchar(3)); ${b}`,
    );
    await reopen(r, {}, true);
    await r.write(`begin; insert into b values (1); insert into a values (1, 'secret'); truncate a, b;
      insert into b values (2); insert into a values (2, 'fit'), (3, 'secret'); commit`);
    const [sums] = await r.queryTarget("select (select sum(id) from a) as a, (select sum(id) from b) as b");
    assert.deepEqual(Object.values(sums!).map(Number), [2, 2]);
    assert.equal(r.applied.get(`"public"."a"`)?.refused, 2);
  });

  test("refused rows count up to a limit over restarts, and can be the task's error", async () => {
    await using r = await start(T, "create table t (id int primary key, v varchar(3))");
    const refusedLimit = { count: 3, action: "stop-task" } as const;
    await reopen(r, { refusedLimit }, true);
    await r.write("insert into t values (1, 'secret'), (2, 'secret'), (3, 'fit')");
    await reopen(r, { refusedLimit }, true);
    await r.query("begin; insert into t values (4, 'fit'), (5, 'secret'); commit");
    const error = (await r.failure()) as MigrationError;
    assert.deepEqual([error.code, error.table], ["apply.stopped_by_policy", undefined]);
    assert.deepEqual(
      (await r.queryTarget("select id from t")).map(({ id }) => Number(id)),
      [3],
    );
  });
}
