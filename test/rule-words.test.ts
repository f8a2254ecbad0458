import assert from "node:assert/strict";
import { test } from "node:test";
import { vocabulary, wordsOf } from "./support/rule-case.ts";
import { ruleCases } from "./support/rule-cases.ts";

test("a case that looks at rows in targets has each word in it that a document may choose", () => {
  const said = new Set([...ruleCases.values()].flatMap(({ rules }) => rules.flatMap(wordsOf)));
  assert.ok(vocabulary.size > 90, `${vocabulary.size} words`);
  assert.deepEqual(
    [...vocabulary].filter((word) => !said.has(word)),
    [],
  );
});
