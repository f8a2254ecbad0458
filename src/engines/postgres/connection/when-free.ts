import { pause } from "../../../base/backoff.ts";
import { MigrationError } from "../../../core/error.ts";
import { errorCode } from "./error-code.ts";
import { ServerError } from "./server-error.ts";

/** SQLSTATE object_in_use: of slots and origins, which one session at a time can have. */
const IN_USE = "55006";
/** SQLSTATE configuration_limit_exceeded: no slot is left. */
const ALL_TAKEN = "53400";
const RETRY_MS = 50;

export interface Patience {
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Each pause between tries is twice the one before, up to this; all are alike when left out. */
  readonly longestPauseMs?: number;
  /** Called before each further try with the time that has passed. */
  readonly waiting?: (waitedMs: number) => Promise<void>;
}

/**
 * Does what needs a slot, an origin or a WAL sender that another session may still have: that of a worker that has
 * ended or was killed holds it for a moment longer than anything else, and may hold the last that there is. When that
 * takes too long, throws what the server says.
 */
export async function whenFree<T>(work: () => Promise<T>, options: Patience): Promise<T> {
  const { patienceMs, signal, waiting, longestPauseMs = RETRY_MS } = options;
  const start = performance.now();
  for (let pauseMs = RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      const waitedMs = performance.now() - start;
      if (!isTaken(error) || waitedMs > patienceMs) throw error;
      await waiting?.(waitedMs);
      await pause(pauseMs, signal);
    }
  }
}

function isTaken(error: unknown): boolean {
  if (error instanceof MigrationError) return error.code === "source.no_free_slot";
  const code = error instanceof ServerError ? error.fields.code : errorCode(error);
  return code === IN_USE || code === ALL_TAKEN;
}
