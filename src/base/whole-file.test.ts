import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { writeWhole } from "./whole-file.ts";

test("a file is replaced as a whole, is its owner's alone, and leaves no draft", () => {
  const directory = mkdtempSync(join(tmpdir(), "tideway-whole-"));
  const path = join(directory, "file");
  try {
    writeFileSync(path, "older and longer", { mode: 0o644 });
    writeFileSync(`${path}.new`, "half a dra");
    writeWhole(path, "new\n");
    assert.equal(readFileSync(path, "utf8"), "new\n");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(directory), ["file"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("what cannot be written leaves the file as it was", () => {
  const directory = mkdtempSync(join(tmpdir(), "tideway-whole-"));
  try {
    assert.throws(() => writeWhole(join(directory, "none", "file"), "text"), { code: "ENOENT" });
    assert.deepEqual(readdirSync(directory), []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
