import {
  type BucketChoice,
  type BucketDigest,
  type DigestForm,
  LOOKUP3_TAIL,
  NULLS,
  type RowDigests,
} from "../../../core/row-digest.ts";
import type { Column, TableId, TableSchema } from "../../../core/schema.ts";
import { readBucket } from "../../shared/digest/bucket-rows.ts";
import { writtenColumns } from "../../shared/digest/written-columns.ts";
import { identifier } from "../../shared/identifier.ts";
import { ownRowsSql } from "../catalog/own-rows.ts";
import { lookup3Sql } from "./digesting.ts";
import { valueSql } from "./value-sql.ts";

/** A function takes no more than a hundred arguments (FUNC_MAX_ARGS), and a column may be two. */
const GROUP_SIZE = 49;
const JOINT = "','";
/** A digest's 60. */
const BITS = 2n ** 60n - 1n;

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
 * their types, which is half the price of casts and ||, and passes over NULL.
 */
function rowTextSql({ table, columns, isUtf8 }: RowTextRequest): string {
  const written = writtenColumns(table, columns, (column, form) => valueSql(column, form, isUtf8));
  const values = written.map((one) => one.values);
  const nulls = nullsSql(written.map(({ column }) => column));
  const groups = inGroups(nulls === undefined ? values : [[nulls], ...values]);
  if (groups.length <= 1) return joinedSql(groups[0] ?? []);
  // A group of nothing but NULL is none, and not an empty text.
  return joinedSql(groups.map((group) => `nullif(${joinedSql(group)}, '')`));
}

function joinedSql(values: readonly string[]): string {
  return values.length === 0 ? "''" : `concat_ws(${[JOINT, ...values].join(", ")})`;
}

/** So small that each goes into one call; what belongs together stays so. */
function inGroups(values: readonly (readonly string[])[]): string[][] {
  const groups: string[][] = [];
  for (let at = 0; at < values.length; at += GROUP_SIZE)
    groups.push(values.slice(at, at + GROUP_SIZE).flat());
  return groups;
}

/** Which values are NULL, where some are; NULL where none is. Undefined where none can be. */
function nullsSql(columns: readonly Column[]): string | undefined {
  const tests = columns.filter(({ nullable }) => nullable).map(isNullSql);
  if (tests.length === 0) return undefined;
  const letters = columns.map((column) => (column.nullable ? isNullSql(column) : "'f'"));
  const calls = inGroups(letters.map((letter) => [letter])).map((group) => `concat(${group.join(", ")})`);
  return `case when ${tests.join(" or ")} then concat('${NULLS}', ${calls.join(", ")}) end`;
}

/** Of a composite value whose members are NULL, IS NULL holds. */
function isNullSql({ name }: Column): string {
  return `${identifier(name)} is not distinct from null`;
}

interface DigestSqlRequest extends RowTextRequest, Pick<RowDigests, "hash"> {}

/** The number that is a row's digest. */
function digestSql(request: DigestSqlRequest): string {
  const { hash, isUtf8 } = request;
  const text = rowTextSql(request);
  if (hash === "lookup3" && isUtf8) return `(${lookup3Sql(`${text} || '${LOOKUP3_TAIL}'`)} & ${BITS})`;
  if (hash !== "md5") throw new RangeError(`this server does not compute ${hash}`);
  const bytes = isUtf8 ? text : `convert_to(${text}, 'UTF8')`;
  return `('x' || substr(md5(${bytes}), 1, 15))::bit(60)::bigint`;
}

export interface BucketsRequest extends DigestSqlRequest {
  readonly buckets: number;
  /** SQL of what holds for the rows that count. */
  readonly conditions: readonly string[];
}

/** A row for each bucket that has some. The digest is computed once: OFFSET keeps the planner from taking the query apart. */
export function bucketsSql(request: BucketsRequest): string {
  const { table, buckets, conditions } = request;
  const where = conditions.length === 0 ? "" : ` where ${conditions.join(" and ")}`;
  return `select d % ${buckets}, count(*), sum(d)
    from (select ${digestSql(request)} as d from ${ownRowsSql(table)}${where} offset 0) as r group by 1`;
}

/**
 * What holds for the rows of some buckets. Before version 14 a row would be compared with each element of an array; a list that
 * is a query of its own, and no condition that could become a join, is hashed by all.
 */
export function chosenSql(table: TableSchema, choice: BucketChoice, isUtf8: boolean): string {
  const { buckets, wanted } = choice;
  const digest = digestSql({ ...choice, table, isUtf8 });
  const list = `select unnest('{${wanted.join(",")}}'::bigint[])`;
  return `(${digest} % ${buckets} in (${list})) is true`;
}

/** What bucketsSql() has found. */
export function readBuckets(
  rows: readonly (readonly (string | null)[])[],
  table: TableId,
): readonly BucketDigest[] {
  return rows.map((row) => readBucket(row, table));
}
