import type { CopyTextRows } from "../../core/copy-text-rows.ts";
import { type KeyColumn, keyValues } from "../row-keys.ts";
import { type KeyLookup, NO_ROWS, type RowState } from "./candidate.ts";
import type { CanonicalRows } from "./canonical-rows.ts";
import type { ComparedKey } from "./compared-table.ts";

/** A row by what tells it apart. */
export interface ComparedRow {
  /** The same for rows that are the same in all that is compared. */
  readonly digest: string;
  /** The key in the form in which both sides are compared; the digest where there is none to look the row up by. */
  readonly id: string;
  readonly lookup: KeyLookup | undefined;
}

/** What is shown of a value, in characters. */
const LONGEST_SHOWN = 2_000;

/** One of the rows that have been read. */
export interface ReadRow {
  readonly rows: CopyTextRows;
  readonly row: number;
}

interface KeyedRow extends ReadRow {
  readonly key: ComparedKey;
}

/** `digest`: the row's, see CanonicalRow.key(). */
export function comparedRow(
  canonical: CanonicalRows,
  { key, ...read }: ReadRow & { readonly key: ComparedKey | undefined },
  digest: string,
): ComparedRow {
  const lookup = key === undefined ? undefined : lookupOf(canonical, { ...read, key });
  return { digest, lookup, id: lookup === undefined ? digest : keyOf(canonical, { ...read, key: key! }) };
}

export function keyOf(canonical: CanonicalRows, { rows, row, key }: KeyedRow): string {
  return JSON.stringify(key.columns.map((place) => canonical.print(rows, row, place)));
}

/** Undefined where one side cannot be asked for the values. */
function lookupOf(canonical: CanonicalRows, { rows, row, key }: KeyedRow): KeyLookup | undefined {
  const texts = key.columns.map((place) => text(canonical.raw(rows, row, place)));
  const valuesFor = (columns: readonly KeyColumn[]): readonly string[] | undefined =>
    keyValues(columns, (_, at) => texts[at]);
  const source = valuesFor(key.source);
  const target = valuesFor(key.target);
  return source === undefined || target === undefined ? undefined : { source, target };
}

/** What there is of a candidate in one row. */
export function stateOf(canonical: CanonicalRows, { rows, row }: ReadRow, withValues: boolean): RowState {
  const prints = canonical.prints(rows, row);
  const values = withValues ? shownValues(canonical, { rows, row }) : undefined;
  return { rows: 1, text: JSON.stringify(prints), prints, values };
}

export function shownValues(canonical: CanonicalRows, { rows, row }: ReadRow): readonly (string | null)[] {
  return canonical.values(rows, row).map(shown);
}

/** Of several rows of one key. */
export function together(a: RowState | undefined, b: RowState): RowState {
  if (a === undefined) return b;
  const texts = [...textsOf(a), b.text].sort();
  return { rows: a.rows + b.rows, text: texts.join("\n"), prints: undefined, values: undefined };
}

/** Whether the one has all rows of a key that the other has, and more. */
export function hasMore(one = NO_ROWS, other = NO_ROWS): boolean {
  if (one.rows <= other.rows) return false;
  const left = textsOf(one);
  return textsOf(other).every((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

function textsOf({ rows, text: texts }: RowState): string[] {
  return rows === 0 ? [] : texts.split("\n");
}

function text(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString("utf8");
}

function shown(bytes: Buffer | null): string | null {
  const whole = text(bytes === null ? null : bytes.subarray(0, 4 * LONGEST_SHOWN));
  if (whole === null || bytes === null) return null;
  if (whole.length <= LONGEST_SHOWN && bytes.length <= 4 * LONGEST_SHOWN) return whole;
  return `${whole.slice(0, LONGEST_SHOWN)}… (${bytes.length} bytes)`;
}
