import type { MigrationError, TableOutcome } from "../../../core/error.ts";
import { type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { Partition, PartitionSize } from "../../../core/source.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";
import { wantedRanges } from "../../shared/snapshot/wanted-ranges.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { checkBoundaries } from "./range-condition.ts";

/** From this version on a range of ctid is read without scanning the rest of the table. */
const TID_RANGE_VERSION = 140_000;
/** How far the order of a key must agree with the order of the rows for ranges of it to be read in sequence. */
const CORRELATED = 0.9;
const MAX_PARTITIONS = 10_000;
/** Writers that one scan feeds: writing a row takes about twice the time of reading it. */
const MAX_SHARES = 4;
/** Blocks sampled for each partition; with 40, sizes stay within a third of each other. */
const SAMPLE_BLOCKS = 40;
const MAX_SAMPLE_BLOCKS = 40_000;

/** Bytes of a row without columns, its header and its place in the page. */
const SHORTEST_ROW = 28;

interface TableSize {
  readonly oid: string;
  readonly rows: number;
  /** Of the rows themselves, without what is stored outside of them (TOAST). */
  readonly blocks: number;
  readonly bytes: number;
  /** Stored as a heap, where a row's ctid is its place. */
  readonly heap: boolean;
}

/** Columns of a btree key without NULLs, in the order of the index. */
interface Key {
  readonly columns: readonly string[];
  /** Whether ranges of the key lie together in the table, as far as statistics tell. */
  readonly correlated: boolean;
}

/**
 * Cuts tables into partitions, within a transaction that has the snapshot. How:
 *
 *     size               rows in key order?   server     partitions are
 *     one partition      -                    -          the whole table
 *     read at once       -                    -          shares of the rows of one scan
 *     more than that     yes                  any        ranges of the key: they hold in every later snapshot; or of blocks as
 *                                                        below, which cost less, where this one alone matters
 *     more than that     no, unknown, no key  from 14    ranges of blocks: always sequential
 *     more than that     no, unknown          12, 13     ranges of the key: else each would scan all
 *     more than that     no key               12, 13     the whole table
 *
 * Sizes are asked for in one query, so that many small tables cost no more than one. What a rule wants goes first.
 */
export async function partitionTables(
  wire: WireSession,
  tables: readonly TableSchema[],
  size: PartitionSize,
): Promise<TableOutcome<readonly Partition[]>[]> {
  const ids = tables.map(({ id }) => id);
  const sizes = await tableSizes(wire, ids);
  const outcomes: TableOutcome<readonly Partition[]>[] = [];
  for (const table of tables) {
    const { id } = table;
    const known = sizes.get(tableKey(id));
    const load = size.parallelLoads?.get(tableKey(id));
    if (table.isView === true) outcomes.push([whole(table.estimatedRows)]);
    else if (known === undefined) outcomes.push(gone(id));
    else if (load?.type === "ranges") {
      await checkBoundaries(wire, table, load);
      outcomes.push(wantedRanges(load, table));
    } else if (load !== undefined || isOne(known, size)) outcomes.push([whole(known.rows)]);
    else outcomes.push(await partitionTable(wire, { table: id, known, size }));
  }
  return outcomes;
}

/** Whether a table is one partition however short its rows are. */
function isOne({ bytes }: TableSize, size: PartitionSize): boolean {
  return bytes <= size.bytesPerPartition && bytes / SHORTEST_ROW <= size.rowsPerPartition;
}

interface Cut {
  readonly table: TableId;
  readonly known: TableSize;
  readonly size: PartitionSize;
}

async function partitionTable(wire: WireSession, { table, known, size }: Cut): Promise<readonly Partition[]> {
  const actual = { ...known, rows: known.blocks === 0 ? 0 : await estimatedRows(wire, table) };
  const wanted = Math.max(actual.rows / size.rowsPerPartition, actual.bytes / size.bytesPerPartition);
  // An even number: an odd one would leave one of two lanes alone with the last.
  const count = Math.min(wanted > 1 ? 2 * Math.ceil(wanted / 2) : 1, MAX_PARTITIONS);
  if (!(count > 1)) return [whole(actual.rows)];
  if (actual.bytes <= (size.bytesReadAtOnce ?? 0)) return shares(actual.rows, Math.min(count, MAX_SHARES));
  const version = await wire.query("select current_setting('server_version_num')");
  const byBlock = actual.heap && Number(version.rows[0]![0]) >= TID_RANGE_VERSION;
  // Few blocks may have much beside them (TOAST), which ranges of the key share out.
  const isBestByBlock = byBlock && size.isOfSnapshot === true && actual.blocks >= count;
  const key = isBestByBlock ? undefined : await rangeKey(wire, table, actual.oid);
  if (key !== undefined && (key.correlated || !byBlock)) {
    const bounds = await sampleBounds(wire, { table, key, size: actual, count });
    return keyRanges(key, bounds, actual.rows);
  }
  const blockCount = Math.min(count, actual.blocks);
  return byBlock && blockCount > 1 ? blockRanges(actual, blockCount) : [whole(actual.rows)];
}

function whole(rows: number): Partition {
  return { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: rows };
}

function shares(rows: number, count: number): Partition[] {
  const share = { ...whole(Math.round(rows / count)), by: "share" as const };
  return Array.from({ length: count }, (_, i) => ({ ...share, id: String(i) }));
}

function keyRanges(key: Key, bounds: readonly (readonly string[])[], rows: number): Partition[] {
  if (bounds.length === 0) return [whole(rows)];
  const estimatedRows = Math.round(rows / (bounds.length + 1));
  return Array.from({ length: bounds.length + 1 }, (_, i) => ({
    id: String(i),
    by: "key" as const,
    columns: key.columns,
    from: bounds[i - 1],
    to: bounds[i],
    estimatedRows,
  }));
}

function blockRanges(size: TableSize, count: number): Partition[] {
  const bound = (i: number): string[] => [String(Math.floor((i * size.blocks) / count))];
  return Array.from({ length: count }, (_, i) => ({
    id: String(i),
    by: "block" as const,
    from: i === 0 ? undefined : bound(i),
    to: i === count - 1 ? undefined : bound(i + 1),
    estimatedRows: Math.round(size.rows / count),
  }));
}

/**
 * Sizes are the file system's, which are right even when statistics are old or missing. The planner
 * scales its estimate of rows by them, and guesses from the columns' widths where nothing was analyzed.
 * Here, where many tables are asked about, there is only what the last analyze has found.
 */
async function tableSizes(
  wire: WireSession,
  tables: readonly TableId[],
): Promise<ReadonlyMap<string, TableSize>> {
  const ids = tables.map(({ schema, name }) => ({ schema, name }));
  const { rows } = await wire.query(`
    select w.schema, w.name, c.oid, coalesce(m.amname = 'heap', false), pg_relation_size(c.oid),
           case when c.reltoastrelid = 0 then 0 else pg_relation_size(c.reltoastrelid) end,
           current_setting('block_size'), greatest(c.reltuples, 0)::bigint
      from json_to_recordset(${literal(JSON.stringify(ids))}) as w(schema text, name text)
      join pg_catalog.pg_namespace n on n.nspname = w.schema
      join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.name
      left join pg_catalog.pg_am m on m.oid = c.relam`);
  const sizes = new Map<string, TableSize>();
  for (const row of rows) {
    const [schema, name, oid, heap, main, toast, blockSize, tuples] = row;
    // A size is null when the table has been dropped since.
    if (main === null || toast === null) continue;
    const blocks = Number(main) / Number(blockSize);
    sizes.set(tableKey({ schema: schema!, name: name! }), {
      oid: oid!,
      blocks,
      bytes: Number(main) + Number(toast),
      heap: heap === "t",
      rows: blocks === 0 ? 0 : Number(tuples),
    });
  }
  return sizes;
}

function gone(table: TableId): MigrationError {
  return tableChanged(table, "is gone");
}

async function estimatedRows(wire: WireSession, table: TableId): Promise<number> {
  const { rows } = await wire.query(`explain (format json) select from only ${qualified(table)}`);
  const [{ Plan: plan }] = JSON.parse(rows[0]![0]!) as [{ Plan: { "Plan Rows": number } }];
  return plan["Plan Rows"];
}

/**
 * The primary key, or else the shortest unique index that holds every row and compares as the
 * built-in operators do: only then does `>=` mean the index's order whatever is in the search path.
 */
async function rangeKey(wire: WireSession, table: TableId, oid: string): Promise<Key | undefined> {
  const { rows } = await wire.query(`
    select json_agg(a.attname order by k.place),
           (select abs(s.correlation) >= ${CORRELATED} from pg_catalog.pg_stats s
             where s.schemaname = ${literal(table.schema)} and s.tablename = ${literal(table.name)}
               and not s.inherited and s.attname = (array_agg(a.attname order by k.place))[1])
      from pg_catalog.pg_index i
      join pg_catalog.pg_class x on x.oid = i.indexrelid
      join pg_catalog.pg_am m on m.oid = x.relam and m.amname = 'btree'
     cross join generate_series(0, i.indnkeyatts - 1) as k(place)
      join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[k.place]
      join pg_catalog.pg_opclass o on o.oid = i.indclass[k.place]
     where i.indrelid = ${oid} and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
     group by i.indexrelid, i.indrelid, i.indisprimary
    having bool_and(a.attnotnull and o.opcdefault and o.opcnamespace = 'pg_catalog'::regnamespace
                    and a.attcollation = i.indcollation[k.place])
       -- A NOT NULL that was not checked for the rows that were there (18) may leave NULLs, which no range holds.
       and not exists (select from pg_catalog.pg_constraint n
                        where n.conrelid = i.indrelid and n.contype = 'n' and not n.convalidated)
     order by i.indisprimary desc, count(*), i.indexrelid limit 1`);
  const row = rows[0];
  return row === undefined
    ? undefined
    : { columns: JSON.parse(row[0]!) as string[], correlated: row[1] === "t" };
}

interface Sampling {
  readonly table: TableId;
  readonly key: Key;
  readonly size: TableSize;
  readonly count: number;
}

/** Key values that cut a sample of the table's blocks into equal parts; distinct and in order, as keys are. */
async function sampleBounds(wire: WireSession, sampling: Sampling): Promise<string[][]> {
  const { table, key, size, count } = sampling;
  const columns = key.columns.map(identifier).join(", ");
  const names = key.columns.map((_, i) => `k${i}`).join(", ");
  const blocks = Math.min(count * SAMPLE_BLOCKS, MAX_SAMPLE_BLOCKS);
  const percent = Math.min(100, (100 * blocks) / size.blocks);
  const sample = percent < 100 ? `tablesample system (${percent.toFixed(9)}) repeatable (0)` : "";
  const { rows } = await wire.query(`
    select ${names}
      from (select ${columns}, row_number() over (order by ${columns}) - 1, count(*) over ()
              from only ${qualified(table)} ${sample}) as s(${names}, place, total)
     where place > 0 and place * ${count} / total > (place - 1) * ${count} / total
     order by place`);
  return rows as string[][];
}
