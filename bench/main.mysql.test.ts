import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runModule } from "../test/support/run-program.ts";
import { median, type ProfileResult } from "./result.ts";

const PROFILES = ["my-lineitem", "my-wide", "my-load", "my-cdc/postgres-hot", "my-cdc/mariadb-many"];

test("loads and changes between MariaDB and PostgreSQL are measured, and every row is compared", async () => {
  const directory = await mkdtemp(join(tmpdir(), "bench-test-"));
  try {
    const file = join(directory, "results.json");
    const main = join(import.meta.dirname, "main.ts");
    const args = ["--scale", "0.001", "--pairs", "1", "--json", file, ...PROFILES];
    const { code, output } = await runModule(main, args);
    assert.equal(code, 0, output);
    const { profiles } = JSON.parse(await readFile(file, "utf8")) as { profiles: readonly ProfileResult[] };
    assert.deepEqual(
      profiles.map(({ profile, rows }) => [profile, rows]),
      PROFILES.map((name, i) => [name, [3000, 300, 3000, 300, 300][i]]),
    );
    for (const { profile, contenders } of profiles) {
      for (const contender of contenders) {
        const label = `${profile}, ${contender.name}`;
        if (contender.missing === undefined) assert.ok(median(contender, "wallS")! > 0, label);
        else assert.ok(output.includes(`${contender.name}: did not run`), label);
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
