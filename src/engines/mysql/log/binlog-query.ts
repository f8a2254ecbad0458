import type { TableSchema } from "../../../core/schema.ts";
import { isUtf8 } from "../values/binlog-charset.ts";
import type { EventCursor } from "./binlog-bytes.ts";
import { inflateQuery } from "./binlog-compression.ts";
import { EventKind } from "./binlog-event.ts";
import type { RowFacts } from "./binlog-row-plan.ts";
import { readStatement, type Statement } from "./binlog-statement.ts";
import { type QuerySession, readSession, statementText } from "./query-session.ts";

/** Three numbers about a file and what to do with duplicates, which LOAD DATA has behind the part that is always there. */
const LOAD_PART = 13;
/** The statement that begins most transactions. */
const BEGIN = Buffer.from("BEGIN");
const BEGIN_STATEMENT: Statement = { kind: "begin" };

/** Reads statements: each is written in the character set of its client. */
export class QueryReader {
  readonly #collations: RowFacts["collations"];
  /** No table that matters has a name, or is in a database, with other characters than ASCII has. */
  readonly #isAscii: boolean;

  constructor(
    tables: readonly TableSchema[],
    { collations, outside }: Pick<RowFacts, "collations" | "outside">,
  ) {
    this.#collations = collations;
    const names = [...tables, ...outside].flatMap(({ id }) => [id.schema, id.name]);
    this.#isAscii = names.every((name) => Buffer.byteLength(name) === name.length);
  }

  /** The statement of a query: session, time, length of the database's name, error, variables, the name, the text. */
  read(kind: number, cursor: EventCursor): Statement {
    if (kind === EventKind.queryCompressed) {
      const whole = inflateQuery(cursor);
      cursor.reset(whole, 0, whole.length);
    }
    cursor.advance(8);
    const nameLength = cursor.byte();
    cursor.advance(2);
    const variables = cursor.uint16();
    const part = kind === EventKind.executeLoadQuery ? LOAD_PART : 0;
    const { bytes, at, end } = cursor;
    const text = at + part + variables + nameLength + 1;
    if (end - text === BEGIN.length && BEGIN.compare(bytes, text, end) === 0) return BEGIN_STATEMENT;
    cursor.advance(part);
    const session = readSession(cursor, variables);
    const database = cursor.text(nameLength);
    cursor.advance(1);
    return readStatement(this.#text(cursor, session), database, session);
  }

  #text(cursor: EventCursor, { clientCollation }: QuerySession): string {
    const charset = this.#collations.get(clientCollation ?? -1);
    const bytes = cursor.slice(cursor.left);
    if (charset === undefined || isUtf8(charset) || bytes.every((byte) => byte < 0x80))
      return bytes.toString();
    return statementText(bytes, charset, this.#isAscii);
  }
}
