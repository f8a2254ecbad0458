import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type RuleTypeSample, ruleTypeSamples } from "./support/rule-cases-types.ts";

/* The table of types of docs/table-mappings.md says what the cases find in targets, and nothing else. */

const page = readFileSync(new URL("../docs/table-mappings.md", import.meta.url), "utf8");

function words(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

const listed = page
  .slice(page.indexOf("\n## Types\n"), page.indexOf("\n## Expressions\n"))
  .split("\n")
  .filter((line) => line.startsWith("| `") && !line.startsWith("| `type`"))
  .flatMap((line) => {
    const [names = "", members = "", postgres = "", mariadb = ""] = line.slice(1, -1).split("|");
    const rest = [words(members), words(postgres), words(mariadb)].map((found) => found.join(" "));
    return words(names).map((name) => [name, ...rest].join(" | "));
  });

/** Without lengths and precisions, but for those that make it another type. */
function bare(native: string): string {
  if (["tinyint(1)", "numeric(20,0)"].includes(native)) return native;
  return native.replace(/\([\d,]+\)/, "").replace(" without time zone", "");
}

function found({ type: { type, ...members }, postgres, mariadb }: RuleTypeSample): string {
  return [type, Object.keys(members).join(" "), bare(postgres), bare(mariadb)].join(" | ");
}

test("the page has each type that rules may name, with what it is in targets", () => {
  assert.deepEqual(listed.toSorted(), ruleTypeSamples.map(found).toSorted());
});
