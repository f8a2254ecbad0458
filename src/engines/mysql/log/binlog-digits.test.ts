import assert from "node:assert/strict";
import { test } from "node:test";
import { decimalSize, writeDecimal } from "./binlog-decimal.ts";
import { writeFraction, writeSigned64, writeUnsigned64 } from "./binlog-digits.ts";
import { isDate, writeMoment } from "./binlog-temporal.ts";

const out = Buffer.alloc(128);
const shown = (end: number): string => out.toString("latin1", 0, end);

test("numbers of 64 bits are written exactly", () => {
  const edges = [
    0n,
    1n,
    9n,
    10n,
    999_999_999n,
    1_000_000_000n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n,
  ];
  for (const edge of edges) {
    for (let by = -3n; by <= 3n; by++) {
      const value = BigInt.asUintN(64, edge + by);
      const [high, low] = [Number(value >> 32n), Number(value & 0xffffffffn)];
      assert.equal(shown(writeUnsigned64(out, 0, high, low)), String(value));
      assert.equal(shown(writeSigned64(out, 0, high, low)), String(BigInt.asIntN(64, value)));
    }
  }
  let seed = 1n;
  for (let i = 0; i < 20_000; i++) {
    seed = BigInt.asUintN(64, seed * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    const value = seed >> BigInt(i % 64);
    const [high, low] = [Number(value >> 32n), Number(value & 0xffffffffn)];
    assert.equal(shown(writeUnsigned64(out, 0, high, low)), String(value));
    assert.equal(shown(writeSigned64(out, 0, high, low)), String(BigInt.asIntN(64, value)));
  }
});

test("fractions lose the zeros at their end", () => {
  assert.equal(shown(writeFraction(out, 0, 0, 6)), "");
  assert.equal(shown(writeFraction(out, 0, 500_000, 6)), ".5");
  assert.equal(shown(writeFraction(out, 0, 1, 6)), ".000001");
  assert.equal(shown(writeFraction(out, 0, 12, 3)), ".012");
});

test("packed decimals are written with all digits of their scale", () => {
  const cases: readonly (readonly [string, number, number, string])[] = [
    ["810dfb38d204d2", 14, 4, "1234567890.1234"],
    ["7ef204c72dfb2d", 14, 4, "-1234567890.1234"],
    ["80000000000000", 14, 4, "0.0000"],
    ["8000", 3, 0, "0"],
    ["83e7", 3, 0, "999"],
    ["7c18", 3, 0, "-999"],
    ["b2", 2, 2, "0.50"],
  ];
  for (const [hex, precision, scale, expected] of cases) {
    const bytes = Buffer.from(hex, "hex");
    assert.equal(decimalSize(precision, scale), bytes.length, expected);
    assert.equal(shown(writeDecimal(out, 0, bytes, 0, precision, scale)), expected);
  }
});

test("moments are written as the calendar has them", () => {
  for (let moment = -2_208_988_800; moment < 4_294_967_296; moment += 86_400 * 13 + 3_601) {
    const expected = `${new Date(moment * 1000).toISOString().slice(0, 19).replace("T", " ")}+00`;
    assert.equal(shown(writeMoment(out, 0, moment, 0, 0)), expected);
  }
});

test("what is no date is told from what is", () => {
  assert.ok(isDate(2024, 2, 29) && isDate(2000, 2, 29) && isDate(0, 1, 1));
  assert.ok(!isDate(2023, 2, 29) && !isDate(1900, 2, 29) && !isDate(2026, 2, 31));
  assert.ok(!isDate(0, 0, 0) && !isDate(2026, 0, 0) && !isDate(2026, 1, 0) && !isDate(2026, 4, 31));
});
