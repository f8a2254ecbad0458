const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
const WORDS: ReadonlyMap<string, number> = new Map([
  ["nan", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["-infinity", Number.NEGATIVE_INFINITY],
]);
const bits = Buffer.alloc(8);

/** The 64 bits of a number, which was rounded to so many bits first. */
export function floatText(cell: Buffer, size: 32 | 64): Buffer | undefined {
  const text = cell.toString("latin1");
  const number = NUMBER.test(text) ? Number(text) : WORDS.get(text.toLowerCase());
  if (number === undefined) return undefined;
  // The sum is what takes the sign from zero.
  bits.writeDoubleBE((size === 32 ? toFloat(number) : number) + 0);
  return Buffer.from(bits.toString("hex"), "latin1");
}

/** What the smaller type has no place for is another number than infinity. */
function toFloat(number: number): number {
  const float = Math.fround(number);
  return Number.isFinite(number) && !Number.isFinite(float) ? number : float;
}
