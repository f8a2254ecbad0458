/*
 * Bob Jenkins' hash of bytes as PostgreSQL computes it with words in little-endian order (hash_bytes_extended, without a
 * seed). It is made of words of 32 bits, which numbers hold without being objects.
 */

const BLOCK = 12;
const GOLDEN = 0x9e3779b9;
const SALT = 3_923_095;

/** Of the first of some bytes, the two halves of 64 bits, as numbers without a sign. */
export class Lookup3 {
  high = 0;
  low = 0;

  write(bytes: Buffer, length: number): void {
    let a = (GOLDEN + length + SALT) | 0;
    let b = a;
    let c = a;
    const end = length - (length % BLOCK);
    for (let at = 0; at < end; at += BLOCK) {
      a = (a + word(bytes, at)) | 0;
      b = (b + word(bytes, at + 4)) | 0;
      c = (c + word(bytes, at + 8)) | 0;
      a = (a - c) ^ turned(c, 4);
      c = (c + b) | 0;
      b = (b - a) ^ turned(a, 6);
      a = (a + c) | 0;
      c = (c - b) ^ turned(b, 8);
      b = (b + a) | 0;
      a = (a - c) ^ turned(c, 16);
      c = (c + b) | 0;
      b = (b - a) ^ turned(a, 19);
      a = (a + c) | 0;
      c = (c - b) ^ turned(b, 4);
      b = (b + a) | 0;
    }
    // What is left is shorter than a block; of the last word the lowest byte is kept for the length.
    for (let at = end; at < length; at++) {
      const place = at - end;
      const byte = bytes[at]!;
      if (place < 4) a = (a + (byte << (8 * place))) | 0;
      else if (place < 8) b = (b + (byte << (8 * (place - 4)))) | 0;
      else c = (c + (byte << (8 * (place - 7)))) | 0;
    }
    c = ((c ^ b) - turned(b, 14)) | 0;
    a = ((a ^ c) - turned(c, 11)) | 0;
    b = ((b ^ a) - turned(a, 25)) | 0;
    c = ((c ^ b) - turned(b, 16)) | 0;
    a = ((a ^ c) - turned(c, 4)) | 0;
    b = ((b ^ a) - turned(a, 14)) | 0;
    c = ((c ^ b) - turned(b, 24)) | 0;
    this.high = b >>> 0;
    this.low = c >>> 0;
  }
}

function word(bytes: Buffer, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function turned(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
