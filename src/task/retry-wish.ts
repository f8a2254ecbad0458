import type { ChangeBatch } from "../core/change-batch.ts";
import { MigrationError } from "../core/error.ts";
import { isRewritten } from "../pipeline/rereads.ts";

/** Nothing has gone wrong but the wish: the task goes on. */
export class WishFailure extends Error {
  constructor(cause: unknown) {
    super("rows could not be tried again", { cause });
  }
}

/**
 * Reads from the source for the wish alone. What trying again does not mend would fail each attempt that carries the wish
 * out, so it is the wish's; a lost connection is the task's, as always.
 */
export async function ofWish<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    throw isOfWish(error) ? new WishFailure(error) : error;
  }
}

function isOfWish(error: unknown): boolean {
  return error instanceof MigrationError && error.retry === "never" && !isRewritten(error);
}

/** The same for rows as they come. */
export async function* readForWish(batches: AsyncGenerator<ChangeBatch>): AsyncGenerator<ChangeBatch> {
  try {
    for (;;) {
      const next = await ofWish(() => batches.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await batches.return(undefined);
  }
}
