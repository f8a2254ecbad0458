import { type EventCursor, unreadable } from "./binlog-bytes.ts";

/** What the log says of the session that ran a statement, as far as it decides what the statement means. */
export interface QuerySession {
  /** @@sql_mode as bits; undefined where the log does not say it. */
  readonly sqlMode: number | undefined;
  /** Number of the collation of what the client sends; undefined where the log does not say it. */
  readonly clientCollation: number | undefined;
}

/** Bits of @@sql_mode. */
const NO_BACKSLASH_ESCAPES = 2 ** 20;
const STRICT = 2 ** 21 + 2 ** 22;

/** Numbers of the status variables of a query (Query_event of the server's source), and how long those are. */
const SQL_MODE = 1;
const CHARSET = 4;
const LENGTHS: Readonly<Record<number, number>> = { 0: 4, 3: 4, 7: 2, 8: 2, 9: 8 };
/** A length comes first. */
const TEXTS: ReadonlySet<number> = new Set([5, 6]);

/**
 * Reads status variables up to the character set, which stands among the first; passes over all of them. One that is not
 * known ends the reading.
 */
export function readSession(cursor: EventCursor, length: number): QuerySession {
  const end = cursor.at + length;
  let sqlMode: number | undefined;
  let clientCollation: number | undefined;
  while (cursor.at < end && clientCollation === undefined) {
    const kind = cursor.byte();
    if (kind === SQL_MODE) sqlMode = cursor.uint64();
    else if (kind === CHARSET) {
      clientCollation = cursor.uint16();
      cursor.advance(4);
    } else if (TEXTS.has(kind)) cursor.advance(cursor.byte());
    else if (LENGTHS[kind] !== undefined) cursor.advance(LENGTHS[kind]);
    else break;
  }
  cursor.advance(end - cursor.at);
  return { sqlMode, clientCollation };
}

/** Whether values that a column cannot have are errors; false also where that is not known. */
export function isStrict({ sqlMode }: QuerySession): boolean {
  return sqlMode !== undefined && hasBits(sqlMode, STRICT);
}

/** Whether a backslash in a string is nothing but that. */
export function keepsBackslashes({ sqlMode }: QuerySession): boolean {
  return sqlMode !== undefined && hasBits(sqlMode, NO_BACKSLASH_ESCAPES);
}

/** Any of the bits; sql_mode has more than 32. */
function hasBits(mode: number, bits: number): boolean {
  return (Number(BigInt(mode) & 0xffffffffn) & bits) !== 0;
}

/** What decoders call the character sets of clients. The server's latin1 is that of Windows. */
const LABELS: Readonly<Record<string, string>> = {
  big5: "big5",
  cp1250: "windows-1250",
  cp1251: "windows-1251",
  cp1256: "windows-1256",
  cp1257: "windows-1257",
  cp866: "ibm866",
  cp932: "shift_jis",
  eucjpms: "euc-jp",
  euckr: "euc-kr",
  gb18030: "gb18030",
  gb2312: "gbk",
  gbk: "gbk",
  greek: "iso-8859-7",
  hebrew: "iso-8859-8",
  koi8r: "koi8-r",
  koi8u: "koi8-u",
  latin1: "windows-1252",
  latin2: "iso-8859-2",
  latin5: "iso-8859-9",
  latin7: "iso-8859-13",
  macroman: "macintosh",
  sjis: "shift_jis",
  tis620: "windows-874",
  ujis: "euc-jp",
};

/**
 * A statement's text from its bytes in the client's character set. Throws for a set that nothing here reads, unless names
 * that matter are plain ASCII, which is the same in all of them.
 */
export function statementText(bytes: Uint8Array, charset: string, isAscii: boolean): string {
  const label = LABELS[charset] ?? (isAscii ? LABELS["latin1"] : undefined);
  if (label === undefined) {
    throw unreadable(
      `a statement of a session with the character set ${charset}`,
      "Let clients of the source use utf8mb4, and start the task again with reload-target.",
    );
  }
  return new TextDecoder(label).decode(bytes);
}
