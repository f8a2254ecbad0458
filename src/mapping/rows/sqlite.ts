import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { sha256 } from "./masks.ts";

let database: DatabaseSync | undefined;

/** The database in which expressions are evaluated; nothing is ever stored in it. */
export function opened(): DatabaseSync {
  if (database !== undefined) return database;
  database = new DatabaseSync(":memory:", { allowExtension: false });
  const options = { deterministic: true, useBigIntArguments: true } as const;
  for (const [name, carryOut] of Object.entries(FUNCTIONS)) database.function(name, options, carryOut);
  return database;
}

/** DMS's own functions, which SQLite has not. */
const FUNCTIONS = {
  hash_sha256: (value: SQLInputValue) => (value === null ? null : sha256(argument(value))),
  replaceChars: (text: SQLInputValue, from: SQLInputValue, to: SQLInputValue) => {
    if (text === null || from === null || to === null) return null;
    return replaceChars(String(text), String(from), String(to));
  },
};

export const functionNames: readonly string[] = Object.keys(FUNCTIONS);

function argument(value: Exclude<SQLInputValue, null>): string | Uint8Array {
  if (typeof value === "number" && Number.isInteger(value)) return value.toFixed(1);
  return typeof value === "object" ? (value as Uint8Array) : String(value);
}

/**
 * Each character of `from` becomes that of `to` at its place, or the first one where `to` has none there (the guide of
 * AWS DMS, "Using transformation rule expressions"); without `to` it goes.
 */
function replaceChars(text: string, from: string, to: string): string {
  const places = [...from];
  const others = [...to];
  return [...text]
    .map((char) => {
      const place = places.indexOf(char);
      return place < 0 ? char : (others[place] ?? others[0] ?? "");
    })
    .join("");
}

let asText: StatementSync | undefined;

/** A floating-point number as SQLite writes it. */
export function realText(value: number): string {
  if (asText === undefined) {
    asText = opened().prepare("select cast(?1 as text)");
    asText.setReturnArrays(true);
  }
  return (asText.get(value) as unknown as readonly [string])[0];
}
