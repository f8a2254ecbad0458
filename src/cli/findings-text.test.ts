import assert from "node:assert/strict";
import { test } from "node:test";
import { findingsText, type ToldFinding } from "./findings-text.ts";
import { plainPaint } from "./paint.ts";

test("what a finding is about is said where its message does not name it", () => {
  const about = (subject: string, message: string): ToldFinding => ({
    ...{ code: "source.snapshot_not_exact", severity: "warning", subject, message },
    ...{ remedy: "Grant RELOAD.", ifIgnored: "It is loaded again." },
  });
  const text = findingsText(
    [
      about("s.a", "The table has no key."),
      about("s.b", "The table has no key."),
      about("s.c", "s.c has none."),
    ],
    plainPaint,
  );
  assert.deepEqual(text.split("\n").slice(1, 4), [
    "  s.a: The table has no key.",
    "  s.b: The table has no key.",
    "  s.c has none.",
  ]);
});
