import { hash, randomFillSync } from "node:crypto";
import type { Mask } from "../../core/plan.ts";

const ZERO = 0x30;
const NINE = 0x39;
/** Bytes below it fall evenly on the ten digits. */
const EVEN = 250;

const pool = new Uint8Array(1 << 12);
let left = 0;

/** An ASCII digit that nobody can foretell. */
export function randomDigit(): number {
  for (;;) {
    if (left === 0) {
      randomFillSync(pool);
      left = pool.length;
    }
    const byte = pool[--left]!;
    if (byte < EVEN) return ZERO + (byte % 10);
  }
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** SHA-256 of a value's text, or of bytes, in 64 lower-case hexadecimal digits. */
export function sha256(value: Uint8Array | string): string {
  return hash("sha256", value, "hex");
}

/** A masked text. */
export function maskText(mask: Mask, text: string): string {
  switch (mask.kind) {
    case "hash":
      return sha256(text);
    case "digits":
      return text.replaceAll(/[0-9]/g, () => String.fromCharCode(mask.by));
    case "random-digits":
      return text.replaceAll(/[0-9]/g, () => String.fromCharCode(randomDigit()));
  }
}
