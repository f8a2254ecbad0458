import { type BodyReader, CopyFrames } from "../../../core/copy-frames.ts";
import { LAST_REFERENCE } from "../catalog/geometry-type.ts";

const COPY_DATA = 0x64;
const FRAME_HEADER = 5;
const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSLASH = 0x5c;
const CAPITAL_N = 0x4e;
/** What stands before the digits of bytes: a backslash, itself escaped, and `x`. */
const MARK_LENGTH = 3;

/** Digits of EWKB up to the end of the number of its reference system: order, kind, number. */
const HEAD_DIGITS = 18;
/** Intel's order of bytes. */
const INTEL = "01";
/** The byte with the marks of the kind when the order is Intel's, as MySQL has it; in it: a number follows. */
const MARKS_DIGIT = 8;
const HAS_REFERENCE = 0x2;
/** What PostGIS refuses. */
const NO_DIGIT = 0x7a;

/**
 * Rows of COPY's text in which cells of some columns become the digits of their bytes alone: PostGIS reads shapes so, and
 * not in the form of bytea. Chunks may end anywhere; what one becomes is no longer than it.
 */
export class BareDigits implements BodyReader {
  readonly #frames = new CopyFrames();
  /** By column, 1 for those that lose their mark. */
  readonly #isBare: Uint8Array;
  #out: Buffer = Buffer.alloc(0);
  #length = 0;
  #column = 0;
  /** Characters of the cell so far. */
  #at = 0;
  #isEscape = false;
  readonly #head = Buffer.alloc(HEAD_DIGITS);

  constructor(isBare: readonly boolean[]) {
    this.#isBare = Uint8Array.from(isBare, Number);
  }

  /** The same rows in one frame; empty where nothing is left. */
  convert(chunk: Uint8Array): Uint8Array {
    // What was held back is at most two characters of a mark.
    this.#out = Buffer.allocUnsafe(FRAME_HEADER + chunk.length + MARK_LENGTH);
    this.#length = FRAME_HEADER;
    this.#frames.walk(chunk, this);
    if (this.#length === FRAME_HEADER) return this.#out.subarray(0, 0);
    this.#out[0] = COPY_DATA;
    this.#out.writeUInt32BE(this.#length - 1, 1);
    return this.#out.subarray(0, this.#length);
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (this.#isEscape) this.#isEscape = false;
      else if (byte === BACKSLASH) this.#isEscape = true;
      else if (byte === TAB || byte === NEWLINE) {
        this.#out[this.#length++] = byte;
        this.#column = byte === TAB ? this.#column + 1 : 0;
        this.#at = 0;
        continue;
      }
      if (this.#isBare[this.#column] === 1) this.#bare(byte);
      else this.#out[this.#length++] = byte;
    }
  }

  /** A character of such a cell: of its mark, of NULL, or a digit. */
  #bare(byte: number): void {
    const at = this.#at++;
    if (at < MARK_LENGTH) {
      if (byte !== CAPITAL_N) return;
      this.#out[this.#length++] = BACKSLASH;
    } else if (at < MARK_LENGTH + HEAD_DIGITS) {
      this.#head[at - MARK_LENGTH] = byte;
      if (at === MARK_LENGTH + HEAD_DIGITS - 1 && this.#isBeyond()) {
        this.#out[this.#length++] = NO_DIGIT;
        return;
      }
    }
    this.#out[this.#length++] = byte;
  }

  #isBeyond(): boolean {
    const digits = this.#head.toString("latin1");
    if (!digits.startsWith(INTEL)) return false;
    const marks = Number.parseInt(digits[MARKS_DIGIT]!, 16);
    return (
      (marks & HAS_REFERENCE) !== 0 && Buffer.from(digits.slice(-8), "hex").readUInt32LE(0) > LAST_REFERENCE
    );
  }
}
