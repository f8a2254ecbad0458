/*
 * gb18030: ASCII; two bytes, 81-FE and 40-FE; four bytes at 81-FE, 30-39, 81-FE, 30-39, which count up. Those from
 * 90308130 on are the characters from U+10000 on in their order. What the others are the server says.
 */

const ASCII_END = 0x80;
const FIRST_SUPPLEMENTARY = 0x1_0000;
const LAST = 0x10_ffff;

/** Codes of four bytes that have no rule: from 81308130 up to 8431A439. */
export const FOUR_BYTE_LEADS: readonly string[] = ["81", "82", "83", "84"];

/** Characters by the number that the two bytes make, or by the place of the four among their kind; 0 for none. */
export interface Gb18030Tables {
  readonly pairs: Int32Array;
  readonly fours: Int32Array;
}

/** The place of a code of four bytes among all of them; undefined for what is none. */
export function placeOfFour(bytes: Uint8Array, at: number): number | undefined {
  if (at + 4 > bytes.length) return undefined;
  const a = bytes[at]! - 0x81;
  const b = bytes[at + 1]! - 0x30;
  const c = bytes[at + 2]! - 0x81;
  const d = bytes[at + 3]! - 0x30;
  const isCode = a >= 0 && a < 126 && b >= 0 && b < 10 && c >= 0 && c < 126 && d >= 0 && d < 10;
  return isCode ? ((a * 10 + b) * 126 + c) * 10 + d : undefined;
}

const SUPPLEMENTARY = placeOfFour(Buffer.from("90308130", "hex"), 0)!;
export const FOUR_BYTE_CODES = FOUR_BYTE_LEADS.length * 10 * 126 * 10;

/** Throws for bytes that are no character. */
export function decodeGb18030({ pairs, fours }: Gb18030Tables, bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    let character: number | undefined = first;
    let length = 1;
    if (first >= ASCII_END) {
      const four = placeOfFour(bytes, at);
      length = four === undefined ? 2 : 4;
      character = four === undefined ? pairs[(first << 8) | (bytes[at + 1] ?? 0)] : characterOf(four, fours);
      if (character === undefined || character === 0) throw new RangeError("no character of gb18030");
    }
    text += String.fromCodePoint(character);
    at += length;
  }
  return text;
}

function characterOf(place: number, fours: Int32Array): number | undefined {
  if (place < SUPPLEMENTARY) return fours[place];
  const character = FIRST_SUPPLEMENTARY + place - SUPPLEMENTARY;
  return character > LAST ? undefined : character;
}
