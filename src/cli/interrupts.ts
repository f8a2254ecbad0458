const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * One Ctrl-C can arrive twice: from the terminal, and forwarded by the launcher or npx. No person
 * presses it twice so fast on purpose.
 */
const SAME_PRESS_MS = 300;

/** Calls `first` at the first Ctrl-C (or SIGTERM, SIGHUP) and `second` at the next. Dispose to stop listening. */
export function onInterrupt(first: () => void, second: () => void): Disposable {
  let firstAtMs: number | undefined;
  const listener = (): void => {
    const nowMs = performance.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      first();
    } else if (nowMs - firstAtMs >= SAME_PRESS_MS) {
      second();
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.removeListener(signal, listener);
    },
  };
}
