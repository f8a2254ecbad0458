import { putInt16, readDigits } from "./binary-words.ts";

/*
 * numeric_send of PostgreSQL: groups of four decimal digits, counted from the point, without those at either end that
 * are zero; before them their number, the first one's weight, the sign, and how many digits stand behind the point.
 */

const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
/** Digits of a group, and what comes after its greatest value. */
const GROUP = 4;
const BASE = 10_000;
const HEAD = 8;
const NEGATIVE = 0x40;

/** A DECIMAL's text as numeric, without the length in front; returns where it stopped. */
export function writeNumeric(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  const first = source[from] === MINUS ? from + 1 : from;
  let whole = 0;
  let dot = first;
  for (; dot < to && source[dot] !== DOT; dot++) whole = (whole * 10 + source[dot]! - ZERO) | 0;
  const scale = dot < to ? to - dot - 1 : 0;
  if (dot - first > 2 * GROUP || scale > GROUP) return writeLong(source, from, to, target, at, dot);
  let fraction = 0;
  for (let i = dot + 1; i < to; i++) fraction = fraction * 10 + source[i]! - ZERO;
  for (let i = scale; i < GROUP; i++) fraction *= 10;
  const upper = (whole / BASE) | 0;
  const lower = whole - upper * BASE;
  let weight = -1;
  let end = at + HEAD;
  if (upper !== 0) {
    weight = 1;
    end = putInt16(upper, target, end);
    if (lower !== 0 || fraction !== 0) end = putInt16(lower, target, end);
  } else if (lower !== 0) {
    weight = 0;
    end = putInt16(lower, target, end);
  }
  if (fraction !== 0) end = putInt16(fraction, target, end);
  putHead(target, at, end, weight, first > from, scale);
  return end;
}

/** `dot`: where the point is, or the end. */
function writeLong(
  source: Buffer,
  from: number,
  to: number,
  target: Buffer,
  at: number,
  dot: number,
): number {
  const first = source[from] === MINUS ? from + 1 : from;
  const groups = at + HEAD;
  let weight = Math.ceil((dot - first) / GROUP) - 1;
  let end = groups;
  let lastUsed = groups;
  const firstSize = (dot - first) % GROUP || GROUP;
  for (let i = first, size = firstSize; i < dot; i += size, size = GROUP) {
    const group = readDigits(source, i, i + size);
    if (end === groups && group === 0) {
      weight--;
      continue;
    }
    end = putInt16(group, target, end);
    if (group !== 0) lastUsed = end;
  }
  for (let i = dot + 1; i < to; i += GROUP) {
    const size = Math.min(GROUP, to - i);
    let group = readDigits(source, i, i + size);
    for (let missing = size; missing < GROUP; missing++) group *= 10;
    if (end === groups && group === 0) {
      weight--;
      continue;
    }
    end = putInt16(group, target, end);
    if (group !== 0) lastUsed = end;
  }
  putHead(target, at, lastUsed, weight, first > from, dot < to ? to - dot - 1 : 0);
  return lastUsed;
}

/** `end`: of the groups. Zero has none, no weight and no sign. */
function putHead(
  target: Buffer,
  at: number,
  end: number,
  weight: number,
  isNegative: boolean,
  scale: number,
): void {
  const groups = (end - at - HEAD) >> 1;
  putInt16(groups, target, at);
  putInt16(groups === 0 ? 0 : weight, target, at + 2);
  target[at + 4] = isNegative && groups > 0 ? NEGATIVE : 0;
  target[at + 5] = 0;
  putInt16(scale, target, at + 6);
}
