import {
  type BucketChoice,
  type BucketDigest,
  type DigestForm,
  NULLS,
  type RowDigests,
  type RowHash,
} from "../../../core/row-digest.ts";
import type { Column, TableId, TableSchema } from "../../../core/schema.ts";
import { readBucket } from "../../shared/digest/bucket-rows.ts";
import { writtenColumns } from "../../shared/digest/written-columns.ts";
import { identifier } from "../catalog/identifier.ts";
import { isReplaced } from "./text-sql.ts";
import { mayFail, valueSql } from "./value-sql.ts";

/** SHA-1 takes a server a seventh of MD5's time where the processor has instructions for it, which most have. */
export const ROW_HASHES: readonly RowHash[] = ["sha1", "md5"];

/** Texts of which the server would replace something are read, so that this is told. */
export function writesForm(column: Column, form: DigestForm): boolean {
  return !isReplaced(column) && valueSql(column, form) !== undefined;
}

/**
 * A row's text (core/row-digest.ts). concat_ws() passes over NULL, and is NULL itself when the text is longer than
 * max_allowed_packet. What of a value is NULL for that alone must not be passed over: then the separator is NULL, too.
 */
function rowTextSql(table: TableSchema, columns: RowDigests["columns"]): string {
  if (columns.length === 0) return "''";
  const written = writtenColumns(table, columns, valueSql);
  const lost = written
    .filter(({ column }) => mayFail(column))
    .map(({ column, values }) => `(${values.at(-1)} is null and ${identifier(column.name)} is not null)`);
  const separator = lost.length === 0 ? "','" : `if(${lost.join(" or ")}, null, ',')`;
  const nulls = nullsSql(written.map(({ column }) => column));
  const values = written.flatMap((one) => one.values);
  return `concat_ws(${[separator, ...nulls, ...values].join(", ")})`;
}

/** Which values are NULL, where some are; NULL where none is. Nothing where none can be. */
function nullsSql(columns: readonly Column[]): readonly string[] {
  const isNull = ({ name }: Column): string => `${identifier(name)} is null`;
  const tests = columns.filter(({ nullable }) => nullable).map(isNull);
  if (tests.length === 0) return [];
  const letters = columns.map((column) => (column.nullable ? `if(${isNull(column)}, 't', 'f')` : "'f'"));
  return [`if(${tests.join(" or ")}, concat('${NULLS}', ${letters.join(", ")}), null)`];
}

function digestSql(table: TableSchema, { columns, hash }: Pick<RowDigests, "columns" | "hash">): string {
  if (hash === "lookup3") throw new RangeError(`no server of this kind computes ${hash}`);
  return `cast(conv(left(${hash}(${rowTextSql(table, columns)}), 15), 16, 10) as unsigned)`;
}

/**
 * A row for each bucket that has some. `rows`: what follows FROM. The limit is none, but has the server compute the digests
 * once and keep them in a table of numbers; else it would do so for each mention of them.
 */
export function bucketsSql(request: RowDigests & { readonly table: TableSchema }, rows: string): string {
  const every = "limit 18446744073709551615";
  return `select d % ${request.buckets} as bucket, count(*) as number, sum(d) as total
    from (select ${digestSql(request.table, request)} as d from ${rows} ${every}) as r group by 1 order by null`;
}

/** What holds for the rows of some buckets. */
export function chosenSql(table: TableSchema, choice: BucketChoice): string {
  const { buckets, wanted } = choice;
  return `${digestSql(table, choice)} % ${buckets} in (${wanted.length === 0 ? "null" : wanted.join(", ")})`;
}

/** What bucketsSql() has found. */
export function readBuckets(
  rows: readonly Readonly<Record<string, string | null>>[],
  table: TableId,
): BucketDigest[] {
  return rows.map(({ bucket, number, total }) => readBucket([bucket, number, total], table));
}
