import { MigrationError } from "../../../core/error.ts";
import type { BucketDigest } from "../../../core/row-digest.ts";
import { displayTable, type TableId } from "../../../core/schema.ts";

/** A bucket, its rows and the sum of their digests as a server has sent them. Rows without a digest are in no bucket. */
export function readBucket(
  [bucket, rows, sum]: readonly (string | null | undefined)[],
  table: TableId,
): BucketDigest {
  if (bucket == null || rows == null || sum == null) throw withoutDigest(table);
  return { bucket: Number(bucket), rows: Number(rows), sum: BigInt(sum) };
}

function withoutDigest(table: TableId): MigrationError {
  return new MigrationError("validation.digest_failed", {
    message: `The server came to no digest for some rows of ${displayTable(table)}.`,
    subject: displayTable(table),
    table,
  });
}
