import type { BucketChoice, BucketDigest, DigestForm, RowDigests } from "../../../core/row-digest.ts";
import type { Column, TableId, TableSchema } from "../../../core/schema.ts";
import { readBucket } from "../../shared/digest/bucket-rows.ts";
import { qualified } from "../../shared/identifier.ts";
import { valueSql } from "./value-sql.ts";

/** FUNC_MAX_ARGS: a function takes no more arguments. */
const MOST_ARGUMENTS = 100;
const JOINT = "','";

export function writesForm(column: Column, form: DigestForm): boolean {
  return valueSql(column, form, true) !== undefined;
}

export interface RowTextRequest extends Pick<RowDigests, "columns"> {
  readonly table: TableSchema;
  /** Whether the database's encoding is UTF8. */
  readonly isUtf8: boolean;
}

/**
 * A row's text (core/row-digest.ts), in the encoding of the database. concat_ws() takes values to the output functions of
 * their types, which is half the price of casts and ||. It passes over NULL, and concat() makes that the empty text.
 */
export function rowTextSql({ table, columns, isUtf8 }: RowTextRequest): string {
  const values = columns.flatMap(({ ordinal, form }) => {
    const column = table.columns[ordinal]!;
    const found = valueSql(column, form, isUtf8);
    if (found === undefined) throw new RangeError(`${column.name} is not written as ${form.kind}`);
    return column.nullable ? found.map((value) => `concat(${value})`) : found;
  });
  return joined(values);
}

function joined(values: readonly string[]): string {
  if (values.length < MOST_ARGUMENTS) return `concat_ws(${[JOINT, ...values].join(", ")})`;
  const groups: string[] = [];
  for (let at = 0; at < values.length; at += MOST_ARGUMENTS - 1) {
    groups.push(joined(values.slice(at, at + MOST_ARGUMENTS - 1)));
  }
  return joined(groups);
}

/** The number that is a row's digest. */
export function digestSql(request: RowTextRequest): string {
  const text = rowTextSql(request);
  const bytes = request.isUtf8 ? text : `convert_to(${text}, 'UTF8')`;
  return `('x' || substr(md5(${bytes}), 1, 15))::bit(60)::bigint`;
}

export interface BucketsRequest extends RowTextRequest {
  readonly buckets: number;
  /** SQL of what holds for the rows that count. */
  readonly conditions: readonly string[];
}

/** A row for each bucket that has some. The digest is computed once: OFFSET keeps the planner from taking the query apart. */
export function bucketsSql(request: BucketsRequest): string {
  const { table, buckets, conditions } = request;
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  return `select d % ${buckets}, count(*), sum(d)
    from (select ${digestSql(request)} as d from only ${qualified(table.id)}${where} offset 0) as r group by 1`;
}

/** What holds for the rows of some buckets. */
export function chosenSql(table: TableSchema, choice: BucketChoice, isUtf8: boolean): string {
  const { columns, buckets, wanted } = choice;
  const digest = digestSql({ table, columns, isUtf8 });
  return `${digest} % ${buckets} = any ('{${wanted.join(",")}}'::bigint[])`;
}

/** What bucketsSql() has found. */
export function readBuckets(
  rows: readonly (readonly (string | null)[])[],
  table: TableId,
): readonly BucketDigest[] {
  return rows.map((row) => readBucket(row, table));
}
