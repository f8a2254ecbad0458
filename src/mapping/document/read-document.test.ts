import assert from "node:assert/strict";
import { test } from "node:test";
import { everything, rename } from "../../../test/support/mapping-rules.ts";
import { readDocument } from "./read-document.ts";

function parse(...rules: readonly unknown[]): ReturnType<typeof readDocument> {
  return readDocument(JSON.stringify({ rules }));
}

test("the selection rules of the DMS manual are read", () => {
  const { selections } = parse(
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "hr", "table-name": "%" },
      "rule-action": "include",
      "load-order": 2,
      filters: [
        {
          "filter-type": "source",
          "column-name": "DateOfHire",
          "filter-conditions": [
            { "filter-operator": "between", "start-value": "2004-01-01", "end-value": "2008-12-31" },
            { "filter-operator": "ste", value: 5 },
            { "filter-operator": "null" },
          ],
        },
      ],
    },
    {
      "rule-type": "selection",
      "rule-id": "2",
      "rule-name": "2",
      "object-locator": { "schema-name": "hr", "table-name": "DMS%" },
      "rule-action": "exclude",
    },
  );
  assert.deepEqual(
    selections.map(({ id, action, loadOrder, filters }) => ({ id, action, loadOrder, filters })),
    [
      {
        ...{ id: 1, action: "include", loadOrder: 2 },
        filters: [
          {
            column: "DateOfHire",
            conditions: [
              { operator: "between", from: "2004-01-01", to: "2008-12-31" },
              { operator: "lte", value: "5" },
              { operator: "null" },
            ],
          },
        ],
      },
      { id: 2, action: "exclude", loadOrder: undefined, filters: [] },
    ],
  );
});

test("the schema and table transformations of the DMS manual are read", () => {
  const { schemaRules, tableRules } = parse(
    everything,
    {
      "rule-type": "transformation",
      "rule-id": "3",
      "rule-name": "3",
      "rule-action": "rename",
      "rule-target": "schema",
      "object-locator": { "schema-name": "Test" },
      value: "Prod",
    },
    {
      "rule-type": "transformation",
      "rule-id": "5",
      "rule-name": "5",
      "rule-action": "add-prefix",
      "rule-target": "table",
      "object-locator": { "schema-name": "%", "table-name": "%" },
      value: "DMS_",
    },
    {
      "rule-type": "transformation",
      "rule-id": "4",
      "rule-name": "4",
      "rule-action": "convert-lowercase",
      "rule-target": "table",
      "object-locator": { "schema-name": "%", "table-name": "%" },
    },
    {
      "rule-type": "transformation",
      "rule-id": 6,
      "rule-action": "replace-suffix",
      "rule-target": "table",
      "object-locator": { "schema-name": "%", "table-name": "%" },
      value: "_new",
      "old-value": "_old",
    },
  );
  assert.deepEqual(
    schemaRules.map(({ id, change }) => ({ id, change })),
    [{ id: 3, change: { action: "rename", value: "Prod" } }],
  );
  assert.deepEqual(
    tableRules.map(({ id, change }) => ({ id, change })),
    [
      { id: 4, change: { action: "convert-lowercase" } },
      { id: 5, change: { action: "add-prefix", value: "DMS_" } },
      { id: 6, change: { action: "replace-suffix", oldValue: "_old", value: "_new" } },
    ],
  );
});

test("what the DMS console writes into members it does not use is accepted", () => {
  const locator = { "schema-name": "%", "table-name": "%", "table-type": "table" };
  parse(
    {
      ...everything,
      "object-locator": locator,
      filters: [],
      "parallel-load": null,
      isAutoSegmentationChecked: false,
      "load-order": null,
    },
    {
      ...rename,
      "rule-target": "schema",
      "object-locator": { "schema-name": "a", "table-name": "%" },
      "old-value": null,
      "data-type": {},
    },
  );
});

test("rule ids order rules by number, not by text or place", () => {
  const { tableRules } = parse(everything, { ...rename, "rule-id": "10" }, { ...rename, "rule-id": 9 });
  assert.deepEqual(
    tableRules.map((rule) => rule.id),
    [9, 10],
  );
});

test("a document that is not JSON is refused with the place of the mistake and without its text", () => {
  const document = '{"rules": [\n  {"rule-id": secret}\n]}';
  assert.throws(() => readDocument(document), {
    code: "mapping.malformed",
    message: "Error in mapping rules. The document is not JSON (line 2 column 15).",
  });
  for (const text of ["", "{", "null", "[]", '"x"', "1"]) {
    assert.throws(() => readDocument(text), { code: "mapping.malformed" }, text);
  }
  assert.throws(() => readDocument('{"rules": [], "filters": []}'), /"filters" beside "rules"/);
});

test("member names of every object, such as constructor, are not taken from its prototype", () => {
  const rule = {
    ...everything,
    "rule-id": 5,
    "object-locator": JSON.parse('{"__proto__": {"schema-name": "%"}}'),
  };
  assert.throws(() => parse(rule), /object-locator\.schema-name is missing/);
});
