import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runModule } from "../../test/support/run-program.ts";

test("under pgbench what is planted is found, and nothing else", async () => {
  const options = ["--minutes", "0.05", "--rate", "100", "--pairs", "postgres:postgres"];
  const { code, output } = await runModule(join(import.meta.dirname, "main.ts"), options);
  assert.equal(code, 0, output);
  assert.match(output, /^postgres to postgres: [1-9][\d,]* transactions were written meanwhile/m);
  assert.match(output, /^All holds/m);
});
