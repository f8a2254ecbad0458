import assert from "node:assert/strict";
import { test } from "node:test";
import { isSame } from "./binlog-bytes.ts";

test("ranges are the same when every byte of them is, and there are as many", () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7));
  for (let length = 0; length <= 20; length++) {
    for (const start of [0, 3, 9]) {
      const end = start + length;
      const known = Buffer.from(bytes.subarray(start, end));
      assert.equal(isSame(bytes, start, end, known), true);
      assert.equal(isSame(bytes, start, end + 1, known), false);
      for (let i = 0; i < length; i++) {
        known[i]! ^= 0x80;
        assert.equal(isSame(bytes, start, end, known), false, `byte ${i} of ${length}`);
        known[i]! ^= 0x80;
      }
    }
  }
});
