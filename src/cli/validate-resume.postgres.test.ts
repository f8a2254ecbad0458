import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CommandLine, tidewayHere } from "../../test/support/command-line.ts";
import { eventually } from "../../test/support/eventually.ts";
import type { Arming } from "../../test/support/killable.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { runProgram } from "../../test/support/run-program.ts";
import { serverOfFile } from "../../test/support/server-pair.ts";
import { ProgressFile } from "./validation-progress.ts";

const server = await serverOfFile(startPostgres());
const directory = await mkdtemp(join(tmpdir(), "tideway-resume-"));
after(() => rm(directory, { recursive: true, force: true }));

const PROGRAM = join(import.meta.dirname, "../../bin/tideway.js");

/** Runs the command as a process that kills itself at a place. */
async function killed(at: Arming, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, TIDEWAY_FAILPOINT: at };
  const { code, output } = await runProgram(process.execPath, [PROGRAM, ...args], { env });
  assert.notEqual(code, 0, output);
  assert.notEqual(code, 3, output);
  return output;
}

interface Report {
  readonly differences: readonly object[];
  readonly tables: readonly { readonly seconds: number }[];
  readonly checks: readonly object[];
  readonly isEqual: boolean;
  readonly takenOver?: { readonly tables: number; readonly left: number };
}

const read = async (path: string): Promise<Report> => JSON.parse(await readFile(path, "utf8"));

/** What does not depend on when, and in which order, it was found. */
function whole({ differences, tables, checks, isEqual }: Report): object {
  const sorted = (list: readonly object[]): readonly string[] =>
    list.map((one) => JSON.stringify(one)).sort();
  return {
    ...{ differences: sorted(differences), checks: sorted(checks), isEqual },
    tables: sorted(tables.map(({ seconds: _seconds, ...table }) => table)),
  };
}

/** Tables in the order in which one session compares them. */
async function pair(): Promise<{ readonly to: string; readonly args: readonly string[] }> {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  for (const database of [from, to]) {
    await server.query(
      `create table a (id int primary key, word text); insert into a select i, 'word ' || i from generate_series(1, 90) i;
       create table b (like a including all); insert into b table a; create table c (like a including all); insert into c table a;
       create table d (word text); insert into d select word from a; create table e (like a including all); create table f (id int primary key)`,
      database,
    );
  }
  await server.query(
    `delete from a where id % 10 = 0; update b set word = 'changed' where id <= 40; insert into d values ('word 1'), ('more');
     alter table e drop column word; drop table f`,
    to,
  );
  const args = ["validate", "--settle", "0", "--sessions", "1", "--totals", server.url(from), server.url(to)];
  return { to, args };
}

test("a comparison that was killed twice comes to the report of one that was not", async () => {
  const { args } = await pair();
  const [undisturbed, resumed] = ["undisturbed", "resumed"].map((name) => join(directory, `${name}.json`));
  assert.equal((await tidewayHere(...args, "--report", undisturbed!)).code, 3);
  const file = join(directory, "progress");
  const going = [...args, "--resume", file, "--report", resumed!];
  await killed("validation.table-recorded", ...going);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  // In the middle of a table: what has been found of it does not count.
  const second = await killed("validation.difference-recorded:25", ...going);
  assert.match(second, /: 1 table taken over as found then\. 5 are left to compare\.$/m);
  appendFileSync(file, '{"difference":{"table":{"schema":"public","na');
  const last = await tidewayHere(...going);
  assert.equal(last.code, 3, last.stderr);
  assert.match(last.stdout, /: 1 table taken over as found then\. 5 are left to compare\.$/m);
  const report = await read(resumed!);
  assert.deepEqual(whole(report), whole(await read(undisturbed!)));
  assert.ok(report.differences.length > 50);
  assert.deepEqual([report.takenOver?.tables, report.takenOver?.left], [1, 5]);
  assert.deepEqual((await readdir(directory)).sort(), ["resumed.json", "undisturbed.json"]);
});

test("a table that has another shape than when it was compared is compared again, others are not", async () => {
  const { to, args } = await pair();
  const file = join(directory, "shapes");
  const going = [...args, "--resume", file, "--json"];
  await killed("validation.table-recorded:3", ...going);
  const taken = (await readFile(file, "utf8")).split("\n").flatMap((line): string[] => {
    const entry = line === "" ? {} : JSON.parse(line);
    return entry.shape === undefined ? [] : [entry.table.table.name];
  });
  assert.equal(taken.length, 3);
  for (const name of ["a", "b"]) await server.query(`alter table ${name} add n int; delete from ${name}`, to);
  const { stdout } = await tidewayHere(...going);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const rowsOf = (name: string): number =>
    events.find((event) => event.event === "table" && event.name === name).rows.target;
  assert.deepEqual(["a", "b", "c"].map(rowsOf), [0, 0, 90]);
  assert.equal(
    events.find(({ event }) => event === "resumed").tables,
    taken.filter((name) => name > "b").length,
  );
});

test("a file of another comparison, of something else, or in use is refused and stays as it is", async () => {
  const { args } = await pair();
  const file = join(directory, "other");
  await killed("validation.table-recorded", ...args, "--resume", file);
  const before = await readFile(file, "utf8");
  assert.ok(!before.includes(server.password));
  const refused = async (code: string, message: RegExp, ...more: readonly string[]): Promise<void> => {
    const { code: exit, stderr } = await tidewayHere(...args, "--resume", file, ...more);
    assert.equal(exit, 2);
    assert.match(stderr, new RegExp(`^error ${code.replace(".", "\\.")}: `, "m"));
    assert.match(stderr, message);
  };
  await refused("validation.other_request", /with another --values\. \(/, "--values");
  await refused(
    "validation.other_request",
    /another selection or document of mappings/,
    "--include",
    "public.a",
  );
  {
    using _held = await ProgressFile.open(join(directory, "held"), {});
    await assert.rejects(ProgressFile.open(join(directory, "held"), {}), { code: "usage.run_in_progress" });
  }
  assert.equal(await readFile(file, "utf8"), before);

  await writeFile(file, "something of mine\n");
  await refused("validation.progress_file", /none that a comparison has made/);
  assert.equal(await readFile(file, "utf8"), "something of mine\n");
  const nowhere = await tidewayHere(...args, "--resume", "/does/not/exist/progress");
  assert.match(
    nowhere.stderr,
    /^error validation\.progress_file: The file of --resume cannot be used \(ENOENT\)/m,
  );
});

test("a table whose comparison has failed keeps the file, and is compared again", async () => {
  const { to, args } = await pair();
  const file = join(directory, "failed");
  const view = "create view c as select id, (1 / (id - 1))::text as word from generate_series(1, 90) id";
  await server.query(`drop table c; ${view}`, to);
  const failed = await tidewayHere(...args, "--resume", file);
  assert.match(failed.stdout, /^failed +public\.c /m);
  await server.query(
    "create or replace view c as select id, 'word ' || id as word from generate_series(1, 90) id",
    to,
  );
  const again = await tidewayHere(...args, "--resume", file);
  assert.match(again.stdout, /: 5 tables taken over as found then\. 1 is left to compare\.$/m);
  assert.match(again.stdout, /^equal +public\.c /m);
  assert.ok(!(await readdir(directory)).includes("failed"));
});

test("what a comparison that is killed has asked for ends with it", async () => {
  const [from, to] = [await server.createDatabase("from"), await server.createDatabase("to")];
  const ddl = "create table rows (id int primary key); insert into rows select generate_series(1, 1000);";
  await server.query(`${ddl} alter table rows rename to a`, from);
  await server.query(`${ddl} create view a as select * from rows where pg_sleep(1) is not null`, to);
  const asked = (): Promise<readonly unknown[]> =>
    server.query(
      `select from pg_stat_activity where datname = '${to}' and state = 'active' and application_name like 'tideway %'`,
    );
  await using command = new CommandLine(["validate", server.url(from), server.url(to)]);
  // It takes a second for each row.
  await eventually("the digests", async () => {
    const [slow] = await server.query(
      `select from pg_stat_activity where datname = '${to}' and wait_event = 'PgSleep'`,
    );
    return slow !== undefined;
  });
  command.kill("SIGKILL");
  await command.result;
  await eventually("their end", async () => (await asked()).length === 0);
});
