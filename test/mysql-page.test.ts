import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { EnginePage } from "./engine-pages.ts";
import { mysqlTypeSamples } from "./support/mysql-type-values.ts";

/* The tables of docs/engines/mysql.md say what the tests show, and nothing else. */

const page = new EnginePage(join(import.meta.dirname, ".."), "mysql");

/** Without lengths and precisions, but for those that say how many numbers there are. */
function bareType(type: string): string {
  return type === "numeric(20,0)" ? type : type.replace(/\([\d,]+\)/, "");
}

test("the page lists the types that the tests move, with what they become", () => {
  const listed = page
    .tableAfter("### Types")
    .flatMap(([names = "", becomes = ""]) =>
      names.split(", ").map((name) => `${name.replaceAll("`", "")} -> ${becomes.replaceAll("`", "")}`),
    );
  const tried = mysqlTypeSamples.map(
    ({ type, called = bareType(type), postgres }) => `${called} -> ${bareType(postgres)}`,
  );
  assert.deepEqual([...new Set(tried)].sort(), listed.sort());
});
