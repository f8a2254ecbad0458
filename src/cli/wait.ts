import { setTimeout as delay } from "node:timers/promises";
import { LiveScreen } from "./live-screen.ts";
import type { Output } from "./output.ts";
import { truncate } from "./text-width.ts";

export interface WaitOptions<Value> {
  readonly output: Output;
  /** Asks how things stand. */
  readonly poll: () => Promise<Value>;
  readonly done: (value: Value) => boolean;
  /** One line for people. */
  readonly describe: (value: Value) => string;
  /** Nothing is shown when the output is for programs. */
  readonly quiet: boolean;
}

const POLL_MS = 500;

/** Polls until done and shows how things stand: one line in place on a terminal, else one at each change. */
export async function waitUntil<Value>(options: WaitOptions<Value>): Promise<Value> {
  const { stderr } = options.output;
  const screen = stderr.isTTY === true && !options.quiet ? new LiveScreen(stderr) : undefined;
  let last = "";
  try {
    while (true) {
      const value = await options.poll();
      const line = options.describe(value);
      if (screen !== undefined) screen.draw([truncate(line, screen.columns - 1)]);
      else if (line !== last && !options.quiet) stderr.write(`${line}\n`);
      last = line;
      if (options.done(value)) return value;
      await delay(POLL_MS);
    }
  } finally {
    screen?.close();
  }
}
