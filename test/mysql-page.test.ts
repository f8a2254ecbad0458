import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { EnginePage } from "./engine-pages.ts";
import { mysqlTypeSamples } from "./support/mysql-type-values.ts";
import { postgresTypeSamples } from "./support/postgres-type-values.ts";

/* The tables of docs/engines/mysql.md say what the tests show, and nothing else. */

const page = new EnginePage(join(import.meta.dirname, ".."), "mysql");

/** Without lengths and precisions, but for those that say how many numbers there are. */
function bareType(type: string): string {
  return type === "numeric(20,0)" ? type : type.replace(/\([\d,]+\)/, "");
}

/** The types of a table of the page, each with what it becomes. */
function listedTypes(heading: string): readonly string[] {
  return page
    .tableAfter(heading)
    .flatMap(([names = "", becomes = ""]) =>
      names.split(", ").map((name) => `${name.replaceAll("`", "")} -> ${becomes.replaceAll("`", "")}`),
    );
}

test("the page lists the types that the tests move, with what they become", () => {
  const tried = mysqlTypeSamples.map(
    ({ type, called = bareType(type), postgres }) => `${called} -> ${bareType(postgres)}`,
  );
  assert.deepEqual([...new Set(tried)].sort(), listedTypes("### Types").toSorted());
});

test("so it does for the types of PostgreSQL", () => {
  const tried = postgresTypeSamples.map(
    ({ type, called = bareType(type), becomes }) => `${called} -> ${becomes}`,
  );
  const listed = listedTypes("### Types of PostgreSQL").flatMap((one) => {
    const [name, becomes] = one.split(" -> ") as [string, string];
    return becomes.split(" or ").map((type) => `${name} -> ${type.replace(/\([a-z\d,]+\)/, "")}`);
  });
  assert.deepEqual([...new Set(tried)].sort(), listed.toSorted());
});
