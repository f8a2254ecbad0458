import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import type { TaskListener, TaskSpec } from "./task.ts";

/** How often it is told that a task waits for a lock, and for whom. */
const TOLD_MS = 10_000;

const sides = ["source", "target"] as const;
type Side = (typeof sides)[number];

export interface LockTelling {
  readonly source: Source;
  readonly target: Target;
  readonly spec: TaskSpec;
  readonly listener: TaskListener;
}

/**
 * A lock that somebody else holds is waited for as long as it takes; until disposed, this says who holds it.
 */
export function tellLockWaits(parts: LockTelling, signal: AbortSignal): Disposable {
  const ending = new AbortController();
  const limited = AbortSignal.any([signal, ending.signal]);
  const asked = new Set<Side>();
  const ask = async (side: Side): Promise<void> => {
    // A server that does not answer is not asked over another connection as well.
    if (asked.has(side)) return;
    asked.add(side);
    try {
      for (const wait of await parts[side].lockWaits(limited)) {
        if (limited.aborted) return;
        const fields = { task: parts.spec.name, side, ...wait };
        parts.listener.log("warn", "waiting for a lock that another session holds", fields);
      }
    } catch {
      // Looking who is in the way is not worth failing for: what waits goes on waiting.
    } finally {
      asked.delete(side);
    }
  };
  const timer = setInterval(() => {
    for (const side of sides) void ask(side);
  }, TOLD_MS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      ending.abort();
    },
  };
}
