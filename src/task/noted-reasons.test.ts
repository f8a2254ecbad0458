import assert from "node:assert/strict";
import { test } from "node:test";
import { column, table } from "../../test/support/pgoutput-messages.ts";
import type { SchemaNote } from "../core/schema-note.ts";
import type { ColumnShape } from "../core/table-shape.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { decisiveNote, whyNotFollowed } from "./noted-reasons.ts";

const include = {
  ...{ "rule-type": "selection", "rule-id": "1", "rule-name": "1", "rule-action": "include" },
  "object-locator": { "schema-name": "s", "table-name": "%" },
};
const mappings = parseTableMappings(JSON.stringify({ rules: [include] }));

/** By number, the types of columns. */
function shapes(types: Readonly<Record<number, string>>): readonly ColumnShape[] {
  return Object.entries(types).map(([number, type]) => {
    return { number: Number(number), name: `c${number}`, type, version: "1", computed: null, fill: null };
  });
}

const first = { 1: "int", 2: "varchar" };
const shape = { table: "1", storage: "1", columnsEver: 2, columns: shapes(first) };
const before = table({ id: { schema: "s", name: "t" }, columns: [column("c1"), column("c2")], shape });

function note(types: Readonly<Record<number, string>>, more: Partial<SchemaNote> = {}): SchemaNote {
  const { indexes, checks, foreignKeys, key, rowIdentity } = before;
  return {
    ...{ id: before.id, shape: { ...shape, columns: shapes(types) }, dropped: false, enums: [], text: "" },
    ...{ parts: { indexes, checks, foreignKeys, key, rowIdentity }, isOfType: false, isApplied: false },
    ...{ rewritten: false, plain: true, unfilled: [], ...more },
  };
}

function reason(...notes: readonly SchemaNote[]): string | undefined {
  return whyNotFollowed(before, notes, { mappings, isApplied: false });
}

/** The same, and the column that came last shows this in the rows that were there. */
function filled(types: Readonly<Record<number, string>>, fill: string): SchemaNote {
  const told = note(types);
  const columns = told.shape.columns.map((column, i, all) =>
    i === all.length - 1 ? { ...column, fill } : column,
  );
  return { ...told, shape: { ...told.shape, columns } };
}

test("a column that came before the rows were written anew has a value that no note tells, if it has any", () => {
  const added = { ...first, 3: "int" };
  const rewritten = { rewritten: true };
  assert.equal(reason(note(added), note(added)), undefined);
  const both = { ...added, 1: "bigint" };
  assert.equal(reason(note(added), note(both, rewritten)), undefined);
  assert.equal(reason(note(both, { ...rewritten, unfilled: [3] })), undefined);
  assert.equal(reason(note(both, { ...rewritten, unfilled: [3] }), note(both, rewritten)), undefined);
  const told = "got the column c3, and all its rows were written anew";
  assert.equal(reason(note(both, { ...rewritten, unfilled: [1, 2] })), told);
  assert.equal(reason(note(both, rewritten), note(both, { ...rewritten, unfilled: [3] })), told);
  assert.equal(
    reason(note({ ...first, 1: "bigint" }, rewritten), note({ 1: "bigint", 2: "text" })),
    undefined,
  );
  assert.equal(reason(filled(added, "5"), note(both, { ...rewritten, unfilled: [3] })), told);
});

test("a column is not taken to its last type past another that may have cost something of its values", () => {
  const told = "has got another type in its column c1 more than once in one transaction";
  const rewritten = { rewritten: true };
  assert.equal(reason(note({ ...first, 1: "text" }, rewritten), note(first, rewritten)), told);
  assert.equal(reason(note({ ...first, 1: "text" }, rewritten), note({ ...first, 1: "varchar" })), told);
  assert.equal(reason(note({ ...first, 2: "text" }), note(first)), undefined);
});

test("types are taken under the settings of the statement that gave them", () => {
  const text = { text: "typed" };
  const typed = { ...first, 1: "bigint" };
  assert.equal(decisiveNote(before, [note(typed, text), note(typed)])?.text, "typed");
  assert.equal(decisiveNote(before, [note(first), note(first, text)])?.text, "typed");
});

test("a table without a key or under a name that the mappings leave out is not followed", () => {
  assert.match(reason(note(first, { id: { schema: "x", name: "t" } }))!, /is called x\.t now/);
  const parts = { ...note(first).parts!, rowIdentity: "none" } as const;
  assert.match(reason(note(first, { parts }))!, /no key any more/);
  assert.equal(reason(note(first, { parts }), note(first)), undefined);
});
