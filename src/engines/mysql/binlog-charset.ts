import { MigrationError } from "../../core/error.ts";
import { displayTable, type TableId } from "../../core/schema.ts";
import type { CellBuffer } from "./cell-buffer.ts";

/**
 * How text of a character set becomes UTF-8. undefined stands for sets whose bytes are UTF-8 already. Nothing is ever
 * replaced: what has no character throws `source.charset`.
 */
export type Charset =
  /** For each byte its character in UTF-8: the number of bytes above, up to three bytes below; 0 for none. */
  | { readonly name: string; readonly table: Int32Array; readonly decode?: undefined }
  /** Of more than one byte for a character. Throws anything for bytes that are none. */
  | { readonly name: string; readonly table?: undefined; readonly decode: (bytes: Uint8Array) => string };

/** Sets whose bytes are UTF-8. What has no characters is left as it is, too. */
export function isUtf8(charset: string): boolean {
  return ["utf8mb4", "utf8mb3", "utf8", "ascii", "binary"].includes(charset);
}

/**
 * Sets of more than one byte that the runtime knows as the server does (WHATWG's Encoding Standard has one more name
 * for each). Of the others with one byte the server tells each character, see singleByteCharset.
 */
const LABELS: Readonly<Record<string, string>> = {
  big5: "big5",
  cp932: "shift_jis",
  eucjpms: "euc-jp",
  euckr: "euc-kr",
  gb18030: "gb18030",
  gb2312: "gbk",
  gbk: "gbk",
  sjis: "shift_jis",
  ucs2: "utf-16be",
  ujis: "euc-jp",
  utf16: "utf-16be",
  utf16le: "utf-16le",
};

/** undefined for a set that is not known here. */
export function multiByteCharset(name: string): Charset | undefined {
  if (name === "utf32") return { name, decode: decodeUtf32 };
  const label = LABELS[name];
  if (label === undefined) return undefined;
  const decoder = new TextDecoder(label, { fatal: true, ignoreBOM: true });
  return { name, decode: (bytes) => decoder.decode(bytes) };
}

/** `characters`: the 256 of the set in order; "?" at another place than its own stands for none. */
export function singleByteCharset(name: string, characters: readonly string[]): Charset {
  const table = new Int32Array(256);
  for (const [byte, character] of characters.entries()) {
    if (character === "?" && byte !== 0x3f) continue;
    const utf8 = Buffer.from(character);
    if (utf8.length < 1 || utf8.length > 3) continue;
    table[byte] = (utf8.length << 24) | utf8.readUIntLE(0, utf8.length);
  }
  return { name, table };
}

/** Writes the text that is [start, end) of `bytes`. */
export function writeText(
  out: CellBuffer,
  charset: Charset,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (charset.table === undefined) {
    writeDecoded(out, charset, bytes.subarray(start, end));
    return;
  }
  out.need(3 * (end - start));
  const { table } = charset;
  const to = out.bytes;
  let at = out.at;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    const entry = table[byte]!;
    const length = entry >> 24;
    if (length === 0) throw noCharacter(charset.name);
    to[at++] = entry & 0xff;
    if (length > 1) to[at++] = (entry >> 8) & 0xff;
    if (length > 2) to[at++] = (entry >> 16) & 0xff;
  }
  out.at = at;
}

function writeDecoded(
  out: CellBuffer,
  { name, decode }: Extract<Charset, { decode: unknown }>,
  bytes: Uint8Array,
): void {
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
