import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { variableNames } from "../columns/expression-reader.ts";
import { dataTypeNames } from "./data-types.ts";

const page = await readFile(new URL("../../../docs/table-mappings.md", import.meta.url), "utf8");
const source = await Promise.all(
  [
    ...["read-document.ts", "selection-rules.ts", "column-rules.ts", "table-rules.ts", "name-change.ts"],
    "vocabulary.ts",
  ].map((name) => readFile(new URL(name, import.meta.url), "utf8")),
);

/** What stands between quotes in the programs that read documents, and has the form of DMS's words. */
const words = new Set(source.join("\n").match(/(?<=")[a-z]+(?:-[a-z]+)+(?=")/g));

/** Of Tideway's own: how a mask is called in a plan. */
const OWN_WORD = "random-digits";

test("docs/table-mappings.md has every member, action and type that a document may hold", () => {
  assert.ok(words.has("data-masking-hash-mask") && words.has("bulk-max-size") && words.size > 40);
  const wanted = [...words, ...dataTypeNames, ...variableNames].filter((word) => word !== OWN_WORD);
  assert.deepEqual(
    wanted.filter((word) => !page.includes(word)),
    [],
  );
});
