import type pg from "pg";
import { displayTable, type TableId, tableKey } from "../../src/core/schema.ts";
import { identifier, qualified } from "../../src/engines/shared/identifier.ts";

/**
 * Compares two PostgreSQL databases row by row, with the servers as oracle: each computes, in SQL,
 * a count and two order-independent sums of 64-bit hashes over the text form of every row. Sums,
 * unlike exclusive or, notice duplicates. Where they differ, rows are narrowed down by key.
 */

export interface CompareOptions {
  readonly source: pg.Client;
  readonly target: pg.Client;
  /** All user tables of the source when left out. */
  readonly tables?: readonly TableId[];
  /** The target's name of a table; the same when left out. */
  readonly targetName?: (id: TableId) => TableId;
  /** How many keys of each kind of difference are reported for a table. */
  readonly limit?: number;
}

export interface Comparison {
  readonly equal: boolean;
  readonly tables: number;
  /** Rows of the source. */
  readonly rows: number;
  readonly differences: readonly TableDifference[];
}

/** Keys as JSON arrays of texts; for a table without a primary key, the hash of the row. */
export interface TableDifference {
  readonly table: TableId;
  /** Why the rows cannot be compared; then the lists are empty. */
  readonly problem: string | undefined;
  readonly sourceRows: number;
  readonly targetRows: number;
  /** On the source only. */
  readonly missing: readonly string[];
  /** On the target only. */
  readonly extra: readonly string[];
  /** On both, with other values. */
  readonly different: readonly string[];
  /** More often on one side than on the other. */
  readonly repeated: readonly string[];
}

const SESSION =
  "set datestyle = iso; set intervalstyle = postgres; set timezone = 'UTC'; set extra_float_digits = 3; set bytea_output = hex; set search_path = pg_catalog; set statement_timeout = 0";

/** Control tables are Tideway's own, not the application's. */
const USER_TABLES = `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and c.relname !~ '^awsdms_' order by 1, 2`;

export async function compareDatabases(options: CompareOptions): Promise<Comparison> {
  await Promise.all([options.source.query(SESSION), options.target.query(SESSION)]);
  const tables = options.tables ?? (await listUserTables(options.source));
  const targetName = options.targetName ?? ((id) => id);
  const [ours, theirs] = await Promise.all([
    readShapes(options.source, tables),
    readShapes(options.target, tables.map(targetName)),
  ]);
  return await compareTables(tables, (table) => {
    const other = targetName(table);
    const shapes = [ours.get(tableKey(table)), theirs.get(tableKey(other))] as const;
    return compareTable([table, other], shapes, options);
  });
}

/** One table after the other. */
export async function compareTables(
  tables: readonly TableId[],
  compareTable: (table: TableId) => Promise<TableResult>,
): Promise<Comparison> {
  const differences: TableDifference[] = [];
  let rows = 0;
  for (const table of tables) {
    const result = await compareTable(table);
    rows += result.rows;
    if (result.difference !== undefined) differences.push(result.difference);
  }
  return { equal: differences.length === 0, tables: tables.length, rows, differences };
}

export async function listUserTables(client: pg.Client): Promise<TableId[]> {
  return (await client.query(USER_TABLES)).rows as TableId[];
}

/** What a failed comparison says, for an assertion's message. */
export function describeComparison(comparison: Comparison): string {
  if (comparison.equal) return `${comparison.tables} tables with ${comparison.rows} rows are equal`;
  return comparison.differences
    .map((found) => {
      const parts = [`${displayTable(found.table)}: ${found.sourceRows} rows against ${found.targetRows}`];
      if (found.problem !== undefined) parts.push(found.problem);
      for (const kind of ["missing", "extra", "different", "repeated"] as const) {
        if (found[kind].length > 0) parts.push(`${kind} ${found[kind].join(" ")}`);
      }
      return parts.join("; ");
    })
    .join("\n");
}

interface Side {
  readonly client: pg.Client;
  readonly from: string;
  /** SQL of the row's text, and of its key as a JSON array of texts. */
  readonly row: string;
  readonly key: string;
}

export interface TableResult {
  readonly rows: number;
  readonly difference: TableDifference | undefined;
}

async function compareTable(
  [table, other]: readonly [TableId, TableId],
  [shape, otherShape]: readonly [Shape | undefined, Shape | undefined],
  options: CompareOptions,
): Promise<TableResult> {
  if (shape === undefined || otherShape === undefined) {
    return problem(table, `no such table on the ${shape === undefined ? "source" : "target"}`);
  }
  const missingColumns = shape.columns.filter((name) => !otherShape.columns.includes(name));
  const extraColumns = otherShape.columns.filter((name) => !shape.columns.includes(name));
  if (missingColumns.length + extraColumns.length > 0) {
    return problem(table, `columns differ: ${[...missingColumns, ...extraColumns].join(", ")}`);
  }
  const side = (client: pg.Client, id: TableId): Side => ({
    client,
    from: qualified(id),
    row: rowText(shape.columns),
    key: keyText(shape.key),
  });
  const sides = [side(options.source, table), side(options.target, other)] as const;
  const [left, right] = await Promise.all(sides.map(digest) as [Promise<Digest>, Promise<Digest>]);
  if (left.text === right.text) return { rows: left.rows, difference: undefined };
  const found = await findDifferences(sides, options.limit ?? 10);
  const counts = { sourceRows: left.rows, targetRows: right.rows };
  return { rows: left.rows, difference: { table, problem: undefined, ...counts, ...found } };
}

function problem(table: TableId, text: string): TableResult {
  const lists = { missing: [], extra: [], different: [], repeated: [] };
  return { rows: 0, difference: { table, problem: text, sourceRows: -1, targetRows: -1, ...lists } };
}

interface Shape {
  readonly columns: readonly string[];
  /** Empty without a primary key. */
  readonly key: readonly string[];
}

/** By tableKey(); what is not there is left out. One query for all of them: there may be thousands. */
async function readShapes(
  client: pg.Client,
  tables: readonly TableId[],
): Promise<ReadonlyMap<string, Shape>> {
  const { rows } = await client.query<TableId & Shape>(
    `select n.nspname as schema, c.relname as name,
       array(select attname::text from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped order by attname) as columns,
       array(select a.attname::text from pg_index i cross join unnest(i.indkey) with ordinality k(num, n)
         join pg_attribute a on a.attrelid = c.oid and a.attnum = k.num
         where i.indrelid = c.oid and i.indisprimary and k.n <= i.indnkeyatts order by k.n) as key
     from unnest($1::name[], $2::name[]) as wanted(schema, name)
     join pg_namespace n on n.nspname = wanted.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
  return new Map(rows.map((row) => [tableKey(row), row]));
}

/** The text form of a row is unambiguous: it quotes what would not be, and tells null from empty. */
function rowText(columns: readonly string[]): string {
  return `row(${columns.map((name) => `t.${identifier(name)}`).join(", ")})::text`;
}

function keyText(key: readonly string[]): string {
  if (key.length === 0) return "''";
  return `array_to_json(array[${key.map((name) => `t.${identifier(name)}::text`).join(", ")}])::text`;
}

interface Digest {
  readonly rows: number;
  readonly text: string;
}

/** `offset 0` keeps the planner from computing the row's text once for each sum. */
async function digest(side: Side): Promise<Digest> {
  const { rows } = await side.client.query(
    `select count(*)::text as rows, concat_ws(' ', count(*), sum(hashtextextended(row collate "C", 0)), sum(hashtextextended(row collate "C", 7))) as text
     from (select ${side.row} as row from only ${side.from} t offset 0) r`,
  );
  return { rows: Number(rows[0].rows), text: rows[0].text };
}

const BUCKETS = 4096;

/** Rows are cut into buckets by key; only buckets that differ are read. */
async function findDifferences(sides: readonly [Side, Side], limit: number) {
  const [left, right] = await Promise.all(
    sides.map(buckets) as [ReturnType<typeof buckets>, ReturnType<typeof buckets>],
  );
  const numbers = [...new Set([...left.keys(), ...right.keys()])].filter(
    (bucket) => left.get(bucket) !== right.get(bucket),
  );
  const found = {
    missing: [] as string[],
    extra: [] as string[],
    different: [] as string[],
    repeated: [] as string[],
  };
  for (const bucket of numbers) {
    const [ours, theirs] = await Promise.all(sides.map((side) => bucketRows(side, bucket)));
    compareBucket(ours!, theirs!, found);
    if (Object.values(found).some((list) => list.length >= limit)) break;
  }
  for (const list of Object.values(found)) list.splice(limit);
  return found;
}

type Found = Record<"missing" | "extra" | "different" | "repeated", string[]>;

function compareBucket(
  ours: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
  found: Found,
): void {
  for (const [key, rows] of ours) {
    const other = theirs.get(key);
    if (other === undefined) found.missing.push(key);
    else if (other !== rows) (other.length === rows.length ? found.different : found.repeated).push(key);
  }
  for (const key of theirs.keys()) if (!ours.has(key)) found.extra.push(key);
}

/** Without a key a row is its own key. */
function effectiveKey(side: Side): string {
  return side.key === "''" ? `md5(${side.row})` : side.key;
}

function bucketOf(side: Side): string {
  return `(hashtextextended(${effectiveKey(side)} collate "C", 1) & ${BUCKETS - 1})`;
}

async function buckets(side: Side): Promise<Map<string, string>> {
  const { rows } = await side.client.query(
    `select ${bucketOf(side)}::text as bucket, concat_ws(' ', count(*), sum(hashtextextended(${side.row} collate "C", 0))) as text
     from only ${side.from} t group by 1`,
  );
  return new Map(rows.map((row) => [row.bucket as string, row.text as string]));
}

/** Key to the hashes of its rows, of one length each. */
async function bucketRows(side: Side, bucket: string): Promise<Map<string, string>> {
  const { rows } = await side.client.query(
    `select ${effectiveKey(side)} as key, string_agg(md5(${side.row}), ',' order by md5(${side.row})) as hashes
     from only ${side.from} t where ${bucketOf(side)} = $1::bigint group by 1 order by 1`,
    [bucket],
  );
  return new Map(rows.map((row) => [row.key as string, row.hashes as string]));
}
