import { CanonicalRow } from "../../src/comparison/canonical-row.ts";
import { TextDigest } from "../../src/comparison/text-digest.ts";
import type { DigestColumn, DigestForm, RowHash } from "../../src/core/row-digest.ts";
import type { TableSchema } from "../../src/core/schema.ts";
import type { ReadRequest, Snapshot } from "../../src/core/source.ts";
import { readCells as wholeRows } from "../../src/pipeline/validation/read-cells.ts";
import { WHOLE } from "../../src/pipeline/whole-table.ts";

const unaborted = new AbortController().signal;

/** So many that rows have buckets of their own: then the sums are the digests. */
export const BUCKET_EACH = 2 ** 40;

/** All but that of JSON as it was sent, which is the client's for some texts only. */
export const everyForm: readonly DigestForm[] = [
  { kind: "text" },
  { kind: "text", trims: true },
  { kind: "bytes" },
  { kind: "boolean" },
  { kind: "int" },
  { kind: "decimal" },
  { kind: "decimal", scale: 0 },
  { kind: "decimal", scale: 2 },
  { kind: "decimal", scale: 5 },
  { kind: "decimal", scale: 30 },
  { kind: "float", bits: 32 },
  { kind: "float", bits: 64 },
  { kind: "date" },
  { kind: "timestamp", digits: 0, countsFrom2000: true },
  { kind: "timestamp", digits: 3, countsFrom2000: true },
  { kind: "timestamp", digits: 0 },
  { kind: "timestamp", digits: 3 },
  { kind: "timestamp", digits: 6 },
  { kind: "time", digits: 0 },
  { kind: "time", digits: 3 },
  { kind: "time", digits: 6 },
  { kind: "uuid" },
  { kind: "bits" },
  { kind: "bits", trims: true },
  { kind: "json" },
  { kind: "own" },
];

export type Cells = readonly (Buffer | null)[];

/** Cells of all rows as the snapshot reads them, every column of the table. */
export async function readCells(
  snapshot: Snapshot,
  table: TableSchema,
  request: Partial<ReadRequest> = {},
): Promise<readonly Cells[]> {
  const read = { partition: WHOLE, format: "pg-copy-text", ...request, table } as const;
  const width = table.columns.length;
  const found: Cells[] = [];
  for await (const { rows, cells, bytes } of wholeRows(snapshot.read(read, unaborted), width)) {
    const cell = (at: number): Buffer | null =>
      cells[at]! < 0 ? null : bytes.subarray(cells[at], cells[at + 1]);
    for (let row = 0; row < rows; row++) {
      found.push(Array.from({ length: width }, (_, column) => cell(2 * (row * width + column))));
    }
  }
  return found;
}

/** What the client makes of rows: their digests. */
export function clientDigests(
  table: TableSchema,
  rows: readonly Cells[],
  columns: readonly DigestColumn[],
  hash: RowHash = "md5",
): readonly bigint[] {
  const canonical = new CanonicalRow(
    columns.map(({ ordinal, form }) => ({ column: table.columns[ordinal]!, form })),
  );
  const digest = new TextDigest(hash);
  return rows.map((cells) => {
    canonical.write(columns.map(({ ordinal }) => cells[ordinal]!));
    digest.write(canonical.text);
    return digest.digest;
  });
}

/** What the server makes of them, in an order of their own. Rows that are the same are one. */
export async function serverDigests(
  snapshot: Snapshot,
  table: TableSchema,
  columns: readonly DigestColumn[],
  hash: RowHash = "md5",
): Promise<readonly bigint[]> {
  const request = { table, partition: WHOLE, columns, hash, buckets: BUCKET_EACH };
  const found = await snapshot.digests(request, unaborted);
  return found.map(({ sum }) => sum);
}
