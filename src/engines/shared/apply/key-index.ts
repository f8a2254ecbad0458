import { UNCHANGED_CELL } from "../../../core/change-batch.ts";

/** Where a row's cells lie: the bytes of a batch and the ranges into them. */
export interface RowBytes {
  readonly bytes: Buffer;
  readonly cells: Int32Array;
}

const LEAST_ENTRIES = 1 << 7;
const EMPTY = -1;

/**
 * Finds entries by the bytes of their keys. A key is the cells of some columns of a row, which stay where
 * they are: neither a string nor an object is made for one. Open addressing with linear probing; entries
 * are numbered in the order in which they were added and never leave.
 */
export class KeyIndex {
  readonly #key: readonly number[];
  readonly #sources: readonly RowBytes[];
  #slots: Int32Array<ArrayBuffer>;
  /** Of each entry: the hash of its key, and the source and row that hold the key. */
  #hashes: Int32Array<ArrayBuffer>;
  #sourceOf: Int32Array<ArrayBuffer>;
  #rowOf: Int32Array<ArrayBuffer>;
  #size = 0;

  /**
   * `key`: ordinals of the key's columns. `sources` may grow; rows are named by an index into it. `expected`: for so
   * many entries nothing has to grow.
   */
  constructor(key: readonly number[], sources: readonly RowBytes[], expected = 0) {
    this.#key = key;
    this.#sources = sources;
    const room = roomFor(expected);
    this.#slots = new Int32Array(2 * room).fill(EMPTY);
    this.#hashes = new Int32Array(room);
    this.#sourceOf = new Int32Array(room);
    this.#rowOf = new Int32Array(room);
  }

  get size(): number {
    return this.#size;
  }

  /** The source that holds an entry's key, and the row in it. */
  source(entry: number): number {
    return this.#sourceOf[entry]!;
  }

  row(entry: number): number {
    return this.#rowOf[entry]!;
  }

  /** The entry of a row's key; `size` before the call when it is a new one. A key without a value has none: -1. */
  entry(source: number, row: number): number {
    const hash = this.#hash(source, row);
    if (hash === undefined) return EMPTY;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let entry = this.#slots[slot]!; entry !== EMPTY; entry = this.#slots[slot]!) {
      if (this.#hashes[entry] === hash && this.hasKeyOf(entry, source, row)) return entry;
      slot = (slot + 1) & mask;
    }
    const added = this.add(source, row);
    this.#slots[slot] = added;
    this.#hashes[added] = hash;
    if (2 * this.#size > this.#slots.length) this.#rehash();
    return added;
  }

  /** An entry that no key finds, for rows without one. */
  add(source: number, row: number): number {
    const entry = this.#size++;
    if (entry === this.#rowOf.length) {
      this.#hashes = grown(this.#hashes);
      this.#sourceOf = grown(this.#sourceOf);
      this.#rowOf = grown(this.#rowOf);
    }
    this.#sourceOf[entry] = source;
    this.#rowOf[entry] = row;
    return entry;
  }

  /** FNV-1a over the lengths and bytes of the key's cells, mixed so that the low bits serve as a slot. */
  #hash(source: number, row: number): number | undefined {
    const { bytes, cells } = this.#sources[source]!;
    let hash = 0x811c9dc5;
    for (let i = 0; i < this.#key.length; i++) {
      const cell = row + 2 * this.#key[i]!;
      const start = cells[cell]!;
      if (start < 0) return undefined;
      const end = cells[cell + 1]!;
      hash = Math.imul(hash ^ (end - start), 0x01000193);
      for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    }
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x2c1b3c6d);
    return hash ^ (hash >>> 13);
  }

  /** Whether a row has an entry's key; a part of the key that was not sent has not changed. */
  hasKeyOf(entry: number, source: number, row: number): boolean {
    const a = this.#sources[this.#sourceOf[entry]!]!;
    const b = this.#sources[source]!;
    const other = this.#rowOf[entry]!;
    for (let i = 0; i < this.#key.length; i++) {
      const offset = 2 * this.#key[i]!;
      const from = a.cells[other + offset]!;
      const start = b.cells[row + offset]!;
      if (start === UNCHANGED_CELL) continue;
      if (start < 0) return false;
      const length = b.cells[row + offset + 1]! - start;
      if (a.cells[other + offset + 1]! - from !== length) return false;
      for (let at = 0; at < length; at++) if (a.bytes[from + at] !== b.bytes[start + at]) return false;
    }
    return true;
  }

  #rehash(): void {
    const slots = new Int32Array(2 * this.#slots.length).fill(EMPTY);
    const mask = slots.length - 1;
    for (let i = 0; i < this.#slots.length; i++) {
      const entry = this.#slots[i]!;
      if (entry === EMPTY) continue;
      let slot = this.#hashes[entry]! & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}

/** A power of two that holds `expected`. */
export function roomFor(expected: number): number {
  let room = LEAST_ENTRIES;
  while (room < expected) room *= 2;
  return room;
}

export function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
