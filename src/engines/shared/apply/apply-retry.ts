import { failpoint } from "../../../base/failpoint.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { RetriedRows, RetryRequest } from "../../../core/row-retry.ts";
import { ApplyMode } from "../../../core/target.ts";
import { ApplyGroup } from "./apply-group.ts";
import type { ApplyTransactions } from "./apply-loop.ts";

/** One transaction of rows that are tried again; `check` throws when it must not commit. */
export async function retryRows(
  transactions: ApplyTransactions,
  { batches, overwrites, ...request }: RetryRequest,
  check: () => void,
): Promise<RetriedRows> {
  const refused: { readonly batch: ChangeBatch; readonly at: number }[] = [];
  const modes = Uint8Array.of(overwrites ? ApplyMode.converge : ApplyMode.exact);
  transactions.begin();
  await transactions.forgetExceptions(request);
  failpoint("retry.records-removed");
  for await (const batch of batches) {
    const group = new ApplyGroup();
    group.add(batch, modes, 0);
    for (const { place } of await transactions.write(group)) refused.push({ batch, at: place.at });
    check();
  }
  failpoint("retry.rows-written");
  await transactions.commitRetry();
  failpoint("retry.committed");
  return { refused };
}
