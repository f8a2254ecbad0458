import { setTimeout as delay } from "node:timers/promises";
import type { PostgresServer } from "./postgres-server.ts";

/**
 * In seconds. Only what fails takes so long: a slow machine has time, and what has to be overcome first (a dead
 * connection is given up after 90 seconds).
 */
export const PATIENCE_S = 300;

/** Between two questions, more of it after those that take long: what is waited for needs the machine. */
const PAUSE_MS = 30;
const LONGEST_PAUSE_MS = 300;

/** Asks again and again until the answer is there; fails with what was waited for. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  seconds = PATIENCE_S,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const askedMs = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    const answeredMs = performance.now();
    if (answeredMs > end) throw new Error(`waited ${seconds} s in vain for ${what}`);
    await delay(Math.max(PAUSE_MS, Math.min(2 * (answeredMs - askedMs), LONGEST_PAUSE_MS)));
  }
}

/** Asks a server, over one connection, until the condition holds there. */
export async function becomesTrue(
  server: PostgresServer,
  database: string,
  condition: string,
): Promise<void> {
  const client = await server.connect(database);
  const holds = async (): Promise<boolean> => {
    const { rows } = await client.query(`select ${condition} as yes`);
    return rows[0].yes === true;
  };
  try {
    await eventually(condition, holds);
  } finally {
    await client.end();
  }
}
