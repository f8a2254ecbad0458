import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runModule } from "../test/support/run-program.ts";

/** Those that are over soon; the soak itself has them all. */
const FAULTS = "worker-killed,source-crashed,target-reset,service-killed,target-crashed,task-stopped";

test("half a minute of writing with a fault every five seconds ends equal, and leaves nothing", async () => {
  const options = ["--minutes", "0.5", "--every", "5", "--seed", "1", "--rows", "5000", "--faults", FAULTS];
  const { code, output } = await runModule(join(import.meta.dirname, "main.ts"), options);
  assert.equal(code, 0, output);
  assert.match(output, /^fault 3: /m);
  assert.match(output, /^compared [\d,]+ rows of \d+ tables/m);
  assert.match(output, /^[1-9][\d,]* rows were refused and are recorded/m);
  assert.match(output, /^All holds/m);
});
