import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DAY, readDay, writeFloat64, writeInt64, writeInterval, writeMoment } from "./binary-cells.ts";
import { writeNumeric } from "./binary-numeric.ts";

const target = Buffer.alloc(256);

type Write = (source: Buffer, from: number, to: number, target: Buffer, at: number) => number;

function written(write: Write, text: string): Buffer {
  // The value lies between others, as in a row.
  const source = Buffer.from(`9${text}9`, "latin1");
  return target.subarray(3, write(source, 1, source.length - 1, target, 3));
}

/** The same numbers each time. */
function* randoms(count: number): Generator<bigint> {
  let state = 88172645463325252n;
  for (let i = 0; i < count; i++) {
    state ^= (state << 13n) & 0xffffffffffffffffn;
    state ^= state >> 7n;
    state ^= (state << 17n) & 0xffffffffffffffffn;
    yield BigInt.asIntN(64, state) >> BigInt(i % 64);
  }
}

test("whole numbers of eight bytes are what BigInt makes of them", () => {
  const edges = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n, -(2n ** 32n), 999_999_999_999_999n];
  for (const value of [...edges, ...randoms(20_000)]) {
    assert.equal(written(writeInt64, String(value)).readBigInt64BE(), value);
  }
});

/** numeric_recv, as text. */
function numericText(bytes: Buffer): string {
  const count = bytes.readUInt16BE(0);
  const weight = bytes.readInt16BE(2);
  const scale = bytes.readUInt16BE(6);
  assert.equal(bytes.length, 8 + 2 * count);
  // No group at either end is zero.
  if (count > 0) assert(bytes.readUInt16BE(8) > 0 && bytes.readUInt16BE(6 + 2 * count) > 0);
  let digits = 0n;
  for (let i = 0; i < count; i++) digits = digits * 10_000n + BigInt(bytes.readUInt16BE(8 + 2 * i));
  const power = 4 * (weight - count + 1) + scale;
  const scaled = power >= 0 ? digits * 10n ** BigInt(power) : digits / 10n ** BigInt(-power);
  const text = scaled.toString().padStart(scale + 1, "0");
  const shown = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  return bytes.readUInt16BE(4) === 0x4000 ? `-${shown}` : shown;
}

test("decimals keep every digit and their scale", () => {
  for (const text of [
    "0",
    "0.00",
    "-0.0001",
    "10000",
    "100000000.0000",
    "99999999999999999999",
    "1.5",
    "12345.6789",
  ]) {
    assert.equal(numericText(written(writeNumeric, text)), text);
  }
  assert.equal(numericText(written(writeNumeric, "000012.50")), "12.50");
  let i = 0;
  for (const value of randoms(5_000)) {
    const scale = i++ % 31;
    const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
    const shown = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    const text = value < 0n ? `-${shown}` : shown;
    assert.equal(numericText(written(writeNumeric, text)), text);
  }
});

test("a DOUBLE's text is read as the number that it is", () => {
  for (const value of [0, -0, 0.1, 1e22, 1e23, -2.5e-7, 123456789012345, 1 / 3, Number.MAX_VALUE, 5e-324]) {
    const text = (Object.is(value, -0) ? "-0" : String(value)).replace("e+", "e");
    assert(Object.is(written(writeFloat64, text).readDoubleBE(), value), text);
  }
});

test("days and moments are counted from the year 2000 on", () => {
  const first = Date.UTC(2000, 0, 1);
  const date = new Date(0);
  date.setUTCFullYear(0, 0, 1);
  for (let at = date.getTime(); at < Date.UTC(9999, 11, 31); at += 86_400_000 * 37) {
    const text = new Date(at).toISOString().slice(0, 10);
    const days = readDay(Buffer.from(text), 0);
    assert.equal(days, (at - first) / 86_400_000, text);
    const end = writeMoment(days, 86_399, 999_999, target, 0);
    assert.equal(target.readBigInt64BE(end - 8), BigInt(at - first) * 1000n + 86_399_999_999n, text);
  }
  for (const text of ["0000-00-00", "2026-00-10", "2026-10-00", "2026-02-29", "1900-02-29", "2026-04-31"]) {
    assert.equal(readDay(Buffer.from(text), 0), NO_DAY);
  }
});

test("a TIME is its microseconds", () => {
  assert.equal(written(writeInterval, "-838:59:59.000001").readBigInt64BE(), -3_020_399_000_001n);
  assert.equal(written(writeInterval, "00:00:01.5").readBigInt64BE(), 1_500_000n);
  assert.equal(
    written(writeInterval, "-00:00:00.000001").toString("hex"),
    `${"f".repeat(16)}${"0".repeat(16)}`,
  );
});
