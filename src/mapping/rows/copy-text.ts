/* Cells in COPY's text format (PostgreSQL's manual, COPY, "Text Format"). */

export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const BACKSLASH = 0x5c;
export const CAPITAL_N = 0x4e;

/** Characters behind a backslash, and what they stand for: `\b \t \n \v \f \r`. */
const escapes: readonly (readonly [letter: string, byte: number])[] = [
  ["b", 0x08],
  ["t", TAB],
  ["n", NEWLINE],
  ["v", 0x0b],
  ["f", 0x0c],
  ["r", 0x0d],
];

/** What a character behind a backslash stands for; itself where it has no meaning. */
const plain = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const [letter, byte] of escapes) plain[letter.charCodeAt(0)] = byte;

const letters = new Map(escapes.map(([letter, byte]) => [String.fromCharCode(byte), `\\${letter}`]));
letters.set("\\", "\\\\");

/** Whether the cell in `bytes` [start, end) is NULL. */
export function isNullCell(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 2 && bytes[start] === BACKSLASH && bytes[start + 1] === CAPITAL_N;
}

export function hasEscapes(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}

/** The value of the cell in `bytes` [start, end), in memory of its own. */
export function unescaped(bytes: Uint8Array, start: number, end: number): Buffer {
  const value = Buffer.from(bytes.subarray(start, end));
  let to = 0;
  for (let at = 0; at < value.length; at++) {
    const byte = value[at]!;
    value[to++] = byte === BACKSLASH && at + 1 < value.length ? plain[value[++at]!]! : byte;
  }
  return value.subarray(0, to);
}

/** A text with the escapes that it needs in a cell. */
export function escaped(text: string): string {
  return text.replaceAll(/[\b-\r\\]/g, (char) => letters.get(char)!);
}
