import { createHash } from "node:crypto";
import type { TableId } from "../../src/core/schema.ts";
import { type Comparison, compareTables, type TableDifference, type TableResult } from "./compare.ts";
import type { Family, Side, SideColumn } from "./compare-side.ts";

/*
 * Compares databases of two kinds row by row. Each server says what its rows hold, in SQL; what two servers write
 * differently for the same value is made alike here.
 */

export interface AcrossOptions {
  readonly source: Side;
  readonly target: Side;
  /** All tables of the source when left out. */
  readonly tables?: readonly TableId[];
  /** The target's name of a table; the same when left out. */
  readonly targetName?: (id: TableId) => TableId;
  /** The target's name of a column; the same when left out. */
  readonly targetColumn?: (name: string) => string;
  /** What the source's zero and partial dates are on the target; NULL when left out. */
  readonly zeroDate?: string | null;
  /** How many keys of each kind of difference are reported for a table. */
  readonly limit?: number;
}

export async function compareAcross(options: AcrossOptions): Promise<Comparison> {
  const tables = options.tables ?? (await options.source.tables());
  return await compareTables(tables, (table) => compareTable(table, options));
}

async function compareTable(table: TableId, options: AcrossOptions): Promise<TableResult> {
  const other = options.targetName?.(table) ?? table;
  const { targetColumn = (name) => name } = options;
  const ours = sortedBy(await options.source.columns(table), ({ name }) => targetColumn(name));
  const theirs = sortedBy(await options.target.columns(other), ({ name }) => name);
  const wanted = ours.map(({ name }) => targetColumn(name)).join(", ");
  const present = theirs.map(({ name }) => name).join(", ");
  if (wanted !== present || ours.length === 0) {
    return different(table, { problem: `columns differ: ${wanted} against ${present}` });
  }
  const kinds = ours.map((column, i) => kindOf(column.family, theirs[i]!.family));
  const keys = ours.flatMap(({ isKey }, i) => (isKey ? [i] : []));
  const zeroDate = options.zeroDate ?? null;
  const left = await read(options.source, table, { columns: ours, kinds, keys, zeroDate });
  const right = await read(options.target, other, { columns: theirs, kinds, keys, zeroDate });
  const found = differencesOf(left.byKey, right.byKey, options.limit ?? 10);
  if (found === undefined) return { rows: left.rows, difference: undefined };
  return different(table, { ...found, sourceRows: left.rows, targetRows: right.rows });
}

function sortedBy(
  columns: readonly SideColumn[],
  nameOf: (column: SideColumn) => string,
): readonly SideColumn[] {
  return columns.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function different(table: TableId, more: Partial<TableDifference>): TableResult {
  const lists = { missing: [], extra: [], different: [], repeated: [] };
  const difference = { table, problem: undefined, sourceRows: -1, targetRows: -1, ...lists, ...more };
  return { rows: Math.max(0, difference.sourceRows), difference };
}

/** What a pair of columns is compared as. */
type Kind = Exclude<Family, "other"> | "plain";

/** Of two families the one whose values the other holds in its own way. */
const precedence: readonly Exclude<Family, "other">[] = [
  ...(["json", "geometry", "boolean", "float32", "float64", "decimal", "int", "bits", "uuid"] as const),
  ...(["timestamp", "date"] as const),
];

function kindOf(ours: Family, theirs: Family): Kind {
  const first = precedence.find((family) => family === ours || family === theirs);
  if (first !== undefined) return first;
  if (ours === theirs && ours !== "other") return ours;
  return "plain";
}

interface ReadRequest {
  readonly columns: readonly SideColumn[];
  readonly kinds: readonly Kind[];
  readonly keys: readonly number[];
  readonly zeroDate: string | null;
}

interface ReadRows {
  readonly rows: number;
  /** Sorted hashes of the rows of each key; a row without a key is its own. */
  readonly byKey: ReadonlyMap<string, string>;
}

async function read(
  side: Side,
  id: TableId,
  { columns, kinds, keys, zeroDate }: ReadRequest,
): Promise<ReadRows> {
  const rows = await side.rows(id, columns);
  const hashes = new Map<string, string[]>();
  for (const row of rows) {
    const texts = row.map((text, i) =>
      canonical(text, { kind: kinds[i]!, family: columns[i]!.family, zeroDate }),
    );
    const hash = createHash("md5").update(JSON.stringify(texts)).digest("base64");
    const key = keys.length === 0 ? hash : JSON.stringify(keys.map((i) => texts[i]));
    const known = hashes.get(key);
    if (known === undefined) hashes.set(key, [hash]);
    else known.push(hash);
  }
  const byKey = new Map([...hashes].map(([key, list]) => [key, list.toSorted().join(" ")]));
  return { rows: rows.length, byKey };
}

function differencesOf(
  ours: ReadonlyMap<string, string>,
  theirs: ReadonlyMap<string, string>,
  limit: number,
): Pick<TableDifference, "missing" | "extra" | "different" | "repeated"> | undefined {
  const missing = [...ours.keys()].filter((key) => !theirs.has(key));
  const extra = [...theirs.keys()].filter((key) => !ours.has(key));
  const unlike = [...ours].filter(([key, rows]) => theirs.has(key) && theirs.get(key) !== rows);
  if (missing.length + extra.length + unlike.length === 0) return undefined;
  const isRepeated = ([key, rows]: readonly [string, string]): boolean =>
    theirs.get(key)!.length !== rows.length;
  const names = (list: readonly (readonly [string, string])[]): string[] =>
    list.map(([key]) => key).slice(0, limit);
  return {
    missing: missing.slice(0, limit),
    extra: extra.slice(0, limit),
    different: names(unlike.filter((one) => !isRepeated(one))),
    repeated: names(unlike.filter(isRepeated)),
  };
}

interface Value extends Pick<ReadRequest, "zeroDate"> {
  readonly kind: Kind;
  /** The column's own. */
  readonly family: Family;
}

function canonical(text: string | null, { kind, family, zeroDate }: Value): string | null {
  if (text === null) return null;
  switch (kind) {
    case "boolean":
      return family === "boolean" ? String(Number(text === "true")) : String(Number(text));
    case "int":
    case "decimal":
      return withoutZeros(text);
    case "float32":
      return String(Math.fround(Number(text)));
    case "float64":
      return String(Number(text));
    case "bits":
      return text.replace(/^0+(?=.)/, "");
    case "json":
      return family === "text" || family === "json" ? canonicalJson(text) : text;
    case "geometry":
      return family === "geometry" ? ewkb(text) : text;
    case "uuid":
      return text.toLowerCase();
    case "date":
    case "timestamp":
      return moment(text, zeroDate);
    case "time":
      return withoutZeros(text);
    default:
      return text;
  }
}

/** Without zeros at the end of a fraction, and without a fraction of none. */
function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A zero or partial date has a part that is 0. */
function moment(text: string, zeroDate: string | null): string | null {
  if (/^0000-|-00-|-00(?: |$)/.test(text)) return zeroDate;
  return withoutZeros(text.replace(/\+00$/, "")).replace(/ 00:00:00$/, "");
}

function canonicalJson(text: string): string {
  const parsed: unknown = JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value === "number") return `number ${numberText(context!.source!)}`;
    return typeof value === "string" ? `text ${value}` : value;
  });
  return JSON.stringify(sorted(parsed));
}

/** Whole numbers of 64 bits to the last digit. */
function numberText(source: string): string {
  return /^-?\d{1,20}$/.test(source) ? source : String(Number(source));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, inner]) => [name, sorted(inner)]);
}

/** MySQL keeps the number of the reference system, then WKB; EWKB has it behind the type, with a mark in that. */
function ewkb(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  const system = bytes.readUInt32LE(0);
  const wkb = bytes.subarray(4);
  if (system === 0) return wkb.toString("hex");
  const type = Buffer.alloc(8);
  type.writeUInt32LE((wkb.readUInt32LE(1) | 0x2000_0000) >>> 0, 0);
  type.writeUInt32LE(system, 4);
  return Buffer.concat([wkb.subarray(0, 1), type, wkb.subarray(5)]).toString("hex");
}
