import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ReportFile } from "./report-file.ts";

const directory = mkdtempSync(join(tmpdir(), "tideway-report-"));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, "report.html");

test("a report takes its place when it is whole, and is its owner's alone", () => {
  writeFileSync(path, "older and longer", { mode: 0o644 });
  writeFileSync(`${path}.new`, "half a dra");
  using file = new ReportFile(path, "--html");
  file.write("new");
  assert.equal(readFileSync(path, "utf8"), "older and longer");
  file.end(" ö\n");
  assert.equal(readFileSync(path, "utf8"), "new ö\n");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(directory), ["report.html"]);
});

test("one that was not finished leaves what was there before", () => {
  writeFileSync(path, "older");
  {
    using file = new ReportFile(path, "--html");
    file.write("half");
  }
  assert.equal(readFileSync(path, "utf8"), "older");
  assert.deepEqual(readdirSync(directory), ["report.html"]);
});

test("a path that cannot be written is wrong usage, and the option is named", () => {
  const open = (): unknown => new ReportFile(join(directory, "none", "report.html"), "--html");
  assert.throws(open, { code: "usage.invalid", message: "The file of --html cannot be written (ENOENT)." });
  mkdirSync(join(directory, "folder"));
  {
    using file = new ReportFile(join(directory, "folder"), "--html");
    assert.throws(() => file.end("text"), { code: "usage.invalid", message: /of --html cannot be written/ });
  }
  assert.deepEqual(readdirSync(directory).toSorted(), ["folder", "report.html"]);
});
