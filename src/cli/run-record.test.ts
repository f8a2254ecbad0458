import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { MigrationError } from "../core/error.ts";
import { defaultDataDir, holdRun } from "./run-record.ts";

async function dataDir(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tideway-run-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof MigrationError && error.code === code;
}

const record = {
  version: 1,
  taskId: "migrate_1",
  name: "a",
  type: "cdc",
  state: "unfinished",
  changedAt: "2026-01-01T00:00:00.000Z",
} as const;

test("a record survives the process that wrote it, and is gone once forgotten", async (context) => {
  const directory = await dataDir(context);
  {
    await using run = await holdRun(directory, "migrate_1");
    assert.equal(await run.read(), undefined);
    await run.write(record);
  }
  await using again = await holdRun(directory, "migrate_1");
  assert.deepEqual(await again.read(), record);
  await again.forget();
  assert.equal(await again.read(), undefined);
});

test("two runs of one task at a time are refused, of two tasks are not", async (context) => {
  const directory = await dataDir(context);
  await using _first = await holdRun(directory, "migrate_1");
  await assert.rejects(holdRun(directory, "migrate_1"), hasCode("usage.run_in_progress"));
  await using _other = await holdRun(directory, "migrate_2");
});

test("the lock of a process that has died is taken over", async (context) => {
  const directory = await dataDir(context);
  await (await holdRun(directory, "x"))[Symbol.asyncDispose]();
  for (const left of ["", "nonsense", "999999999 1", `${process.pid} 1`]) {
    await writeFile(join(directory, "migrate", "x.lock"), left);
    await using _run = await holdRun(directory, "x");
  }
  assert.deepEqual(await readdir(join(directory, "migrate")), []);
});

test("the lock of a process that is about to write its mark is not taken over", async (context) => {
  const directory = await dataDir(context);
  await using _other = await holdRun(directory, "y");
  const mark = await readFile(join(directory, "migrate", "y.lock"), "utf8");
  const lock = join(directory, "migrate", "x.lock");
  await writeFile(lock, "");
  const refused = assert.rejects(holdRun(directory, "x"), hasCode("usage.run_in_progress"));
  // The other start is to read it while it is empty.
  for (let turn = 0; turn < 30; turn++) await readdir(directory);
  await writeFile(lock, mark);
  await refused;
  assert.equal(await readFile(lock, "utf8"), mark);
});

test("a record that cannot be understood counts as none", async (context) => {
  const directory = await dataDir(context);
  await using run = await holdRun(directory, "x");
  for (const text of ["", "{", "null", "[]", '{"version":2}']) {
    await writeFile(join(directory, "migrate", "x.json"), text);
    assert.equal(await run.read(), undefined, text);
  }
});

test("a data directory that cannot be used is named", async (context) => {
  const directory = await dataDir(context);
  const file = join(directory, "file");
  await writeFile(file, "");
  await assert.rejects(holdRun(file, "x"), hasCode("server.data_dir"));
});

test("the data directory comes from the environment before the user's state directory", (context) => {
  const before = { ...process.env };
  context.after(() => {
    process.env = before;
  });
  process.env["XDG_STATE_HOME"] = "/state";
  delete process.env["TIDEWAY_DATA_DIR"];
  assert.equal(defaultDataDir(), "/state/tideway");
  process.env["TIDEWAY_DATA_DIR"] = "/data";
  assert.equal(defaultDataDir(), "/data");
});
