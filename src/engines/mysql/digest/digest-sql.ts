import type { BucketChoice, BucketDigest, DigestForm, RowDigests } from "../../../core/row-digest.ts";
import type { Column, TableId, TableSchema } from "../../../core/schema.ts";
import { readBucket } from "../../shared/digest/bucket-rows.ts";
import { identifier } from "../catalog/identifier.ts";
import { isReplaced } from "./text-sql.ts";
import { valueSql } from "./value-sql.ts";

/** Texts of which the server would replace something are read, so that this is told. */
export function writesForm(column: Column, form: DigestForm): boolean {
  return !isReplaced(column) && valueSql(column, form) !== undefined;
}

/**
 * A row's text (core/row-digest.ts). It is NULL when the server cannot make one of its values, as those that are longer than
 * max_allowed_packet: a value that is NULL itself has to be nothing.
 */
function rowTextSql(table: TableSchema, columns: RowDigests["columns"]): string {
  const values = columns.flatMap(({ ordinal, form }) => {
    const column = table.columns[ordinal]!;
    const found = valueSql(column, form);
    if (found === undefined) throw new RangeError(`${column.name} is not written as ${form.kind}`);
    return column.nullable
      ? found.map((value) => `if(${identifier(column.name)} is null, '', ${value})`)
      : found;
  });
  return values.length === 0 ? "''" : `concat(${values.join(", ',', ")})`;
}

function digestSql(table: TableSchema, columns: RowDigests["columns"]): string {
  return `cast(conv(left(md5(${rowTextSql(table, columns)}), 15), 16, 10) as unsigned)`;
}

/**
 * A row for each bucket that has some. `rows`: what follows FROM. The limit is none, but has the server compute the digests
 * once and keep them in a table of numbers; else it would do so for each mention of them.
 */
export function bucketsSql(
  { table, columns, buckets }: RowDigests & { readonly table: TableSchema },
  rows: string,
): string {
  const every = "limit 18446744073709551615";
  return `select d % ${buckets} as bucket, count(*) as number, sum(d) as total
    from (select ${digestSql(table, columns)} as d from ${rows} ${every}) as r group by 1`;
}

/** What holds for the rows of some buckets. */
export function chosenSql(table: TableSchema, { columns, buckets, wanted }: BucketChoice): string {
  return `${digestSql(table, columns)} % ${buckets} in (${wanted.length === 0 ? "null" : wanted.join(", ")})`;
}

/** What bucketsSql() has found. */
export function readBuckets(
  rows: readonly Readonly<Record<string, string | null>>[],
  table: TableId,
): BucketDigest[] {
  return rows.map(({ bucket, number, total }) => readBucket([bucket, number, total], table));
}
