import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readSources } from "./source-text.ts";
import { mysqlTypeSamples } from "./support/mysql-type-values.ts";
import { postgresTypeSamples } from "./support/postgres-type-values.ts";

/* The tables of docs/engines/mysql.md say what the tests show, and nothing else. */

const root = join(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs", "engines", "mysql.md"), "utf8");

/** Rows of the table that follows a heading, as the texts of their cells. */
function tableAfter(heading: string): readonly (readonly string[])[] {
  const section = page.slice(page.indexOf(`\n${heading}\n`)).split(/^#+ .*$/m)[1] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  assert.ok(lines.length > 2, heading);
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

/** Without lengths and precisions, but for those that say how many numbers there are. */
function bareType(type: string): string {
  return type === "numeric(20,0)" ? type : type.replace(/\([\d,]+\)/, "");
}

/** The types of a table of the page, each with what it becomes. */
function listedTypes(heading: string): readonly string[] {
  return tableAfter(heading).flatMap(([names = "", becomes = ""]) =>
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

test("every test that the page names is there", () => {
  const paths = readSources(root, ["src", "test"]).map(({ path }) => path);
  const names = new Set([...page.matchAll(/`([^`\s]+\.test\.ts)`/g)].map(([, name = ""]) => name));
  assert.ok(names.size > 2);
  for (const name of names)
    assert.ok(
      paths.some((path) => path.endsWith(`/${name}`)),
      name,
    );
});
