import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { TextDigest } from "./text-digest.ts";

/** hashtextextended(text || '............', 0) as PostgreSQL shows it. */
const LOOKUP3: Readonly<Record<string, bigint>> = {
  "": -2686526416839828703n,
  Tideway: 9004414818320496028n,
  "twelve bytes": -5921918314391556918n,
  "1,Å,a longer text of several words": 4176580895191004276n,
};

test("a text's digest is the one that databases compute, and its bucket the digest modulo their number", () => {
  for (const hash of ["md5", "sha1", "lookup3"] as const) {
    const digest = new TextDigest(hash);
    for (const [text, known] of Object.entries(LOOKUP3)) {
      digest.write(Buffer.from(text));
      const expected =
        hash === "lookup3"
          ? BigInt.asUintN(60, known)
          : BigInt(`0x${createHash(hash).update(text).digest("hex").slice(0, 15)}`);
      assert.equal(digest.digest, expected);
      for (const buckets of [1, 7, 1024, 65_536, 2 ** 21]) {
        assert.equal(digest.bucket(buckets), Number(expected % BigInt(buckets)));
      }
    }
  }
});
