import assert from "node:assert/strict";
import { test } from "node:test";
import { isGenerated } from "./target-columns.ts";

test("a column with a default that is an expression is not one that the server computes", () => {
  for (const extra of ["VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT", "STORED GENERATED INVISIBLE"]) {
    assert(isGenerated(extra), extra);
  }
  for (const extra of [
    "",
    "auto_increment",
    "DEFAULT_GENERATED",
    "DEFAULT_GENERATED on update CURRENT_TIMESTAMP",
    "DEFAULT_GENERATED INVISIBLE",
    "on update current_timestamp()",
  ]) {
    assert(!isGenerated(extra), extra);
  }
});
