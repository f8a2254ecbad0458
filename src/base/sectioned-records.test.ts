import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { SectionedRecords } from "./sectioned-records.ts";

const directory = mkdtempSync(join(tmpdir(), "tideway-records-"));
after(() => rmSync(directory, { recursive: true }));
const failure = (cause: unknown): Error => new Error("no records", { cause });

test("records are read by section in the order in which they were added, whatever of them is in a file", () => {
  for (const pieceBytes of [1, 64, 1 << 20]) {
    using records = new SectionedRecords({ directory, pieceBytes, failure });
    const expected: string[][] = [[], [], []];
    for (let i = 0; i < 3_000; i++) {
      const text = `${i} ${"x".repeat(i % 100 === 0 ? 5_000 : i % 7)}`;
      records.add(i % 3, Buffer.from(text));
      expected[i % 3]!.push(text);
    }
    records.add(2, Buffer.from("only the beginning"), 4);
    expected[2]!.push("only");
    records.add(2, Buffer.alloc(0));
    expected[2]!.push("");
    for (const [section, texts] of expected.entries()) {
      assert.deepEqual(Array.from(records.records(section), String), texts);
      assert.deepEqual(Array.from(records.records(section), String), texts);
    }
    assert.deepEqual([...records.records(7)], []);
    assert.deepEqual(readdirSync(directory), []);
  }
});

test("records that have been read keep their bytes", () => {
  using records = new SectionedRecords({ directory, pieceBytes: 8, failure });
  for (const text of ["one", "two", "three", "four"]) records.add(0, Buffer.from(text));
  assert.deepEqual([...records.records(0)].map(String), ["one", "two", "three", "four"]);
});

test("a file that cannot be made is told as its owner says, once it is needed", () => {
  const place = { directory: join(directory, "none"), pieceBytes: 64, failure };
  using records = new SectionedRecords(place);
  for (let i = 0; i < 10; i++) records.add(0, Buffer.from("a"));
  assert.deepEqual([...records.records(0)].length, 10);
  const fill = (): void => {
    for (let i = 0; i < 100; i++) records.add(0, Buffer.from("a"));
  };
  assert.throws(fill, /^Error: no records$/);
  using eager = new SectionedRecords(place);
  assert.throws(() => eager.open(), /^Error: no records$/);
});

test("what waits in memory has a limit, however many sections there are", () => {
  using records = new SectionedRecords({ directory, pieceBytes: 1 << 16, failure });
  const before = process.memoryUsage().arrayBuffers;
  const record = Buffer.alloc(30_000, "x");
  const sections = 5_000;
  for (let section = 0; section < sections; section++) {
    records.add(section, Buffer.from(`first of ${section}`));
    records.add(section, record);
  }
  records.add(0, Buffer.from("last"));
  assert(process.memoryUsage().arrayBuffers - before < 100 << 20);
  for (const section of [0, 1, 2_500, sections - 1]) {
    const [first, second, ...others] = records.records(section);
    assert.equal(String(first), `first of ${section}`);
    assert.deepEqual(second, record);
    assert.deepEqual(others.map(String), section === 0 ? ["last"] : []);
  }
});
