import type { RecordedCodes, RecordedException } from "../../../core/journal.ts";
import { tableKey } from "../../../core/schema.ts";

type Key = RecordedException["keys"][number];

type Texts = readonly (string | null)[];

/** `rows`: as exceptionsSql() asks for them. */
export function readExceptions(rows: readonly Texts[]): readonly RecordedException[] {
  return rows.map(([id, beginning, conflicts, refused]) => {
    const keys = keysOf(beginning!);
    const leaves = keys.length > 1 || (keys.length > 0 && beginning!.startsWith("delete from "));
    return { id: id!, keys, leaves, conflicts: Number(conflicts), refused: Number(refused) };
  });
}

/** `rows`: as recordedCodesSql() asks for them. */
export function codesByTable(rows: readonly Texts[]): readonly RecordedCodes[] {
  const tables = new Map<string, RecordedCodes & { readonly codes: Map<string, number> }>();
  for (const [schema, name, code, count] of rows) {
    const table = { schema: schema!, name: name! };
    const found = tables.get(tableKey(table)) ?? { table, codes: new Map<string, number>() };
    found.codes.set(code!, Number(count));
    tables.set(tableKey(table), found);
  }
  return [...tables.values()];
}

/**
 * The members `key` and `to` of the object in a statement (see ExceptionRow), of which only the beginning may be there.
 * Servers write JSON with spaces or without.
 */
function keysOf(statement: string): readonly Key[] {
  const first = /" \{"key"\s*:\s*|` \{"key"\s*:\s*/.exec(statement);
  if (first === null) return [];
  const start = first.index + first[0].length;
  const end = endOfObject(statement, start);
  const key = keyOf(statement.slice(start, end));
  if (key === undefined) return [];
  const to = /^\s*,\s*"to"\s*:\s*/.exec(statement.slice(end));
  if (to === null) return [key];
  const next = end + to[0].length;
  const moved = keyOf(statement.slice(next, endOfObject(statement, next)));
  return moved === undefined ? [] : [key, moved];
}

/** Behind the object that starts there, which holds nothing but texts; the end of the statement when it was cut off. */
function endOfObject(statement: string, start: number): number {
  let isText = false;
  for (let at = start; at < statement.length; at++) {
    const character = statement[at];
    if (isText && character === "\\") at++;
    else if (character === '"') isText = !isText;
    else if (!isText && character === "}") return at + 1;
  }
  return statement.length;
}

function keyOf(object: string): Key | undefined {
  try {
    return JSON.parse(object) as Key;
  } catch {
    return undefined;
  }
}
