import type { TableId } from "../../../core/schema.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import type { KeyColumn } from "./key-values.ts";
import { type Bound, betweenSql, compare } from "./range-condition.ts";
import type { RangeKey } from "./range-key.ts";

/** Asks the server; rows by the names of their columns. */
export type Ask = (sql: string) => Promise<readonly Readonly<Record<string, string | null>>[]>;

export interface RangeCut {
  readonly table: TableId;
  readonly key: RangeKey;
  /** About so many rows are to be in a range. */
  readonly rows: number;
  readonly maxRanges: number;
}

export interface KeyRange {
  readonly from: Bound | undefined;
  readonly to: Bound | undefined;
  readonly rows: number;
}

/** Ranges that a statement asks about. */
const ASKED_AT_ONCE = 40;
/** A range is halved at most so often, by values: a key may have gaps of any width. */
const MAX_DEPTH = 100;
/** A range that keeps so much of its rows when it is halved has its values in one corner, or only one. */
const LOPSIDED = 0.9;
/** A range may have so many times the wanted rows, as halving it would not come closer. */
const TOLERANCE = 1.4;

/** So many rows of the index are passed at most to find a value. */
const LONGEST_WALK = 100_000;

/** Rows whose first key columns have the values of `prefix`, and the next one lies between two. */
interface Piece extends KeyRange {
  readonly prefix: Bound;
  /** Values of the column behind the prefix, none of the rows' below or above them; undefined when not known. */
  readonly low: string | undefined;
  readonly high: string | undefined;
  /** They are values of rows. */
  readonly isExact: boolean;
  /** No value is known that would part it. */
  readonly isLast: boolean;
}

/**
 * Cuts a table into ranges of its key by halving, between the least value and the greatest, what the index shows to
 * have too many rows: it is asked by EXPLAIN, which reads some pages at the ends of each range and nothing in between.
 * Where one value alone has too many rows, they are cut by the key's next column. All ranges that are too large are
 * halved together, so that the questions of a round are few. Ranges are in order, and together hold every row.
 */
export async function cutRanges(ask: Ask, cut: RangeCut): Promise<readonly KeyRange[]> {
  const whole: Piece = { from: undefined, to: undefined, prefix: [], ...UNKNOWN, rows: Infinity };
  let pieces: readonly Piece[] = [whole];
  for (let depth = 0; depth < MAX_DEPTH && pieces.length < cut.maxRanges; depth++) {
    const large = pieces.filter(({ rows, isLast }) => !isLast && rows > TOLERANCE * cut.rows);
    if (large.length === 0) break;
    const halves = await halve(ask, cut, large);
    pieces = pieces.flatMap((piece) => halves.get(piece) ?? [piece]);
  }
  return merged(pieces, cut.rows);
}

const UNKNOWN = { low: undefined, high: undefined, isExact: false, isLast: false } as const;

async function halve(
  ask: Ask,
  cut: RangeCut,
  pieces: readonly Piece[],
): Promise<ReadonlyMap<Piece, readonly Piece[]>> {
  const halves = new Map<Piece, readonly Piece[]>();
  const known = await withValues(ask, cut, pieces);
  const middles = await middlesOf(ask, cut, known);
  const parted = pieces.map((piece, i) => {
    const parts = part(known[i]!, cut.key, middles[i]);
    halves.set(piece, parts);
    return parts;
  });
  const unasked = parted.flat().filter(({ isLast }) => !isLast);
  const rows = new Map<Piece, number>();
  for (const [i, count] of (await estimate(ask, cut, unasked)).entries()) rows.set(unasked[i]!, count);
  for (const [piece, parts] of halves) {
    halves.set(
      piece,
      parts.map((half) => counted(half, rows.get(half), piece)),
    );
  }
  return halves;
}

function counted(half: Piece, rows: number | undefined, of: Piece): Piece {
  if (rows === undefined) return { ...half, rows: Number.isFinite(of.rows) ? of.rows : 0 };
  const isLopsided = rows > LOPSIDED * of.rows;
  return isLopsided ? { ...half, ...UNKNOWN, rows } : { ...half, rows };
}

/** Two parts of a piece, its rows by the next column, or the piece itself, which cannot be parted. */
function part(piece: Piece, key: RangeKey, middle: string | undefined): readonly Piece[] {
  const { prefix, low, high } = piece;
  if (key.columns[prefix.length] === undefined || low === undefined || high === undefined) {
    return [{ ...piece, isLast: true }];
  }
  if (low === high) {
    if (prefix.length + 1 === key.columns.length) return [{ ...piece, isLast: true }];
    return [{ ...piece, ...UNKNOWN, prefix: [...prefix, low] }];
  }
  if (middle === undefined) return piece.isExact ? [{ ...piece, isLast: true }] : [{ ...piece, ...UNKNOWN }];
  const bound = [...prefix, middle];
  return [
    { ...piece, to: bound, high: middle, isExact: false },
    { ...piece, from: bound, low: middle, isExact: false },
  ];
}

/**
 * A value for each piece that has rows on both sides, in the server's order; undefined where none is known. Of columns
 * whose order is the server's own, it judges those that were worked out, and where none lies within, a row's own value
 * does it: ranges would overlap, else.
 */
async function middlesOf(
  ask: Ask,
  cut: RangeCut,
  pieces: readonly Piece[],
): Promise<readonly (string | undefined)[]> {
  const middles = pieces.map((piece) => guess(piece, cut.key));
  await judge(ask, cut, pieces, middles);
  const own = middles.map(() => undefined as string | undefined);
  for (const [i, piece] of pieces.entries()) {
    const column = cut.key.columns[piece.prefix.length];
    const isWanted = middles[i] === undefined && piece.isExact && piece.low !== piece.high;
    if (column?.sorted !== undefined && isWanted) own[i] = await valueWithin(ask, cut, piece);
  }
  await judge(ask, cut, pieces, own);
  return middles.map((middle, i) => middle ?? own[i]);
}

function guess({ prefix, low, high, from, to }: Piece, key: RangeKey): string | undefined {
  const column = key.columns[prefix.length];
  if (column === undefined || low === undefined || high === undefined || low === high) return undefined;
  const middle = column.middle(low, high);
  if (middle === undefined) return undefined;
  const bound = [...prefix, middle];
  return isSame(bound, from) || isSame(bound, to) ? undefined : middle;
}

/** Leaves those middles that lie between their piece's bounds for the server. */
async function judge(
  ask: Ask,
  { key }: RangeCut,
  pieces: readonly Piece[],
  middles: (string | undefined)[],
): Promise<void> {
  const asked = [...middles.keys()].filter((i) => {
    return middles[i] !== undefined && key.columns[pieces[i]!.prefix.length]!.sorted !== undefined;
  });
  for (let at = 0; at < asked.length; at += ASKED_AT_ONCE) {
    const some = asked.slice(at, at + ASKED_AT_ONCE);
    const list = some.map((i, n) => `${liesWithin(pieces[i]!, key, middles[i]!)} as m${n}`);
    const [row] = await ask(`select ${list.join(", ")}`);
    for (const [n, i] of some.entries()) if (row?.[`m${n}`] !== "1") middles[i] = undefined;
  }
}

function liesWithin({ prefix, low, high, to }: Piece, key: RangeKey, middle: string): string {
  const sorted = key.columns[prefix.length]!.sorted!;
  const own = sorted(middle);
  const conditions = [`${sorted(low!)} < ${own}`, `${own} <= ${sorted(high!)}`];
  if (to?.length === prefix.length + 1) conditions.push(`${own} < ${sorted(to.at(-1)!)}`);
  return `(${conditions.join(" and ")})`;
}

/** The value of a row about halfway, which is found by reading so much of the index. */
async function valueWithin(ask: Ask, cut: RangeCut, piece: Piece): Promise<string | undefined> {
  const half = Number.isFinite(piece.rows) ? piece.rows / 2 : cut.rows;
  const offset = Math.floor(Math.min(half, LONGEST_WALK));
  const [row] = await ask(`${valueSql(cut, piece, "")} limit 1 offset ${offset}`);
  return row?.["value"] ?? undefined;
}

function isSame(bound: Bound, other: Bound | undefined): boolean {
  return (
    other !== undefined && bound.length === other.length && bound.every((value, i) => value === other[i])
  );
}

/** The least and the greatest value, of pieces that do not know theirs. */
async function withValues(ask: Ask, cut: RangeCut, pieces: readonly Piece[]): Promise<readonly Piece[]> {
  const known: Piece[] = [];
  for (const piece of pieces) {
    if (piece.low !== undefined) {
      known.push(piece);
      continue;
    }
    const [lowest] = await ask(edgeSql(cut, piece, ""));
    const [highest] = await ask(edgeSql(cut, piece, " desc"));
    known.push({
      ...piece,
      low: lowest?.["value"] ?? undefined,
      high: highest?.["value"] ?? undefined,
      isExact: true,
    });
  }
  return known;
}

function edgeSql(cut: RangeCut, piece: Piece, order: string): string {
  return `${valueSql(cut, piece, order)} limit 1`;
}

function valueSql(cut: RangeCut, piece: Piece, order: string): string {
  const { columns } = cut.key;
  const column = columns[piece.prefix.length]!;
  const ordered = columns.slice(0, piece.prefix.length + 1).map(({ name }) => `${identifier(name)}${order}`);
  return `select ${column.expression} as value ${fromSql(cut, piece)} order by ${ordered.join(", ")}`;
}

async function estimate(ask: Ask, cut: RangeCut, pieces: readonly Piece[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (let at = 0; at < pieces.length; at += ASKED_AT_ONCE) {
    const selects = pieces.slice(at, at + ASKED_AT_ONCE).map((piece) => `select 1 ${fromSql(cut, piece)}`);
    const plan = await ask(`explain ${selects.map((select) => `(${select})`).join(" union all ")}`);
    // Of what has no rows for certain the plan says nothing; the last line is about all together.
    for (const line of plan.slice(0, selects.length)) counts.push(Number(line["rows"] ?? 0));
  }
  return counts;
}

function fromSql({ table, key }: RangeCut, piece: Piece): string {
  const condition = within(key.columns, piece);
  const where = condition === "" ? "" : ` where ${condition}`;
  return `from ${qualified(table)} force index (${identifier(key.index)})${where}`;
}

/** A piece's condition in the form that its index answers most cheaply: equal columns, and a range of the next. */
function within(columns: readonly KeyColumn[], { prefix, from, to }: Piece): string {
  const equal = prefix.map((value, i) => compare(columns[i]!, "=", value));
  const depth = prefix.length;
  const column = columns[depth];
  if (column === undefined) return equal.join(" and ");
  const bounds: string[] = [];
  if (depth === 0) bounds.push(betweenSql([column], from, to));
  else {
    // A bound of fewer values lies outside of what is equal.
    if (from?.length === depth + 1) bounds.push(compare(column, ">=", from[depth]!));
    if (to?.length === depth + 1) bounds.push(compare(column, "<", to[depth]!));
  }
  return [...equal, ...bounds].filter((condition) => condition !== "").join(" and ");
}

/** Neighbours that have few rows become one. */
function merged(pieces: readonly Piece[], wanted: number): readonly KeyRange[] {
  const ranges: KeyRange[] = [];
  for (const { from, to, rows } of pieces) {
    const last = ranges.at(-1);
    if (last !== undefined && last.rows + rows <= TOLERANCE * wanted) {
      ranges[ranges.length - 1] = { from: last.from, to, rows: last.rows + rows };
    } else ranges.push({ from, to, rows });
  }
  return ranges;
}
