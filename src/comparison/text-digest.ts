import { hash } from "node:crypto";
import { LOOKUP3_TAIL, type RowHash } from "../core/row-digest.ts";
import { Lookup3 } from "./lookup3.ts";

/** A digest is held as its first 48 bits and the 12 after them. */
const LOW_BITS = 12;
const LOW_SIZE = 1 << LOW_BITS;
const HIGH_BYTES = 6;

/** Digests of rows' texts as databases compute them (core/row-digest.ts). What it tells is of the text that was written last. */
export class TextDigest {
  readonly #hash: RowHash;
  readonly #lookup3 = new Lookup3();
  #bytes: Buffer = Buffer.allocUnsafeSlow(1 << 12);
  #high = 0;
  #low = 0;

  constructor(hash: RowHash) {
    this.#hash = hash;
  }

  write(text: Buffer): void {
    if (this.#hash === "lookup3") {
      this.#lookup3.write(this.#withTail(text));
      const { high, low } = this.#lookup3;
      // Of the 64 bits the first four are left out.
      this.#high = (high & 0x0fffffff) * 2 ** (32 - LOW_BITS) + (low >>> LOW_BITS);
      this.#low = low & (LOW_SIZE - 1);
      return;
    }
    const bytes = hash(this.#hash, text, "buffer");
    this.#high = bytes.readUIntBE(0, HIGH_BYTES);
    this.#low = bytes.readUInt16BE(HIGH_BYTES) >> (16 - LOW_BITS);
  }

  #withTail(text: Buffer): Buffer {
    const length = text.length + LOOKUP3_TAIL.length;
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(2 * length);
    text.copy(this.#bytes);
    this.#bytes.write(LOOKUP3_TAIL, text.length, "latin1");
    return this.#bytes.subarray(0, length);
  }

  get digest(): bigint {
    return (BigInt(this.#high) << BigInt(LOW_BITS)) | BigInt(this.#low);
  }

  /** The digest modulo a number of buckets, of which there are at most 2^40. */
  bucket(buckets: number): number {
    return ((((this.#high % buckets) * LOW_SIZE) % buckets) + this.#low) % buckets;
  }
}
