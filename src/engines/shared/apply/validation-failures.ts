import { createHash } from "node:crypto";
import type { RecordedDifference, RecordedKinds } from "../../../core/journal.ts";
import type { TableId } from "../../../core/schema.ts";
import { tableKey } from "../../../core/schema.ts";
import type { ValidationFailure, ValidationFailureKind } from "../../../core/validation-failure.ts";

/** Characters of KEY and of DETAILS in AWS DMS's table: a table that it has made serves, too. */
const LONGEST = 7800;

/** Characters of a transaction that records or removes: a server's packet is larger. */
const MOST_CHARACTERS = 200_000;
const MOST_ROWS = 500;

/** What stands in the columns of awsdms_validation_failures_v1. */
export interface FailureRow {
  readonly table: TableId;
  readonly kind: string;
  readonly key: string;
  readonly details: string;
  /** Whether KEY names one row. */
  readonly hasKey: boolean;
}

/** The rows of the table in parts, each of which is one transaction; of failures with one key the last. */
export function failureParts(failures: readonly ValidationFailure[]): readonly (readonly FailureRow[])[] {
  const rows = new Map<string, FailureRow>();
  for (const [i, failure] of failures.entries()) {
    const row = failureRow(failure);
    rows.set(row.hasKey ? `${tableKey(row.table)} ${row.key}` : `${i}`, row);
  }
  return parts([...rows.values()], ({ key, details }) => key.length * 2 + details.length);
}

/** What stands in KEY for these keys, in such parts. */
export function keyParts(keys: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return parts(
    keys.map((key) => recordedKey(key)),
    (key) => key.length,
  );
}

function failureRow({ table, kind, key = [], details }: ValidationFailure): FailureRow {
  const text = recordedKey(key);
  const notes = isWhole(key) ? details : `${CUT_KEY} ${details}`;
  return { table, kind, key: text, details: recordedDetails(notes), hasKey: key.length > 0 };
}

const CUT_KEY = "The key is too long to be shown; sha256 is that of the JSON array of its values.";

/** AWS DMS's form: `{"key": ["1", "x"]}`. Of a key that is too long the beginning, with a digest that tells it from others. */
function recordedKey(key: readonly string[]): string {
  if (isWhole(key)) return shown(key);
  const digest = createHash("sha256").update(JSON.stringify(key)).digest("hex");
  const room = Math.floor((LONGEST - 100) / key.length) - 2;
  return shown(
    key.map((value) => beginning(value, room)),
    `, "sha256": "${digest}"`,
  );
}

type Texts = readonly (string | null)[];

/** `rows`: as differencesSql() asks for them. */
export function readDifferences(rows: readonly Texts[]): readonly RecordedDifference[] {
  return rows.map(([id, text, records]) => ({ id: id!, records: Number(records), key: keyIn(text!) }));
}

/** `rows`: as differenceKindsSql() asks for them. */
export function kindsByTable(rows: readonly Texts[]): readonly RecordedKinds[] {
  const tables = new Map<string, RecordedKinds & { readonly kinds: Map<ValidationFailureKind, number> }>();
  for (const [schema, name, kind, isNamed, count] of rows) {
    const table = { schema: schema!, name: name! };
    const { kinds, unnamed } = tables.get(tableKey(table)) ?? { kinds: new Map(), unnamed: 0 };
    kinds.set(kind as ValidationFailureKind, (kinds.get(kind as ValidationFailureKind) ?? 0) + Number(count));
    const more = isNamed === "1" ? 0 : Number(count);
    tables.set(tableKey(table), { table, kinds, unnamed: unnamed + more });
  }
  return [...tables.values()];
}

/** SQL that is true where the column KEY names a row: a key that is there, and whole. */
export function isNamedSql(key: string): string {
  return `${key} <> '${shown([])}' and right(${key}, 2) = ']}'`;
}

/** The values of a key that is recorded whole. */
function keyIn(text: string): readonly string[] | undefined {
  if (!text.endsWith("]}")) return undefined;
  try {
    const { key } = JSON.parse(text) as { readonly key?: unknown };
    const isKey = Array.isArray(key) && key.length > 0 && key.every((value) => typeof value === "string");
    return isKey ? (key as readonly string[]) : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(key: readonly string[]): boolean {
  return shown(key).length <= LONGEST;
}

function shown(key: readonly string[], more = ""): string {
  return `{"key": [${key.map((value) => JSON.stringify(value)).join(", ")}]${more}}`;
}

/** So much of a value that its text in JSON has room. */
function beginning(value: string, room: number): string {
  if (JSON.stringify(value).length <= room) return value;
  let length = Math.min(value.length, room);
  const part = (): string => `${value.slice(0, length)}…`;
  while (length > 0 && JSON.stringify(part()).length > room) length = Math.floor(length * 0.8);
  return part();
}

/** What does not fit is said to be missing. */
function recordedDetails(details: string): string {
  // PostgreSQL's texts have no such character.
  const text = details.replaceAll("\0", "\\u0000");
  if (text.length <= LONGEST) return text;
  const note = `… (cut: ${text.length} characters)`;
  return text.slice(0, LONGEST - note.length) + note;
}

function parts<Item>(items: readonly Item[], sizeOf: (item: Item) => number): readonly (readonly Item[])[] {
  const made: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const last = made.at(-1);
    room -= sizeOf(item);
    if (last === undefined || room < 0 || last.length === MOST_ROWS) {
      made.push([item]);
      room = MOST_CHARACTERS - sizeOf(item);
    } else last.push(item);
  }
  return made;
}
