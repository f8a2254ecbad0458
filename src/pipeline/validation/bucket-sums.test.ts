import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDigest } from "../../comparison/text-digest.ts";
import { BucketSums } from "./bucket-sums.ts";

test("rows that are digested one by one come to what a server has summed up, in all 64 bits", () => {
  const digest = new TextDigest("lookup3");
  const [own, servers] = [new BucketSums(1), new BucketSums(1)];
  let sum = 0n;
  const rows = 100;
  for (let row = 0; row < rows; row++) {
    digest.write(Buffer.from(`row ${row}`));
    own.addRow(digest);
    sum += digest.digest;
  }
  assert.ok(sum > 2n ** 64n);
  servers.add([{ bucket: 0, rows, sum }]);
  assert.deepEqual(own.differing(servers), []);
  assert.equal(own.total, servers.total);
  for (const bit of [0n, 31n, 32n, 63n]) {
    const other = new BucketSums(1);
    other.add([{ bucket: 0, rows, sum: sum ^ (1n << bit) }]);
    assert.deepEqual(own.differing(other), [0]);
  }
});
