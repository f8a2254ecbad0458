import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runModule } from "../test/support/run-program.ts";
import type { ProfileResult } from "./result.ts";
import { median } from "./result.ts";

test("a load and a catch-up are measured against their peers, and every row is compared", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "bench-test-"));
  try {
    const file = join(directory, "results.json");
    const main = join(import.meta.dirname, "main.ts");
    const args = ["--scale", "0.002", "--pairs", "1", "--json", file, "pg-lineitem", "pg-cdc-hot"];
    const { code, output } = await runModule(main, args);
    assert.equal(code, 0, output);
    const { profiles } = JSON.parse(await readFile(file, "utf8")) as { profiles: readonly ProfileResult[] };
    const [load, changes] = profiles;
    assert.equal(load?.rows, 6000);
    assert.equal(changes?.rows, 200);
    let cpuS = 0;
    for (const contender of [...load.contenders, ...changes.contenders]) {
      if (contender.missing === undefined) {
        assert.ok(median(contender, "wallS")! > 0, contender.name);
        cpuS += median(contender, "totalCpuS")!;
      } else {
        // A peer that is not here is told with what would bring it, not passed over.
        assert.match(contender.missing, /apt-get install/);
        assert.ok(output.includes(`${contender.name}: did not run`), output);
        t.diagnostic(`${contender.name} did not run: ${contender.missing}`);
      }
    }
    // Of all together: the system counts in hundredths of a second, and 200 changes may take less than one.
    assert.ok(cpuS > 0);
    assert.equal(changes.contenders[1]?.missing, undefined, "native replication needs no program of others");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
