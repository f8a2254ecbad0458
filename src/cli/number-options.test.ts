import assert from "node:assert/strict";
import { test } from "node:test";
import { numberIn, wholeNumberIn } from "./number-options.ts";

test("numbers of options are read within their bounds, and nothing else is taken for one", () => {
  assert.deepEqual(["0", "0.5", "3600"].map(numberIn(0, 3600)), [0, 0.5, 3600]);
  assert.deepEqual(["1", "49"].map(wholeNumberIn(1, 49)), [1, 49]);
  for (const text of ["", " ", "many", "-1", "3601", "NaN"]) {
    assert.throws(() => numberIn(0, 3600)(text), /It is a number from 0 to 3600\./);
  }
  for (const text of ["", " ", "0", "2.5", "50", "4x"]) {
    assert.throws(() => wholeNumberIn(1, 49)(text), /It is a whole number from 1 to 49\./);
  }
});
