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
    ...{ rewritten: false, plain: true, ...more },
  };
}

function reason(...notes: readonly SchemaNote[]): string | undefined {
  return whyNotFollowed(before, notes, { mappings, isApplied: false });
}

test("a column that came before the rows were written anew has a value that no note tells", () => {
  const added = { ...first, 3: "int" };
  const rewritten = { rewritten: true };
  assert.equal(reason(note(added), note(added)), undefined);
  assert.equal(
    reason(note({ ...first, 1: "bigint" }, rewritten), note({ 1: "bigint", 2: "text" })),
    undefined,
  );
  assert.equal(
    reason(note(added), note({ ...added, 1: "bigint" }, rewritten)),
    "got the column c3, and all its rows were written anew",
  );
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
