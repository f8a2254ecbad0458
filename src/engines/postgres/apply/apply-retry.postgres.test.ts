import assert from "node:assert/strict";
import { test } from "node:test";
import { connectAs, dropRole } from "../../../../test/support/plain-role.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { Replication } from "../../../../test/support/replication.ts";
import { reopen } from "../../../../test/support/row-error-cases.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import { CopyTextRows } from "../../../core/copy-text-rows.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { insertsOf, NOWHERE } from "../../../core/row-inserts.ts";

const server = await serverOfFile(startPostgres());
const never = new AbortController().signal;

const TABLES = "create table parent (id int primary key); create table child (id int primary key, p int)";
const REFERS = "alter table child add foreign key (p) references parent deferrable initially deferred";

/** Two rows of a table are refused; the user may not turn the target's foreign keys off. */
async function start(): Promise<Replication> {
  const r = await Replication.start({
    source: server,
    target: server,
    schema: TABLES,
    targetSchema: `${TABLES}; ${REFERS}`,
  });
  await connectAs(r, "grant temporary on database $database to $role");
  await reopen(r, {}, true);
  await r.write("insert into child values (1, 1), (2, 99)");
  return r;
}

interface Tried {
  readonly table: string;
  /** As COPY has them. */
  readonly copied: string;
  batches(rows: ChangeBatch): AsyncIterable<ChangeBatch>;
}

const CHILDREN = { table: "child", copied: "1\t1\n2\t99\n" };

/** Rows of a table as they are read from the source. */
function read(
  r: Replication,
  table: string,
  copied: string,
): { readonly plan: TablePlan; readonly rows: ChangeBatch } {
  const plan = r.plan.tables.find(({ source }) => source.id.name === table)!;
  const rows = new CopyTextRows();
  const text = Buffer.from(copied);
  rows.read(text, 0, text.length);
  const whole = { position: NOWHERE, begins: true, commits: true };
  return { plan, rows: insertsOf(plan.source, rows, whole) };
}

/** Tries all recorded rows of a table again; resolves with how many were refused. */
async function retry(r: Replication, { table, copied, batches }: Tried): Promise<number> {
  const { plan, rows } = read(r, table, copied);
  const page = { table: plan.target.id, after: undefined, limit: 10 };
  const exceptions = await r.journal.exceptions(page, never);
  assert.equal(exceptions.length, copied.split("\n").length - 1);
  let refusals = 0;
  await r.applier.retry({
    ...{ plan, exceptions, overwrites: true, batches: batches(rows) },
    refused: () => refusals++,
  });
  return refusals;
}

async function* once(rows: ChangeBatch): AsyncGenerator<ChangeBatch> {
  yield rows;
}

test("a row that a constraint refuses when the transaction ends is refused again by itself", async () => {
  await using r = await start();
  await r.write("insert into parent values (1)");
  const refusals = await retry(r, { ...CHILDREN, batches: once });
  assert.equal(refusals, 1);
  assert.deepEqual(await r.queryTarget("select id from child"), [{ id: 1 }]);
  const [recorded] = await r.queryTarget("select count(*)::int as n from awsdms_apply_exceptions");
  assert.equal(recorded.n, 1);
  await dropRole(r);
});

test("rows that cannot be read change nothing, and the applier goes on", async () => {
  await using r = await start();
  const unread = new Error("not to be read");
  const failing = retry(r, {
    ...CHILDREN,
    async *batches(rows) {
      yield rows;
      throw unread;
    },
  });
  await assert.rejects(failing, unread);
  const [recorded] = await r.queryTarget("select count(*)::int as n from awsdms_apply_exceptions");
  assert.equal(recorded.n, 2);
  await r.write("insert into parent values (1); insert into child values (3, 1)");
  assert.deepEqual(await r.queryTarget("select id from child"), [{ id: 3 }]);
  await dropRole(r);
});

test("a row that is there gets what no update may set, too", async () => {
  const schema = "create table g (id int primary key, n int generated always as identity, v text)";
  const targetSchema = `${schema}; alter table g add constraint few check (v <> 'refused')`;
  await using r = await Replication.start({ source: server, target: server, schema, targetSchema });
  await reopen(r, {}, true);
  await r.write("insert into g (id, v) values (1, 'old')");
  await r.write("update g set n = default, v = 'refused'");
  await r.queryTarget("alter table g drop constraint few");
  assert.equal(await retry(r, { table: "g", copied: "1\t2\trefused\n", batches: once }), 0);
  assert.deepEqual(await r.queryTarget("select * from g"), [{ id: 1, n: 2, v: "refused" }]);
});

test("rows that are recorded elsewhere are told when they are refused, and no limit takes notice", async () => {
  const schema = "create table e (id int primary key, v text)";
  const targetSchema = `${schema}; alter table e add constraint few check (v <> 'refused')`;
  await using r = await Replication.start({ source: server, target: server, schema, targetSchema });
  await reopen(r, { refusedLimit: { count: 1, action: "suspend-table" } }, true);
  await r.write("insert into e values (1, 'old')");
  const { plan, rows } = read(r, "e", "1\tnew\n2\trefused\n3\trefused\n");
  const errors: string[] = [];
  await r.applier.retry({
    ...{ plan, exceptions: undefined, overwrites: true, batches: once(rows) },
    refused: (_batch, _at, error) => errors.push(error.split(":")[0]!),
  });
  assert.deepEqual(errors, ["apply.rejected", "apply.rejected"]);
  assert.deepEqual(await r.queryTarget("select * from e"), [{ id: 1, v: "new" }]);
  const [recorded] = await r.queryTarget("select count(*)::int as n from awsdms_apply_exceptions");
  assert.equal(recorded.n, 0);
  await r.write("insert into e values (4, 'comes')");
  assert.deepEqual(await r.queryTarget("select id from e order by id"), [{ id: 1 }, { id: 4 }]);
});

/** Goes on as after a load. */
async function asLoad(r: Replication): Promise<void> {
  await r.close();
  r.onErrors = { ...r.onErrors, isOfLoad: true };
  await r.open();
}

test("triggers do not act on rows of a load that are tried again, whether foreign keys do or not", async () => {
  const tables =
    "create table parent (id int primary key); create table free (id int primary key); create table bound (id int)";
  const acts = `create function shout() returns trigger language plpgsql as 'begin raise exception ''acts''; end';
    create trigger shout before insert on free for each row execute function shout();
    create trigger shout before insert on bound for each row execute function shout();
    alter table bound add primary key (id), add foreign key (id) references parent`;
  await using r = await Replication.start({
    ...{ source: server, target: server },
    ...{ schema: `${tables}; alter table bound add primary key (id)`, targetSchema: `${tables}; ${acts}` },
  });
  await r.queryTarget(
    "alter table free add constraint few check (id > 1); alter table bound add constraint few check (id > 1)",
  );
  await reopen(r, {}, true);
  await r.write("insert into free values (1); insert into bound values (1)");
  await r.queryTarget("alter table free drop constraint few; alter table bound drop constraint few");
  await asLoad(r);
  assert.equal(await retry(r, { table: "free", copied: "1\n", batches: once }), 0);
  assert.deepEqual(await r.queryTarget("select id from free"), [{ id: 1 }]);
  const bound = { table: "bound", copied: "1\n", batches: once };
  await assert.rejects(retry(r, bound), (error) => {
    return error instanceof MigrationError && error.code === "apply.triggers_act";
  });
  await r.queryTarget("alter table bound disable trigger user");
  await asLoad(r);
  assert.equal(await retry(r, bound), 1);
  assert.deepEqual(await r.queryTarget("select id from bound"), []);
});
