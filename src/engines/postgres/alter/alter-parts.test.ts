import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../../../test/support/pgoutput-messages.ts";
import type { Check, Index } from "../../../core/schema.ts";
import { partSteps } from "./alter-parts.ts";

function index(name: string, native: string, parts: Partial<Index> = {}): Index {
  return { name, native, unique: false, constraint: undefined, columns: undefined, ...parts };
}

function check(name: string, validated = true): Check {
  return { name, native: "CHECK (v > 0)", validated };
}

const none = { indexes: [], checks: [], foreignKeys: [] };

function subjects(...parts: Parameters<typeof partSteps>): string[] {
  return partSteps(...parts).map(({ statements }) =>
    statements.map((sql) => sql.split(" ").slice(0, 2).join(" ")).join(),
  );
}

test("what a table has got is made, what it has lost is dropped, and first", () => {
  const before = { ...none, indexes: [index("a", "(v)")], checks: [check("c")] };
  const after = table({ indexes: [index("b", "(w)")], checks: [check("d", false)] });
  assert.deepEqual(subjects(after, { before, present: before }), [
    "alter table",
    "drop index",
    "create index",
    "alter table",
  ]);
});

test("an index under another name is renamed", () => {
  const before = { ...none, indexes: [index("a", "(v)")] };
  assert.deepEqual(partSteps(table({ indexes: [index("b", "(v)")] }), { before, present: before }), [
    { subject: "b", statements: ['alter index "s"."a" rename to "b"'] },
  ]);
});

test("what the target has already, or has lost with a column, is left as it is", () => {
  const before = { ...none, indexes: [index("a", "(v)"), index("gone", "(x)")], checks: [check("c", false)] };
  const present = { ...none, indexes: [index("a", "(u)"), index("b", "(w)")], checks: [check("c")] };
  const after = table({ indexes: [index("a", "(u)"), index("b", "(w)")], checks: [check("c")] });
  assert.deepEqual(partSteps(after, { before, present }), []);
});

test("a constraint that the source has checked is checked", () => {
  const before = { ...none, checks: [check("c", false)] };
  assert.deepEqual(subjects(table({ checks: [check("c")] }), { before, present: before }), ["alter table"]);
});
