import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LineFile } from "./line-file.ts";

const directory = mkdtempSync(join(tmpdir(), "tideway-lines-"));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, "lines");

test("a part of a line does not count, and the next one takes its place", () => {
  writeFileSync(path, "one\ntwö\n");
  appendFileSync(path, "a part that is longer than what follows");
  {
    using file = new LineFile(path);
    assert.deepEqual([...file.lines()], ["one", "twö"]);
    file.add("three");
    file.keep();
  }
  assert.equal(readFileSync(path, "utf8"), "one\ntwö\nthree\n");
});

test("lines may be longer than what is read at once, and end where that does", () => {
  const lines = ["ä".repeat(700_000), "", "x".repeat((1 << 20) - 1), "y".repeat(3 << 20), "z"];
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  using file = new LineFile(path);
  assert.deepEqual([...file.lines()], lines);
  assert.deepEqual([...file.lines()], lines);
});

test("lines are added behind all others, however many of these have been read", () => {
  for (const read of [0, 1, 3]) {
    writeFileSync(path, `one\ntwo\nthree\n${"a part ".repeat(400_000)}`);
    {
      using file = new LineFile(path);
      let left = read;
      for (const line of left === 0 ? [] : file.lines()) {
        assert.notEqual(line, "");
        left--;
        if (left === 0) break;
      }
      file.add("four");
      file.keep();
    }
    assert.equal(readFileSync(path, "utf8"), "one\ntwo\nthree\nfour\n");
  }
});

test("a file without a whole line has none", () => {
  for (const text of ["", "a part", "x".repeat(3 << 20)]) {
    writeFileSync(path, text);
    using file = new LineFile(path);
    assert.deepEqual([...file.lines()], []);
    file.add("one");
    file.keep();
    assert.deepEqual([...file.lines()], ["one"]);
  }
});

test("what is not there is an error", () => {
  assert.throws(() => new LineFile(join(directory, "none")), { code: "ENOENT" });
});
