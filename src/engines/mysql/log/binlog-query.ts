import type { EventCursor } from "./binlog-bytes.ts";
import { inflateQuery } from "./binlog-compression.ts";
import { EventKind } from "./binlog-event.ts";
import { readStatement, type Statement } from "./binlog-statement.ts";

/** Three numbers about a file and what to do with duplicates, which LOAD DATA has behind the part that is always there. */
const LOAD_PART = 13;
/** The statement that begins most transactions. */
const BEGIN = Buffer.from("BEGIN");
const BEGIN_STATEMENT: Statement = { kind: "begin" };

/** The statement of a query: session, time, length of the database's name, error, variables, the name, the text. */
export function readQuery(kind: number, cursor: EventCursor): Statement {
  if (kind === EventKind.queryCompressed) {
    const whole = inflateQuery(cursor);
    cursor.reset(whole, 0, whole.length);
  }
  cursor.skip(8);
  const nameLength = cursor.byte();
  cursor.skip(2);
  const variables = cursor.uint16();
  cursor.skip(variables + (kind === EventKind.executeLoadQuery ? LOAD_PART : 0));
  const { bytes, at, end } = cursor;
  const text = at + nameLength + 1;
  if (end - text === BEGIN.length && BEGIN.compare(bytes, text, end) === 0) return BEGIN_STATEMENT;
  const database = cursor.text(nameLength);
  cursor.skip(1);
  return readStatement(cursor.text(cursor.left), database);
}
