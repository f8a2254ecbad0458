#!/usr/bin/env node
// Starts Tideway with a Node that can run it. Plain JavaScript that old versions of Node understand.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";

const NEEDED_MAJOR = 24;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"];
const here = fileURLToPath(import.meta.url);

if (Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR) await run();
else handOver(bundledNode());

/** In a clone the TypeScript itself; in the published package, which holds no src, what was built of it. */
async function run() {
  // What Node says about its experimental and its deprecated parts is our business, not the user's.
  if (process.env["TIDEWAY_DEBUG"] === undefined) process.removeAllListeners("warning");
  // Buffers that rows pass through lie outside the heap: with a young generation that grows to its usual 16 MB they
  // are freed by full collections only, at a fifth of the CPU time of a load.
  v8.setFlagsFromString("--semi-space-growth-factor=1");
  // Halves the time to the first connection: what has been compiled once is kept in the system's temporary directory.
  module.enableCompileCache?.();
  const root = join(dirname(here), "..");
  const clone = join(root, "src", "cli", "main.ts");
  const { main } = await import(existsSync(clone) ? clone : join(root, "dist", "cli", "main.js"));
  await main(process.argv.slice(2));
}

/** Path of the Node that came as a dependency; undefined on a platform without one. */
function bundledNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(here).resolve(`${name}/package.json`);
    const binary = join(dirname(manifest), "bin", "node");
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs this file again under another Node and ends as it ends. A terminal's Ctrl-C reaches both
 * processes and is forwarded too; the command line counts two that come together as one.
 */
function handOver(node) {
  if (node === undefined) {
    process.stderr.write(
      `error usage.node_version: Tideway needs Node ${NEEDED_MAJOR} or newer, and this is ${process.versions.node}.\n` +
        `remedy: Install Node ${NEEDED_MAJOR}, or run npm ci without --omit=optional: on Linux it brings one.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [here, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.once("error", (error) => {
    process.stderr.write(`error usage.node_version: ${node} does not run (${error.message}).\n`);
    process.exit(1);
  });
  child.once("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const forwarded of FORWARDED) process.removeAllListeners(forwarded);
    process.kill(process.pid, signal);
    // Reached when the signal does not end this process, as when it is ignored.
    process.exitCode = 128 + (constants.signals[signal] ?? 0);
  });
}
