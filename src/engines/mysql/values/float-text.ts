const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const FIVE = 0x35;
const NINE = 0x39;
const LOWER_E = 0x65;

/** No text of so many digits or less has a shorter one that reads back as the same FLOAT. */
const OWN_DIGITS = 6;
/** So many digits always tell a FLOAT from all others. */
const ENOUGH_DIGITS = 9;
/** So many are read: any such number is exact in a DOUBLE. */
const READ_DIGITS = 15;
/** Powers of ten up to here are exact in a DOUBLE, so that a product or quotient is right to its last bit. */
const EXACT_POWER = 22;
/** A power may grow by the digits that are dropped. */
const USUAL_POWER = EXACT_POWER - (READ_DIGITS - OWN_DIGITS);
/** Below it FLOAT has fewer bits, and OWN_DIGITS does not hold. */
const SMALLEST_NORMAL = 1.2e-38;
/** From this power of ten on, and below the other one, a number is written with an exponent. */
const LARGE = 15;
const SMALL = -5;

const POWERS = Array.from({ length: EXACT_POWER + 1 }, (_, i) => Number(`1e${i}`));
const scratch = new Uint8Array(16);

/**
 * Writes a FLOAT as the shortest text that reads back as the same FLOAT. `source` has its exact value as a DOUBLE, as
 * MySQL prints that, because a FLOAT's own text is rounded to six digits by the server. Returns where it stopped.
 */
export function writeFloat(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  let end = at;
  let i = from;
  if (source[i] === MINUS) {
    target[end++] = MINUS;
    i++;
  }
  let mantissa = 0;
  let count = 0;
  /** The number is mantissa * 10 ** power. */
  let power = 0;
  let isFraction = false;
  let isCut = false;
  for (; i < to; i++) {
    const byte = source[i]!;
    if (byte === DOT) {
      isFraction = true;
    } else if (byte < ZERO || byte > NINE) {
      break;
    } else if (count < READ_DIGITS) {
      mantissa = mantissa * 10 + byte - ZERO;
      if (mantissa > 0) count++;
      if (isFraction) power--;
    } else {
      if (!isCut && byte >= FIVE) mantissa++;
      isCut = true;
      if (!isFraction) power++;
    }
  }
  if (i < to) power += exponent(source, i + 1, to);
  if (count > OWN_DIGITS || power < -EXACT_POWER) {
    if (power < -EXACT_POWER || power > USUAL_POWER) return writeRare(source, from, to, target, at);
    const dropped = droppable(mantissa, power, count);
    mantissa = Math.round(mantissa / POWERS[dropped]!);
    power += dropped;
  }
  return writeDecimal(mantissa, power, target, end);
}

function exponent(source: Buffer, from: number, to: number): number {
  const isNegative = source[from] === MINUS;
  let value = 0;
  for (let i = isNegative || source[from] === PLUS ? from + 1 : from; i < to; i++) {
    value = value * 10 + source[i]! - ZERO;
  }
  return isNegative ? -value : value;
}

/** How many of the last digits may go without the rest, rounded, becoming another FLOAT. */
function droppable(mantissa: number, power: number, count: number): number {
  const value = Math.fround(scale(mantissa, power));
  for (let dropped = count - OWN_DIGITS; dropped > count - ENOUGH_DIGITS; dropped--) {
    const shorter = scale(Math.round(mantissa / POWERS[dropped]!), power + dropped);
    // A reader rounds once, not first to a DOUBLE: what is next to the middle of two may be either for it.
    const margin = Number.isSafeInteger(shorter) ? 0 : 2 ** -50;
    if (reads(shorter * (1 + margin), value) && reads(shorter * (1 - margin), value)) return dropped;
  }
  return Math.max(0, count - ENOUGH_DIGITS);
}

function reads(text: number, value: number): boolean {
  return Math.fround(text) === value;
}

function scale(mantissa: number, power: number): number {
  return power < 0 ? mantissa / POWERS[-power]! : mantissa * POWERS[power]!;
}

/** Very large and very small numbers, by way of strings. */
function writeRare(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  const value = Math.fround(Number(source.toString("latin1", from, to)));
  const fewest = Math.abs(value) < SMALLEST_NORMAL ? 1 : OWN_DIGITS;
  for (let count = fewest; count <= ENOUGH_DIGITS; count++) {
    const shorter = Number(value.toPrecision(count));
    if (Math.fround(shorter) === value) return at + target.write(numberText(shorter), at, "latin1");
  }
  return at + target.write(numberText(value), at, "latin1");
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function writeDecimal(mantissa: number, power: number, target: Buffer, at: number): number {
  if (mantissa === 0) {
    target[at] = ZERO;
    return at + 1;
  }
  let rest = mantissa;
  let scaled = power;
  while (rest % 10 === 0) {
    rest /= 10;
    scaled++;
  }
  let first = scratch.length;
  for (; rest > 0; rest = Math.floor(rest / 10)) scratch[--first] = ZERO + (rest % 10);
  const count = scratch.length - first;
  const magnitude = count - 1 + scaled;
  if (magnitude >= LARGE || magnitude < SMALL) return writeScientific(first, magnitude, target, at);
  let end = at;
  for (let place = Math.max(magnitude, 0); place >= Math.min(scaled, 0); place--) {
    if (place === -1) target[end++] = DOT;
    const index = magnitude - place;
    target[end++] = index >= 0 && index < count ? scratch[first + index]! : ZERO;
  }
  return end;
}

function writeScientific(first: number, magnitude: number, target: Buffer, at: number): number {
  let end = at;
  target[end++] = scratch[first]!;
  if (first + 1 < scratch.length) target[end++] = DOT;
  for (let i = first + 1; i < scratch.length; i++) target[end++] = scratch[i]!;
  target[end++] = LOWER_E;
  target[end++] = magnitude < 0 ? MINUS : PLUS;
  const size = Math.abs(magnitude);
  if (size >= 10) target[end++] = ZERO + Math.floor(size / 10);
  target[end++] = ZERO + (size % 10);
  return end;
}
