import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CommandLine, tideway } from "../../test/support/command-line.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";

let server: PostgresServer;
let directory: string;
before(async () => {
  server = await startPostgres();
  directory = await mkdtemp(join(tmpdir(), "tideway-retry-"));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const MENDED = "alter table a drop constraint few; alter table b drop constraint few";

/** Rows 1 and 2 of each table are refused until the target is mended; those of the second cannot be looked up. */
async function databases(): Promise<{ readonly source: string; readonly target: string }> {
  const source = await server.createDatabase("source");
  const target = await server.createDatabase("target");
  const tables = `create table a (id int primary key, t text); create table b (id int, t text);
    alter table b replica identity full`;
  await server.query(
    `${tables}; insert into a select i, 'secret' from generate_series(1, 9) i; insert into b table a`,
    source,
  );
  await server.query(
    `${tables}; alter table a add constraint few check (id > 2); alter table b add constraint few check (id > 2)`,
    target,
  );
  return { source, target };
}

async function idsOf(table: string, database: string): Promise<readonly number[]> {
  return (await server.query(`select id from ${table} order by id`, database)).map(({ id }) => id);
}

const ALL = [1, 2, 3, 4, 5, 6, 7, 8, 9];

for (const type of ["full-load", "full-load-and-cdc"]) {
  test(`migrate --type ${type} brings refused rows when it is told to`, async () => {
    const { source, target } = await databases();
    const args = [
      "migrate",
      server.url(source),
      server.url(target),
      "--type",
      type,
      "--prep-mode",
      "do-nothing",
    ];
    args.push("--data-dir", directory, ...(type === "full-load" ? [] : ["--until-caught-up"]));
    const never = await tideway([...args, "--retry-errors"]);
    assert.equal(never.code, 2);
    assert.match(never.stderr, /There is no earlier run/);
    assert.equal((await tideway([...args, "--retry-errors", "--fresh"])).code, 2);
    assert.equal((await tideway(args)).code, 3);
    const inVain = await tideway([...args, "--retry-errors"]);
    assert.equal(inVain.code, 3, inVain.stderr);
    assert.match(
      inVain.stdout,
      /public\.a: 2 recorded, 0 came or are settled, 2 left\n {2}2 with (?:apply|load)\.rejected/,
    );
    await server.query(MENDED, target);
    await server.query("delete from a where id = 2; update a set t = 'now' where id = 1", source);
    if (type === "full-load") await server.query("insert into a values (1, 'of the application')", target);
    const last = await tideway([...args, "--retry-errors"]);
    assert.equal(last.code, 3, "b is left");
    assert.match(
      last.stdout,
      /public\.b: 2 recorded, 0 came or are settled, 2 left\n(?:.*\n)* {2}2 could not be tried: its rows have no key/,
    );
    assert.doesNotMatch(last.stdout + last.stderr, /secret/);
    assert.deepEqual(
      await idsOf("a", target),
      ALL.filter((id) => id !== 2),
    );
    const [row] = await server.query("select t from a where id = 1", target);
    // Nothing of an application that uses the target by now is lost.
    assert.equal(row.t, type === "full-load" ? "of the application" : "now");
    assert.match(
      last.stdout,
      type === "full-load"
        ? /public\.a: 2 recorded, 1 came .* 1 left/
        : /public\.a: \d recorded, \d came .* 0 left/,
    );
    assert.deepEqual(await idsOf("b", target), ALL.slice(2));
    await tideway([...args, "--end"]);
  });
}

test("a server tries refused rows again of tasks that run and of loads that are over", async () => {
  const { source, target } = await databases();
  const dataDir = join(directory, "server");
  await using serving = new CommandLine(["serve", "--port", "0", "--data-dir", dataDir]);
  await serving.line((line) => line.includes("aws dms describe-endpoints"));
  const run = async (code: number, ...args: string[]): Promise<string> => {
    const result = await tideway([...args, "--data-dir", dataDir]);
    assert.equal(result.code, code, `${args.join(" ")}: ${result.stderr}`);
    return result.stdout + result.stderr;
  };
  const settings = join(directory, "settings.json");
  await writeFile(settings, JSON.stringify({ FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } }));
  await run(0, "instance", "create", "worker-1", "--wait");
  await run(0, "endpoint", "create", "old", server.url(source), "--type", "source");
  await run(0, "endpoint", "create", "new", server.url(target), "--type", "target");
  const create = ["--source", "old", "--target", "new", "--include", "public.a", "--settings", settings];
  await run(0, "task", "create", "follow", "--type", "full-load-and-cdc", ...create);
  assert.match(
    await run(1, "task", "retry-errors", "follow"),
    /InvalidResourceStateFault: The task follow is ready/,
  );
  await run(3, "task", "start", "follow", "--wait");
  assert.match(
    await run(3, "task", "retry-errors", "follow", "--wait"),
    /public\.a: 2 recorded, 0 came .* 2 left/,
  );
  assert.match(
    await run(2, "task", "retry-errors", "follow", "--table", "public.none"),
    /has no table public\.none/,
  );
  await server.query(MENDED, target);
  const told = await run(0, "task", "retry-errors", "follow", "--wait", "--json", "--table", "public.a");
  const { Status, Tables } = JSON.parse(told);
  assert.deepEqual(
    [Status, Tables],
    [
      "done",
      [
        {
          ...{ SchemaName: "public", TableName: "a" },
          ...{ Recorded: 2, Settled: 2, Left: 0 },
          Untried: 0,
          Codes: [],
        },
      ],
    ],
  );
  assert.deepEqual(await idsOf("a", target), ALL);
  await eventually("no row to be left out", async () => {
    const tables = JSON.parse(await run(0, "task", "tables", "follow", "--json"));
    return tables[0].FullLoadErrorRows === 0;
  });
  await run(0, "task", "stop", "follow", "--wait");
  assert.match(
    await run(1, "task", "retry-errors", "follow"),
    /The task follow is stopped: rows are tried again while it runs/,
  );

  await server.query(
    "drop table a; create table a (id int primary key constraint few check (id > 2), t text)",
    target,
  );
  await run(0, "task", "create", "once", "--type", "full-load", ...create);
  await run(3, "task", "start", "once", "--wait");
  await server.query("alter table a drop constraint few", target);
  assert.match(
    await run(0, "task", "retry-errors", "once", "--wait"),
    /public\.a: 2 recorded, 2 came .* 0 left/,
  );
  assert.deepEqual(await idsOf("a", target), ALL);
  await run(0, "task", "delete", "once", "--wait");
  await run(0, "task", "delete", "follow", "--wait");
});
