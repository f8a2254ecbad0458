import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableId } from "../../../core/schema.ts";
import type { CellBuffer } from "./cell-buffer.ts";

/** In two sets for Japanese, two more bytes make one character with this one. */
const THREE_BYTES = 0x8f;

/** Characters in UTF-8 by their codes: the number of bytes above, up to three bytes below; 0 for none. */
export type CharacterTable = Int32Array;

/**
 * How text of a character set becomes UTF-8. Nothing is ever replaced: what has no character throws `source.charset`.
 */
export type Charset =
  | {
      readonly name: string;
      /** Characters of one byte. */
      readonly singles: CharacterTable;
      /** Of two bytes, by both of them. */
      readonly pairs?: CharacterTable;
      /** Of a byte 0x8f and two more, by these. */
      readonly triples?: CharacterTable;
      readonly decode?: undefined;
    }
  /** A form of Unicode. Throws anything for bytes that are none. */
  | { readonly name: string; readonly singles?: undefined; readonly decode: (bytes: Uint8Array) => string };

/** Sets whose bytes are UTF-8. What has no characters is left as it is, too. A server takes any byte for its ascii. */
export function isUtf8(charset: string): boolean {
  return ["utf8mb4", "utf8mb3", "utf8", "binary"].includes(charset);
}

/** The character set of a collation. */
export function charsetOf(collation: string): string {
  return collation.split("_", 1)[0]!;
}

const LABELS: Readonly<Record<string, string>> = { ucs2: "utf-16be", utf16: "utf-16be", utf16le: "utf-16le" };

const HALF_OF_PAIR = /[\ud800-\udfff]/;

/** Another form of Unicode; undefined for a set that is none. */
export function unicodeCharset(name: string): Charset | undefined {
  if (name === "utf32") return { name, decode: decodeUtf32 };
  const label = LABELS[name];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  if (name !== "ucs2") return { name, decode: (bytes) => decoder.decode(bytes) };
  return {
    name,
    decode: (bytes) => {
      const text = decoder.decode(bytes);
      // To the server each half of a pair is a code of its own, and no character.
      if (HALF_OF_PAIR.test(text)) throw noCharacter(name);
      return text;
    },
  };
}

/** What a table holds for a character; 0 for what is not one, or has no place in it. */
export function tableEntry(character: string): number {
  const utf8 = Buffer.from(character);
  if (utf8.length < 1 || utf8.length > 3 || [...character].length !== 1 || character === "\ufffd") return 0;
  return (utf8.length << 24) | utf8.readUIntLE(0, utf8.length);
}

/** Writes the text that is [start, end) of `bytes`. */
export function writeText(
  out: CellBuffer,
  charset: Charset,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (charset.singles === undefined) {
    writeDecoded(out, charset, bytes.subarray(start, end));
    return;
  }
  out.need(3 * (end - start));
  const { singles, pairs, triples } = charset;
  const to = out.bytes;
  let at = out.at;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    let entry = 0;
    if (byte >= 0x80 && pairs !== undefined && i + 1 < end) {
      if (byte === THREE_BYTES && triples !== undefined && i + 2 < end) {
        entry = triples[(bytes[i + 1]! << 8) | bytes[i + 2]!]!;
        if (entry !== 0) i += 2;
      } else {
        entry = pairs[(byte << 8) | bytes[i + 1]!]!;
        if (entry !== 0) i++;
      }
    }
    if (entry === 0) entry = singles[byte]!;
    const length = entry >> 24;
    if (length === 0) throw noCharacter(charset.name);
    to[at++] = entry & 0xff;
    if (length > 1) to[at++] = (entry >> 8) & 0xff;
    if (length > 2) to[at++] = (entry >> 16) & 0xff;
  }
  out.at = at;
}

function writeDecoded(out: CellBuffer, { name, decode }: Charset, bytes: Uint8Array): void {
  let text: string;
  try {
    text = decode!(bytes);
  } catch {
    throw noCharacter(name);
  }
  out.need(3 * text.length);
  out.at += out.bytes.write(text, out.at, "utf8");
}

function decodeUtf32(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4) text += String.fromCodePoint(view.getUint32(at));
  return text;
}

/** For a column's set that nobody has told how to convert. */
export function unknownCharset(table: TableId, column: string, charset: string): MigrationError {
  return new MigrationError("source.charset", {
    message: `The column ${column} is of the character set ${charset}, which Tideway does not convert.`,
    subject: displayTable(table),
    table,
  });
}

function noCharacter(name: string): MigrationError {
  return new MigrationError("source.charset", {
    message: `A value holds bytes that are no character of ${name}.`,
    subject: name,
  });
}

/** The same of a column that is known. */
export function noCharacterIn(table: TableId, { name, collation = "" }: TextColumn): MigrationError {
  return new MigrationError("source.charset", {
    message: `The column ${name} holds bytes that are no character of ${charsetOf(collation)}.`,
    subject: displayTable(table),
    table,
  });
}

interface TextColumn {
  readonly name: string;
  readonly collation?: string;
}
