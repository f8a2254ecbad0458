import assert from "node:assert/strict";
import { test } from "node:test";
import { type Row, rowBytes } from "../../../../test/support/row-bytes.ts";
import { KeyIndex, type RowBytes } from "./key-index.ts";

test("an index finds every key again, however many there are and however they collide", () => {
  const sources: RowBytes[] = [];
  const index = new KeyIndex([0, 1], sources);
  const count = 70_000;
  const rows = Array.from({ length: count }, (_, i): Row => [`${i % 263}`, `${Math.floor(i / 263)}`]);
  sources.push(rowBytes(rows));
  for (let i = 0; i < count; i++) assert.equal(index.entry(0, 4 * i), i);
  assert.equal(index.size, count);
  sources.push(rowBytes(rows));
  for (let i = count - 1; i >= 0; i -= 7) {
    assert.equal(index.entry(1, 4 * i), i);
    assert.deepEqual([index.source(i), index.row(i)], [0, 4 * i]);
  }
  assert.equal(index.size, count);
});

test("keys are told apart by where one cell ends and the next begins", () => {
  const sources = [
    rowBytes([
      ["ab", "c"],
      ["a", "bc"],
      ["", "abc"],
      ["abc", ""],
      ["ab", null],
      ["ab", undefined],
    ]),
  ];
  const index = new KeyIndex([0, 1], sources);
  for (let i = 0; i < 4; i++) assert.equal(index.entry(0, 4 * i), i);
  assert.equal(index.entry(0, 16), -1);
  assert.equal(index.entry(0, 20), -1);
  assert.equal(index.hasKeyOf(3, 0, 16), false);
  assert.equal(index.hasKeyOf(0, 0, 20), true);
  assert.equal(index.size, 4);
});

test("different keys of the same hash are different entries", () => {
  const keys = collidingKeys();
  const sources = [rowBytes(keys.map((key) => [key]))];
  const index = new KeyIndex([0], sources);
  for (let i = 0; i < keys.length; i++) assert.equal(index.entry(0, 2 * i), i);
  for (let i = 0; i < keys.length; i++) assert.equal(index.entry(0, 2 * i), i);
});

/** Two texts of one length with the same FNV-1a hash, found by trying. */
function collidingKeys(): readonly [string, string] {
  const known = new Map<number, string>();
  for (let i = 0; ; i++) {
    const key = (i * 2_654_435_761).toString(36).padStart(10, "0").slice(-10);
    let hash = Math.imul(0x811c9dc5 ^ key.length, 0x01000193);
    for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    const other = known.get(hash);
    if (other !== undefined && other !== key) return [other, key];
    known.set(hash, key);
  }
}
