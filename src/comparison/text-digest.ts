import { hash } from "node:crypto";
import { LOOKUP3_TAIL, type RowHash } from "../core/row-digest.ts";
import { Lookup3 } from "./lookup3.ts";

const WORD = 2 ** 32;

/** Digests of rows' texts as databases compute them (core/row-digest.ts). What it tells is of the text that was written last. */
export class TextDigest {
  readonly #hash: RowHash;
  readonly #lookup3 = new Lookup3();
  #bytes: Buffer = Buffer.allocUnsafeSlow(1 << 12);
  /** The digest's first 28 bits, and the 32 after them, as numbers without a sign: they need not be made as objects. */
  high = 0;
  low = 0;

  constructor(hash: RowHash) {
    this.#hash = hash;
  }

  write(text: Buffer): void {
    if (this.#hash === "lookup3") {
      this.#writeLookup3(text);
      return;
    }
    // Here it is the last four of the 64 bits.
    const bytes = hash(this.#hash, text, "buffer");
    const first = bytes.readUInt32BE(0);
    this.high = first >>> 4;
    this.low = ((first << 28) | (bytes.readUInt32BE(4) >>> 4)) >>> 0;
  }

  #writeLookup3(text: Buffer): void {
    const length = text.length + LOOKUP3_TAIL.length;
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(2 * length);
    text.copy(this.#bytes);
    this.#bytes.write(LOOKUP3_TAIL, text.length, "latin1");
    this.#lookup3.write(this.#bytes, length);
    // Of the 64 bits the first four are left out.
    this.high = this.#lookup3.high & 0x0fffffff;
    this.low = this.#lookup3.low;
  }

  get digest(): bigint {
    return BigInt(this.high) * BigInt(WORD) + BigInt(this.low);
  }

  /** The digest modulo a number of buckets, of which there are at most 2^21. */
  bucket(buckets: number): number {
    return ((this.high % buckets) * WORD + this.low) % buckets;
  }
}
