import type { Attempt } from "./attempt.ts";
import type { RetryBook } from "./retry-book.ts";
import { finishBuilds, runLoad } from "./run-load.ts";
import { retryAfterLoad } from "./run-retry.ts";
import { validateLoaded } from "./run-validation.ts";
import { validateOnly } from "./validate-only.ts";

/** Does all that a task does which no changes follow. */
export async function runFullLoad(attempt: Attempt, retries: RetryBook): Promise<void> {
  if (attempt.settings.validation.only) return await validateOnly(attempt);
  await runLoad(attempt);
  await finishBuilds(attempt);
  await retryAfterLoad(attempt, retries);
  await validateLoaded(attempt);
}
