import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { Words } from "./binlog-bytes.ts";
import { Checksum } from "./binlog-checksum.ts";

test("the sum of any number of bytes, wherever they lie, is zlib's", () => {
  const all = Buffer.from(Array.from({ length: 1_300 }, (_, i) => (i * 167 + (i >> 3)) & 0xff));
  const checksum = new Checksum(new Words());
  for (const bytes of [all, all.subarray(13)]) {
    for (let length = 0; length <= 600; length++) {
      for (const start of [0, 1, 7, 599]) {
        const end = start + length;
        assert.equal(
          checksum.of(bytes, start, end),
          crc32(bytes.subarray(start, end)) | 0,
          `${length} at ${start}`,
        );
      }
    }
  }
});
