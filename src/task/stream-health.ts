import type { Finding } from "../core/finding.ts";
import type { Attempt } from "./attempt.ts";

/** How often it is asked how far behind the task is, and whether its log is about to be lost. */
const ASKED_MS = 10_000;

/**
 * Until disposed, the statistics show how much log waits on the source, and what threatens it is told: during the full
 * load, too, when most of it gathers.
 */
export function watchStreamHealth({ spec, source, statistics, streamRequest, signal }: Attempt): Disposable {
  const ending = new AbortController();
  const limited = AbortSignal.any([signal, ending.signal]);
  let told: ReadonlySet<string> = new Set();
  let asking = false;
  const ask = async (): Promise<void> => {
    // A server that does not answer is not asked again.
    if (asking) return;
    asking = true;
    try {
      const health = await source.streamHealth(streamRequest, limited);
      if (limited.aborted) return;
      const findings = health?.findings ?? [];
      statistics.setLog(health);
      // Told once for each time that it comes up.
      for (const finding of findings) if (!told.has(keyOf(finding))) statistics.finding(finding);
      told = new Set(findings.map(keyOf));
    } catch {
      // Whoever reads the stream meets the same error.
    } finally {
      asking = false;
    }
  };
  const timer = spec.type === "full-load" ? undefined : setInterval(() => void ask(), ASKED_MS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      ending.abort();
    },
  };
}

function keyOf({ code, subject }: Finding): string {
  return `${code} ${subject}`;
}
