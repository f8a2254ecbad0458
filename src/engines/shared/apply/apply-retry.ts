import { failpoint } from "../../../base/failpoint.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { RetryRequest } from "../../../core/row-retry.ts";
import { ApplyMode } from "../../../core/target.ts";
import { ApplyGroup } from "./apply-group.ts";
import type { ApplyTransactions } from "./apply-loop.ts";

/** The rows to be tried could not be had; nothing is wrong with the target. */
export class RowsUnread extends Error {
  constructor(cause: unknown) {
    super("the rows could not be read", { cause });
  }
}

/** One transaction of rows that are tried again; `check` throws when it must not commit. */
export async function retryRows(
  transactions: ApplyTransactions,
  { plan, exceptions, batches, overwrites, refused }: RetryRequest,
  check: () => void,
): Promise<void> {
  const modes = Uint8Array.of(overwrites ? ApplyMode.restore : ApplyMode.exact);
  transactions.begin(exceptions === undefined ? "unrecorded" : undefined);
  if (exceptions !== undefined) await transactions.forgetExceptions(plan, exceptions);
  failpoint("retry.records-removed");
  try {
    for await (const batch of readable(batches)) {
      const group = new ApplyGroup();
      group.add(batch, modes, 0);
      // Else what the target looks at when a transaction ends would be found at the commit, and be no single row's error.
      group.end(batch.transactions[0]!, group.ops);
      for (const { place, error } of await transactions.write(group)) refused(batch, place.at, error);
      check();
    }
  } catch (error) {
    if (error instanceof RowsUnread) await transactions.rollBack();
    throw error;
  }
  failpoint("retry.rows-written");
  await transactions.commitRetry();
  failpoint("retry.committed");
}

async function* readable(batches: AsyncIterable<ChangeBatch>): AsyncGenerator<ChangeBatch> {
  const items = batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await items.next().catch((error: unknown) => {
        throw new RowsUnread(error);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await items.return?.();
  }
}
