import assert from "node:assert/strict";
import { test } from "node:test";
import { writeFloat } from "./float-text.ts";

const target = Buffer.alloc(64);

function text(printed: string): string {
  const source = Buffer.from(printed, "latin1");
  return target.toString("latin1", 0, writeFloat(source, 0, source.length, target, 0));
}

/** The fewest digits that read back as the same FLOAT, found by trying. */
function fewest(value: number): number {
  for (let count = 1; count < 9; count++) {
    if (Math.fround(Number(value.toPrecision(count))) === value) return count;
  }
  return 9;
}

/** As MySQL prints a DOUBLE. */
function printed(value: number): string {
  return (Object.is(value, -0) ? "-0" : String(value)).replace("e+", "e");
}

test("a FLOAT comes as the shortest text that reads back as it", () => {
  for (const [exact, shortest] of [
    ["1.100000023841858", "1.1"],
    ["-0.10000000149011612", "-0.1"],
    ["0", "0"],
    ["-0", "-0"],
    ["16777216", "16777216"],
    ["16777220", "16777220"],
    ["123456.7890625", "123456.79"],
    ["1e20", "1e+20"],
    ["1.0000000200408773e20", "1e+20"],
    ["3.4028234663852886e38", "3.4028235e+38"],
    ["1.401298464324817e-45", "1e-45"],
    ["1.1754943508222875e-38", "1.1754944e-38"],
    ["0.000009999999747378752", "0.00001"],
    ["9.999999747378752e-7", "1e-6"],
    ["-999999986991104", "-1e+15"],
  ] as const) {
    assert.equal(text(exact), shortest, exact);
  }
});

test("every FLOAT reads back as itself, in the fewest digits", () => {
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  let state = 12345;
  for (let i = 0; i < 50_000; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bits[0] = state;
    const values = [float[0]!, Math.fround((state % 2_000_000) / 100), Math.fround(state / 65536)];
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      const shown = text(printed(value));
      assert(Object.is(Math.fround(Number(shown)), value), `${value}: ${shown}`);
      if (value === 0) continue;
      const count = shown
        .replace(/e.*$/, "")
        .replace(/^-?[0.]*/, "")
        .replace(".", "")
        .replace(/0+$/, "").length;
      assert.equal(count, fewest(value), `${value}: ${shown}`);
    }
  }
});
