import type { DigestParts } from "./digest-parts.ts";

/** Bits for each digest, so that hardly any other passes. */
const SIEVE_BITS = 16;
const LEAST_SIEVE = 1 << 10;
const MOST_SIEVE = 1 << 27;
const WORD_BITS = 32;
const WORD_SHIFT = 5;

/** Lets digests pass that were added to it, and a few others. */
export class DigestSieve {
  readonly #bits: Uint32Array;
  readonly #mask: number;

  constructor(digests: number) {
    let size = LEAST_SIEVE;
    while (size < MOST_SIEVE && size < SIEVE_BITS * digests) size *= 2;
    this.#bits = new Uint32Array(size / WORD_BITS);
    this.#mask = size - 1;
  }

  add(digest: string): void {
    const place = this.#place(digest);
    this.#bits[place >>> WORD_SHIFT]! |= 1 << (place & (WORD_BITS - 1));
  }

  passes(digest: string): boolean {
    const place = this.#place(digest);
    return (this.#bits[place >>> WORD_SHIFT]! & (1 << (place & (WORD_BITS - 1)))) !== 0;
  }

  /** By other bits than those that a part is told by. */
  #place(digest: string): number {
    const [a, b] = [digest.charCodeAt(4), digest.charCodeAt(5)];
    return ((a << 24) | (b << 16) | (digest.charCodeAt(6) << 8) | digest.charCodeAt(7)) & this.#mask;
  }
}

export function sieveOf(digests: DigestParts): DigestSieve {
  const sieve = new DigestSieve(digests.count);
  for (let part = 0; part < digests.parts; part++) {
    for (const { digest } of digests.part(part)) sieve.add(digest);
  }
  return sieve;
}
