import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";

const TIME_LIMIT_MS = 240_000;
/** Those that are over soon; the soak itself has them all. */
const FAULTS = "worker-killed,source-crashed,target-reset,service-killed,target-crashed,task-stopped";

test("half a minute of writing with a fault every five seconds ends equal, and leaves nothing", async () => {
  const options = ["--minutes", "0.5", "--every", "5", "--seed", "1", "--rows", "5000", "--faults", FAULTS];
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts"), ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIME_LIMIT_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, "close");
  assert.equal(code, 0, output);
  assert.match(output, /^fault 3: /m);
  assert.match(output, /^compared [\d,]+ rows of \d+ tables/m);
  assert.match(output, /^All holds/m);
});
