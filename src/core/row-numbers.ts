import type { BucketDigest, DigestForm, DigestRequest, RowHash } from "./row-digest.ts";
import type { RowTotals, TotalsRequest } from "./row-totals.ts";
import type { Column } from "./schema.ts";

/** What a server computes of the rows that a snapshot shows, instead of sending them. */
export interface RowNumbers {
  /**
   * How many rows a partition has in each bucket, and the sum of their digests, computed by the server. Throws
   * `validation.digest_failed` with the table when the server has not come to a digest for each row.
   */
  digests(request: DigestRequest, signal: AbortSignal): Promise<readonly BucketDigest[]>;
  /** Whether the server can write a column's values in a form; else they have to be read. */
  digestsAs(column: Column, form: DigestForm): boolean;
  /** What the server makes digests with, the cheapest first. "md5" is among them on every server. */
  rowHashes(signal: AbortSignal): Promise<readonly RowHash[]>;
  /** What the rows of one partition add up to, computed by the server. For columns that have totals (hasTotal). */
  totals(request: TotalsRequest, signal: AbortSignal): Promise<RowTotals>;
}
