import assert from "node:assert/strict";
import { test } from "node:test";
import { labelStatements } from "./alter-enum.ts";

function statements(labels: readonly string[], present: readonly string[]): string[] {
  const id = { schema: "s", name: "mood" };
  return labelStatements({ id, labels }, present).map((sql) => sql.replace('alter type "s"."mood" ', ""));
}

test("labels are added at their places", () => {
  assert.deepEqual(statements(["so", "sad", "well", "glad", "elated"], ["sad", "glad"]), [
    "add value 'so' before 'sad'",
    "add value 'well' after 'sad'",
    "add value 'elated' after 'glad'",
  ]);
});

test("a label at the place of another has its name", () => {
  assert.deepEqual(statements(["low", "glad"], ["sad", "glad"]), ["rename value 'sad' to 'low'"]);
});

test("nothing is done where all labels are there, or the type is not", () => {
  assert.deepEqual(statements(["sad"], ["sad", "own"]), []);
  assert.deepEqual(statements(["sad"], []), []);
});
