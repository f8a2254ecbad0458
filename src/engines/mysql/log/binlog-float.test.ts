import assert from "node:assert/strict";
import { test } from "node:test";
import { writeFloat32, writeFloat64 } from "./binlog-float.ts";

const out = Buffer.alloc(64);
const shown = (end: number): string => out.toString("latin1", 0, end);

/** Numbers of any size between 0 and 1. */
function* numbers(): Generator<number> {
  let seed = 1;
  for (;;) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    yield seed / 2 ** 32;
  }
}

/** What people write, what they compute, and every size of number. */
function* values(): Generator<number> {
  yield* [
    0.1, -0.1, 0.5, 1.05, -1.005, 0.000001, 0.0000001, 99.99, 999_999_999.999_999, 1e15, 1e21, 1e-5, 4.35,
  ];
  yield* [2 ** 53, 2 ** -1074, 1.7976931348623157e308, 0.3, 0.1 + 0.2, 1 / 3, 1.2e-38, 3.4028234663852886e38];
  const source = numbers();
  const next = (): number => source.next().value as number;
  for (let i = 0; i < 50_000; i++) {
    const places = i % 9;
    const sign = i % 2 === 0 ? 1 : -1;
    yield (sign * (1 + Math.floor(next() * 10 ** (1 + (i % 17))))) / 10 ** places;
    yield sign * next() * 10 ** ((i % 40) - 20);
  }
}

test("a number of 64 bits is written as the shortest text that reads back as it", () => {
  for (const value of values()) assert.equal(shown(writeFloat64(out, 0, value)), String(value));
  assert.equal(shown(writeFloat64(out, 0, 0)), "0");
  assert.equal(shown(writeFloat64(out, 0, -0)), "-0");
});

test("a number of 32 bits is written as the shortest text that reads back as it", () => {
  for (const any of values()) {
    const value = Math.fround(any);
    if (!Number.isFinite(value) || value === 0) continue;
    const text = shown(writeFloat32(out, 0, value));
    assert.equal(Math.fround(Number(text)), value, text);
    const digits = Number(text)
      .toExponential()
      .replace(/e.*|\D/g, "").length;
    if (digits > 1) assert.notEqual(Math.fround(Number(value.toPrecision(digits - 1))), value, text);
    assert.equal(text, String(Number(value.toPrecision(digits))));
  }
  assert.equal(shown(writeFloat32(out, 0, 0)), "0");
  assert.equal(shown(writeFloat32(out, 0, -0)), "-0");
});
