import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { CommandLine, tideway } from "../../test/support/command-line.ts";

const groups = ["endpoint", "task", "instance"];

test("every command has help with an example", async () => {
  for (const command of ["", "migrate", "serve", ...groups]) {
    const args = command === "" ? ["--help"] : [command, "--help"];
    const { code, stdout } = await tideway(args);
    assert.equal(code, 0);
    assert.match(stdout, /Examples?:\n {2}tideway /, command);
  }
});

test("the version is the package's", async () => {
  assert.match((await tideway(["--version"])).stdout, /^\d+\.\d+\.\d+\n$/);
});

/** An older Node of this machine, if there is one. */
function olderNode(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .find((path) => {
      if (!existsSync(path)) return false;
      const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout;
      const major = Number(/^v(\d+)/.exec(version)?.[1]);
      return major >= 18 && major < 24;
    });
}

const old = olderNode();

test("an older Node hands over to the one that came with the package", {
  skip: old === undefined,
}, async () => {
  const wrong = await tideway(["nonsense"], { node: old! });
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.match(wrong.stderr, /^error usage\.invalid: /);
});

test("an older Node passes signals on", { skip: old === undefined }, async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "tideway-launcher-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  await using serving = new CommandLine(["serve", "--port", "0", "--data-dir", directory], { node: old! });
  await serving.line((line) => line.includes("aws dms"));
  serving.kill("SIGINT");
  const { code, stderr } = await serving.result;
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /Warning/);
});
