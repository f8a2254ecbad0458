import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type FileOutcome, runFile } from "./file-run.ts";

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "tideway-file-run-"));
});
after(() => rm(root, { recursive: true, force: true }));

/** Runs a test file with the given text. */
async function run(name: string, text: string, timeoutMs = 30_000): Promise<FileOutcome> {
  const file = `${name}.test.mjs`;
  await writeFile(join(root, file), `import { test, describe } from "node:test";\n${text}`);
  const directory = join(root, name);
  return runFile({ file, root, directory, environment: {}, timeoutMs }, AbortSignal.timeout(60_000));
}

test("passed, failed and skipped tests are counted at every depth, suites are not", async () => {
  const outcome = await run(
    "counts",
    `test("passes", () => {});
     test("is left out", { skip: "no server" }, () => {});
     describe("a group", () => {
       test("fails", () => { throw new Error("the cause"); });
       test("passes too", () => {});
     });`,
  );
  assert.equal(outcome.passed, 2);
  assert.equal(outcome.failed, 1);
  assert.deepEqual(outcome.skips, [{ name: "is left out", reason: "no server" }]);
  assert.equal(outcome.failures[0]?.name, "fails");
  assert.match(outcome.failures[0]?.error ?? "", /the cause/);
});

test("a file without tests fails", async () => {
  const outcome = await run("empty", "");
  assert.equal(outcome.failed, 1);
  assert.match(outcome.failures[0]?.error ?? "", /holds no tests/);
});

test("a file that cannot be read as a program fails and shows why", async () => {
  const outcome = await run("broken", `import "./does-not-exist.mjs";`);
  assert.equal(outcome.failed, 1);
  assert.match(outcome.output, /does-not-exist/);
});

test("a file that ends before its tests are through fails", async () => {
  const outcome = await run(
    "ends",
    `test("first", () => {}); test("second", () => process.kill(process.pid, 9));`,
  );
  assert.ok(outcome.failed > 0);
  assert.match(outcome.failures[0]?.error ?? "", /ended by SIGKILL/);
});

test("a file that hangs is ended after its time, and the test that hung is named", async () => {
  const outcome = await run(
    "hangs",
    `test("waits for ever", () => new Promise((resolve) => setTimeout(resolve, 1e9)));`,
    5_000,
  );
  assert.equal(outcome.failed, 1);
  assert.match(outcome.failures[0]?.error ?? "", /took too long.*waits for ever/);
});

test("processes that a file leaves behind are ended and the file fails, even when they detached", async () => {
  const outcome = await run(
    "leaves",
    `import { spawn } from "node:child_process";
     test("starts", () => {
       for (const detached of [false, true]) {
         spawn(process.execPath, ["-e", "setTimeout(() => {}, 1e9)"], { detached, stdio: "ignore" }).unref();
       }
     });`,
  );
  assert.equal(outcome.passed, 1);
  assert.equal(outcome.failed, 1);
  const error = outcome.failures[0]?.error ?? "";
  assert.match(error, /left processes running/);
  assert.equal(error.match(/setTimeout/g)?.length, process.platform === "linux" ? 2 : 1);
});
