import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runModule } from "../../test/support/run-program.ts";

test("under pgbench what is planted is found, and nothing else", async () => {
  // As few as keep rows changing between any two looks at them.
  const load = ["--rate", "30", "--clients", "2"];
  const options = ["--minutes", "0.05", "--pairs", "postgres:postgres", ...load];
  const { code, output } = await runModule(join(import.meta.dirname, "main.ts"), options);
  assert.equal(code, 0, output);
  assert.match(output, /^postgres to postgres: [1-9][\d,]* transactions were written meanwhile/m);
  assert.match(output, /^All holds/m);
});
