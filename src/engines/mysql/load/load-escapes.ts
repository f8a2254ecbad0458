/* Escapes of COPY's text format and of LOAD DATA, which are nearly the same. */

const TAB = 0x09;
const NEWLINE = 0x0a;
const VERTICAL_TAB = 0x0b;
const FORM_FEED = 0x0c;
const ZERO = 0x30;
const ONE = 0x31;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SMALL_F = 0x66;
const SMALL_N = 0x6e;
const SMALL_T = 0x74;
const SMALL_V = 0x76;

/** COPY's escape with this second character: two of them stand for characters that need none here. */
export function escaped(out: Buffer, at: number, byte: number): number {
  if (byte === SMALL_F || byte === SMALL_V) {
    out[at] = byte === SMALL_F ? FORM_FEED : VERTICAL_TAB;
    return at + 1;
  }
  out[at] = BACKSLASH;
  out[at + 1] = byte;
  return at + 2;
}

/** The first `length` bytes of a cell of COPY's text in LOAD DATA's escapes. */
export function escapes(out: Buffer, at: number, held: Buffer, length: number): number {
  let to = at;
  for (let i = 0; i < length; i++) {
    const byte = held[i]!;
    if (byte === BACKSLASH) to = escaped(out, to, held[++i]!);
    else out[to++] = byte;
  }
  return to;
}

/** A byte as it is, or escaped where it would mean something. */
export function raw(out: Buffer, at: number, byte: number): number {
  let to = at;
  if (byte === BACKSLASH || byte === TAB || byte === NEWLINE) {
    out[to++] = BACKSLASH;
    out[to++] = byte === TAB ? SMALL_T : byte === NEWLINE ? SMALL_N : byte;
  } else out[to++] = byte;
  return to;
}

/** `0` and `1` as the bytes of a number, whose highest bits come first. */
export function bits(out: Buffer, at: number, held: Buffer, length: number): number {
  let to = at;
  let value = 0;
  for (let i = 0; i < length; i++) {
    value = (value << 1) | (held[i] === ONE ? 1 : 0);
    if ((length - 1 - i) % 8 === 0) {
      to = raw(out, to, value);
      value = 0;
    }
  }
  return to;
}

/** Value of a hexadecimal digit in lower case. */
export function digit(byte: number): number {
  return byte < COLON ? byte - ZERO : byte - 0x57;
}
