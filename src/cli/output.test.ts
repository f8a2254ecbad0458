import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../core/error.ts";
import { errorLines, paintFor, ReportedFault, textFields, textTable } from "./output.ts";
import { colorPaint, plainPaint } from "./paint.ts";

test("an error has a line with its code and a line with the remedy", () => {
  const error = new MigrationError("connect.refused", {
    message: "Nothing listens at h:1.",
    subject: "h:1",
    remedy: "Start it.",
  });
  assert.equal(errorLines(error), "error connect.refused: Nothing listens at h:1.\nremedy: Start it.\n");
});

test("subject and server code are added where the message lacks them", () => {
  const error = new MigrationError("load.rejected", {
    message: "Refused.",
    subject: "a.b",
    nativeCode: "23505",
  });
  assert.match(
    errorLines(error),
    /^error load\.rejected: Refused\. \(a\.b\) \[server code 23505\]\nremedy: /,
  );
});

test("what is no MigrationError shows neither its message nor a stack", () => {
  const lines = errorLines(new TypeError("secret value 4711"));
  assert.match(lines, /^error internal\.unexpected: /);
  assert.doesNotMatch(lines, /4711|at /);
});

test("a fault of the API keeps its code", () => {
  assert.equal(
    errorLines(new ReportedFault("ResourceNotFoundFault", "No x.")),
    "error ResourceNotFoundFault: No x.\n",
  );
});

test("control characters in messages are escaped", () => {
  assert.match(errorLines(new ReportedFault("a", "x\x1b[2Jy\nz")), /x\\e\[2Jy\\nz/);
});

test("tables are aligned, wide characters included, without trailing blanks", () => {
  const text = textTable(
    [{ title: "NAME" }, { title: "ROWS", align: "right" }, { title: "STATE" }],
    [
      ["漢字x", "1", "ok"],
      ["a", "12345", ""],
    ],
  );
  assert.equal(text, "NAME    ROWS  STATE\n漢字x      1  ok\na      12345\n");
});

test("fields stand under each other", () => {
  assert.equal(
    textFields([
      ["a", "1"],
      ["long", "2"],
    ]),
    "a     1\nlong  2\n",
  );
});

test("colours need a terminal, and NO_COLOR refuses them", (context) => {
  const before = { ...process.env };
  context.after(() => {
    process.env = before;
  });
  const stream = { write: () => true, isTTY: true };
  process.env["TERM"] = "xterm";
  delete process.env["NO_COLOR"];
  assert.equal(paintFor(stream), colorPaint);
  assert.equal(paintFor({ ...stream, isTTY: false }), plainPaint);
  process.env["NO_COLOR"] = "1";
  assert.equal(paintFor(stream), plainPaint);
});
