import assert from "node:assert/strict";
import { test } from "node:test";
import { CopyTextRows } from "./copy-text-rows.ts";

function textsOf(rows: CopyTextRows, columns: number): (string | null)[][] {
  return Array.from({ length: rows.rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const at = 2 * (row * columns + column);
      const start = rows.cells[at]!;
      return start < 0 ? null : rows.bytes.toString("utf8", start, rows.cells[at + 1]);
    }),
  );
}

test("rows come out as they are wherever the pieces end and whenever they are taken", () => {
  const text = Buffer.from("1\ta\\tb\\\\\\n\n2\t\\N\n\t\\\\N\n4\t\u00e9N\n");
  const expected = [
    ["1", "a\tb\\\n"],
    ["2", null],
    ["", "\\N"],
    ["4", "\u00e9N"],
  ];
  for (let cut = 0; cut <= text.length; cut++) {
    const rows = new CopyTextRows();
    rows.read(text, 0, cut);
    const first = textsOf(rows, 2);
    rows.clear(2);
    rows.read(text, cut, text.length);
    assert.deepEqual([...first, ...textsOf(rows, 2)], expected, `cut at ${cut}`);
  }
});
