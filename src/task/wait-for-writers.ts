import { MigrationError } from "../core/error.ts";
import type { OpenWriter } from "../core/source.ts";
import type { Attempt } from "./attempt.ts";
import { giveUpStart } from "./give-up-start.ts";

/** How often it is told that the source lets the task wait, and for whom. */
const TOLD_MS = 10_000;
/** How soon it is looked again whether somebody is in the way, once the limit has passed. */
const AGAIN_MS = 1_000;

/**
 * A stream or a snapshot begins where no older transaction is open that writes, and that may take long. Says
 * who is in the way while `work` waits. A new stream is given up after the settings' limit with
 * `source.long_transaction`, and what the source has made of it is removed; beside a stream that runs there
 * is no hurry.
 */
export async function waitForWriters<Result>(
  attempt: Attempt,
  { isNew }: { readonly isNew: boolean },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const { source, settings, signal } = attempt;
  const limit = new AbortController();
  let isDone = false;
  const tell = async (): Promise<void> => {
    const [oldest, ...others] = await source.openWriters(signal);
    if (oldest !== undefined && !isDone) tellOf(oldest, others.length, attempt);
  };
  const giveUp = async (): Promise<void> => {
    const [oldest] = await source.openWriters(signal);
    if (isDone) return;
    if (oldest === undefined) timer = setTimeout(() => void giveUp().catch(ignore), AGAIN_MS);
    else limit.abort(tooLong(oldest, settings.streamStartLimitS));
  };
  const telling = setInterval(() => void tell().catch(ignore), TOLD_MS);
  const limitMs = settings.streamStartLimitS * 1000;
  let timer = isNew ? setTimeout(() => void giveUp().catch(ignore), limitMs) : undefined;
  try {
    return await work(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    if (!limit.signal.aborted || signal.aborted) throw error;
    await giveUpStart(attempt);
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

function tooLong({ subject, state, seconds }: OpenWriter, limitS: number): MigrationError {
  return new MigrationError("source.long_transaction", {
    message: `After ${limitS} s the stream could still not start: the ${subject} (${state}) has had a writing transaction open for ${seconds} s.`,
    subject,
  });
}
