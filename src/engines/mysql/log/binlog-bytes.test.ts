import assert from "node:assert/strict";
import { test } from "node:test";
import { isSame, Words } from "./binlog-bytes.ts";

const numbers = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7));

test("ranges are the same when every byte of them is, and there are as many", () => {
  const bytes = new DataView(Uint8Array.from(numbers).buffer);
  for (let length = 0; length <= 20; length++) {
    for (const start of [0, 3, 9]) {
      const end = start + length;
      const copy = Uint8Array.from(numbers.subarray(start, end));
      const known = new DataView(copy.buffer);
      assert.equal(isSame(bytes, start, end, known), true);
      assert.equal(isSame(bytes, start, end + 1, known), false);
      for (let i = 0; i < length; i++) {
        copy[i]! ^= 0x80;
        assert.equal(isSame(bytes, start, end, known), false, `byte ${i} of ${length}`);
        copy[i]! ^= 0x80;
      }
    }
  }
});

test("words are those of the buffer that is asked for, wherever it lies", () => {
  const words = new Words();
  for (const bytes of [numbers, numbers.subarray(5), numbers, numbers.subarray(5, 9)]) {
    assert.equal(words.of(bytes).getInt32(0, true), bytes.readInt32LE(0));
    assert.equal(words.of(bytes).byteLength, bytes.length);
  }
});
