import { tmpdir } from "node:os";
import { SectionedRecords } from "../../base/sectioned-records.ts";
import { MigrationError } from "../../core/error.ts";

/** Something about rows of one digest (CanonicalRow.key()). It holds until the next is asked for. */
export interface DigestRecord {
  readonly digest: string;
  readonly payload: Buffer;
}

export interface DigestAmount {
  /** How many records come, more or less. */
  readonly records: number;
  /** How many of them are looked at in memory together. */
  readonly atOnce: number;
}

const DIGEST_BYTES = 16;
const EMPTY = Buffer.alloc(0);
/** What waits in memory before a file is needed, of all parts. */
const WAITING_BYTES = 8 << 20;
/** More would wait in pieces too small to be read one by one. Beyond so many rows a part has more than `atOnce`. */
const MOST_PARTS = 1 << 11;

/**
 * Records about more digests than memory may hold, in parts by the digests' first bits: all that is known of a digest lies in the same
 * part of each of these that has as many parts.
 */
export class DigestParts implements Disposable {
  /** Others that were made for the same have as many parts. */
  readonly amount: DigestAmount;
  readonly parts: number;
  readonly #records: SectionedRecords;
  #scratch = Buffer.allocUnsafeSlow(1 << 10);
  #count = 0;

  constructor(amount: DigestAmount) {
    const { records, atOnce } = amount;
    this.amount = amount;
    this.parts = 1;
    // Parts are filled by chance, some more than others.
    while (this.parts < MOST_PARTS && records * 4 > this.parts * atOnce) this.parts *= 2;
    const pieceBytes = WAITING_BYTES / this.parts;
    this.#records = new SectionedRecords({ directory: tmpdir(), pieceBytes, failure: noRoom });
  }

  /** How many records have been added. */
  get count(): number {
    return this.#count;
  }

  add(digest: string, payload: Buffer = EMPTY): void {
    const length = DIGEST_BYTES + payload.length;
    if (length > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * length);
    this.#scratch.write(digest, 0, "latin1");
    payload.copy(this.#scratch, DIGEST_BYTES);
    const first = (digest.charCodeAt(0) << 8) | digest.charCodeAt(1);
    this.#records.add(first & (this.parts - 1), this.#scratch, length);
    this.#count++;
  }

  *part(number: number): Generator<DigestRecord> {
    for (const record of this.#records.records(number)) {
      const digest = record.toString("latin1", 0, DIGEST_BYTES);
      yield { digest, payload: record.length === DIGEST_BYTES ? EMPTY : record.subarray(DIGEST_BYTES) };
    }
  }

  [Symbol.dispose](): void {
    this.#records[Symbol.dispose]();
  }
}

function noRoom(cause: unknown): MigrationError {
  const { code = "unknown error" } = cause as NodeJS.ErrnoException;
  return new MigrationError("validation.no_room", {
    message: `Digests of rows that differ cannot be kept in a file (${code}).`,
    cause,
  });
}

/** Whole numbers of 48 bits. */
const NUMBER_BYTES = 6;

export function numbersPayload(numbers: readonly number[]): Buffer {
  const payload = Buffer.allocUnsafe(NUMBER_BYTES * numbers.length);
  for (const [i, number] of numbers.entries()) payload.writeIntLE(number, NUMBER_BYTES * i, NUMBER_BYTES);
  return payload;
}

export function numbersOf(payload: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < payload.length; at += NUMBER_BYTES) numbers.push(payload.readIntLE(at, NUMBER_BYTES));
  return numbers;
}

/** A sum of the numbers of a part for each of its digests, but for those that come to nothing. */
export function sumsOf(parts: DigestParts, number: number): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { digest, payload } of parts.part(number)) {
    const sum = (sums.get(digest) ?? 0) + payload.readIntLE(0, NUMBER_BYTES);
    if (sum === 0) sums.delete(digest);
    else sums.set(digest, sum);
  }
  return sums;
}
