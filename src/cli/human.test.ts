import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, clock, count, duration, latency, percent, short, shortDuration } from "./human.ts";

test("counts are grouped by thousands", () => {
  assert.deepEqual([0, 999, 1000, 1234567, 10 ** 12].map(count), [
    "0",
    "999",
    "1,000",
    "1,234,567",
    "1,000,000,000,000",
  ]);
});

test("short numbers never take more than five characters", () => {
  assert.deepEqual([0, 2.04, 9.96, 987.6, 9870.2, 12345, 999_900, 4_560_000].map(short), [
    "0",
    "2.0",
    "10",
    "988",
    "9,870",
    "12.3k",
    "1.00M",
    "4.56M",
  ]);
  for (let value = 0.05; value < 1e14; value *= 1.37) assert.ok(short(value).length <= 5, `${value}`);
});

test("bytes have decimal units and three digits", () => {
  assert.deepEqual([0, 999, 1000, 1_048_576, 99_960_000, 5e15].map(bytes), [
    "0 B",
    "999 B",
    "1.00 kB",
    "1.05 MB",
    "100 MB",
    "5.00 PB",
  ]);
});

test("times are told in two units", () => {
  assert.deepEqual([-5, 0, 59.4, 59.6, 185, 7800, 442_800].map(duration), [
    "0 s",
    "0 s",
    "59 s",
    "1 min 00 s",
    "3 min 05 s",
    "2 h 10 min",
    "5 d 03 h",
  ]);
  assert.deepEqual([42, 185, 7800, 442_800].map(shortDuration), ["42s", "3m05s", "2h10m", "5d03h"]);
  assert.deepEqual([0, 7.9, 754, 10_800].map(clock), ["0:00", "0:07", "12:34", "3:00:00"]);
});

test("a lag below zero, as clocks differ, shows as none", () => {
  assert.deepEqual([-30, 0.4, 85, 1240, 12_340, 185_000].map(latency), [
    "0 ms",
    "0 ms",
    "85 ms",
    "1.24 s",
    "12.3 s",
    "3 min 05 s",
  ]);
});

test("what is not finished never shows as 100 %", () => {
  assert.deepEqual([0, 0.9, 99.99, 100].map(percent), ["0 %", "0 %", "99 %", "100 %"]);
});
