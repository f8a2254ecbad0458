import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChildTimes } from "./command.ts";

test("the shell's times give what its children took", () => {
  assert.equal(parseChildTimes("0m0.002s 0m0.001s\n1m1.500s 0m2.250s\n"), 63.75);
  assert.throws(() => parseChildTimes("nothing"));
});
