import { MigrationError } from "../core/error.ts";
import type { OpenWriter } from "../core/source.ts";
import type { Attempt } from "./attempt.ts";
import { giveUpStart } from "./give-up-start.ts";

/** How often it is told that the source lets the task wait, and for whom. */
const TOLD_MS = 10_000;
/** How soon it is looked again whether somebody is in the way, once the limit has passed. */
const AGAIN_MS = 1_000;

export interface WaitOptions {
  /** What the work makes on the source is removed when it is given up. */
  readonly isNew: boolean;
  /** It is given up after the settings' limit. */
  readonly isLimited: boolean;
  /** That limit; the settings' when left out. */
  readonly limitMs?: number;
}

/**
 * A stream or a snapshot begins where no older transaction is open that writes, and no statement that keeps a lock from
 * being taken; that may take long. Says who is in the way while `work` waits. After the limit it is given up with
 * `source.long_transaction`, where that has one.
 */
export async function waitForWriters<Result>(
  attempt: Attempt,
  { isNew, isLimited, limitMs = attempt.settings.streamStartLimitS * 1000 }: WaitOptions,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { source, signal } = attempt;
  const limit = new AbortController();
  const startedAt = performance.now();
  let isDone = false;
  const tell = async (): Promise<void> => {
    const [oldest, ...others] = await source.openWriters(signal);
    if (oldest !== undefined && !isDone) tellOf(oldest, others.length, attempt);
  };
  const giveUp = async (): Promise<void> => {
    // Nobody is seen when it is about to begin, and when the user may not see who is in the way.
    const [oldest] = await source.openWriters(signal).catch((): readonly OpenWriter[] => []);
    if (isDone) return;
    const waitedMs = performance.now() - startedAt;
    if (oldest === undefined && waitedMs < 2 * limitMs) timer = setTimeout(() => void giveUp(), AGAIN_MS);
    else limit.abort(tooLong(oldest, Math.round(waitedMs / 1000), attempt));
  };
  const telling = setInterval(() => void tell().catch(ignore), TOLD_MS);
  let timer = isLimited ? setTimeout(() => void giveUp(), limitMs) : undefined;
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    if (!limit.signal.aborted || signal.aborted) throw error;
    if (isNew) await giveUpStart(attempt);
    throw limit.signal.reason;
  } finally {
    isDone = true;
    clearInterval(telling);
    clearTimeout(timer);
  }
}

/** Looking who is in the way is not worth failing for: what it waits for goes on. */
function ignore(): void {}

function tellOf(oldest: OpenWriter, others: number, { listener, spec }: Attempt): void {
  const { subject, state, seconds } = oldest;
  listener.log("warn", "waiting for a transaction of the source that writes to end", {
    task: spec.name,
    writer: subject,
    state,
    seconds,
    others,
  });
}

function tooLong(writer: OpenWriter | undefined, waitedS: number, { spec }: Attempt): MigrationError {
  const waited = `After ${waitedS} s the task could still not begin to read`;
  if (writer === undefined) {
    const message = `${waited}, and its user does not see who is in the way.`;
    return new MigrationError("source.long_transaction", { message, subject: spec.name });
  }
  const { subject, state, seconds } = writer;
  return new MigrationError("source.long_transaction", {
    message: `${waited}: the ${subject} (${state}) has been at it for ${seconds} s.`,
    subject,
  });
}
