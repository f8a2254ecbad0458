import assert from "node:assert/strict";
import { test } from "node:test";
import { ExactSum } from "./exact-sum.ts";

function sumOf(...texts: readonly (string | null)[]): string | null {
  const sum = new ExactSum();
  for (const text of texts) sum.add(text);
  return sum.text;
}

test("decimal numbers are added to the last digit, whatever their scales and signs are", () => {
  assert.equal(sumOf("0.1", "0.2"), "0.3");
  assert.equal(sumOf("1", "0.001", "-2.50"), "-1.499");
  assert.equal(sumOf("-0.04", "0.03"), "-0.01");
  assert.equal(sumOf("-0.00"), "0.00");
  const long = "9".repeat(80);
  assert.equal(sumOf(long, `0.${"0".repeat(40)}1`), `${long}.${"0".repeat(40)}1`);
  assert.equal(sumOf("9007199254740993", "18446744073709551615"), "18455751272964292608");
});

test("nothing has no sum, and words are added as PostgreSQL adds them", () => {
  assert.equal(sumOf(), null);
  assert.equal(sumOf(null, null), null);
  assert.equal(sumOf(null, "0"), "0");
  assert.equal(sumOf("1", "NaN", "2"), "NaN");
  assert.equal(sumOf("Infinity", "1", "Infinity"), "Infinity");
  assert.equal(sumOf("Infinity", "-Infinity", "-Infinity"), "NaN");
  assert.throws(() => sumOf("1e3"), RangeError);
});
