import assert from "node:assert/strict";
import { test } from "node:test";
import { everything } from "../../../test/support/mapping-rules.ts";
import { dataTypeOf, isLargeObject } from "./data-types.ts";
import { readDocument } from "./read-document.ts";

/** A rule as the manual's section on transformations has them, with the locator of one column. */
function column(action: string, more: object = {}): object {
  return {
    ...{ "rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column" },
    "object-locator": { "schema-name": "test", "table-name": "Actor", "column-name": "col%" },
    "rule-action": action,
    ...more,
  };
}

const WHOLE_TABLE = { "object-locator": { "schema-name": "test", "table-name": "%" } };

function read(rule: object): ReturnType<typeof readDocument> {
  return readDocument(JSON.stringify({ rules: [everything, rule] }));
}

const actions: readonly (readonly [rule: object, action: object])[] = [
  [column("rename", { value: "fname" }), { kind: "name", change: { action: "rename", value: "fname" } }],
  [column("convert-uppercase", { value: null }), { kind: "name", change: { action: "convert-uppercase" } }],
  [
    column("replace-prefix", { value: "NewPre_", "old-value": "Pre_" }),
    { kind: "name", change: { action: "replace-prefix", oldValue: "Pre_", value: "NewPre_" } },
  ],
  [column("remove-column"), { kind: "remove" }],
  [column("include-column", { value: "null", "old-value": "null" }), { kind: "include" }],
  [
    column("change-data-type", { "data-type": { type: "int8", length: "" } }),
    { kind: "type", type: { kind: "int", bits: 64, unsigned: false } },
  ],
  [
    column("change-data-type", { "data-type": { type: "numeric", precision: "10", scale: 2 } }),
    { kind: "type", type: { kind: "decimal", precision: 10, scale: 2 } },
  ],
  [
    column("change-data-type", { "data-type": { type: "wstring", length: "50" } }),
    { kind: "type", type: { kind: "string", fixed: false, maxChars: 50 } },
  ],
  [
    column("change-data-type", { "data-type": { type: "datetime", precision: 3 } }),
    { kind: "type", type: { kind: "timestamp", precision: 3, zoned: false } },
  ],
  [column("data-masking-digits-mask", { value: "#" }), { kind: "mask", mask: { kind: "digits", by: 35 } }],
  [column("data-masking-digits-mask", { value: 0 }), { kind: "mask", mask: { kind: "digits", by: 48 } }],
  [column("data-masking-digits-randomize"), { kind: "mask", mask: { kind: "random-digits" } }],
  [column("data-masking-hash-mask"), { kind: "mask", mask: { kind: "hash" } }],
];

for (const [rule, action] of actions) {
  test(`a column rule is read: ${JSON.stringify(action)}`, () => {
    const [found] = read(rule).columnRules;
    assert.deepEqual(found!.action, action);
    const matched = ["column", "other"].filter(found!.column.matches);
    assert.deepEqual(matched, ["column"]);
  });
}

test("columns that are added are read with their expression and type", () => {
  const { addedColumns } = read({
    ...column("add-column"),
    ...WHOLE_TABLE,
    value: "full_name",
    expression: "$first_name||'_'||$last_name",
    "data-type": { type: "string", length: 50 },
  });
  assert.deepEqual(
    addedColumns.map(({ name, type, expression }) => ({ name, type, expression })),
    [
      {
        name: "full_name",
        type: { kind: "string", fixed: false, maxChars: 50 },
        expression: "$first_name||'_'||$last_name",
      },
    ],
  );
  const plain = { ...column("add-column"), ...WHOLE_TABLE, value: "at", "data-type": { type: "datetime" } };
  assert.deepEqual(read(plain).addedColumns[0]!.expression, undefined);
});

test("before images are read, with the prefix that they have when none is given", () => {
  const rule = { ...column("add-before-image-columns"), ...WHOLE_TABLE };
  const given = {
    ...rule,
    "before-image-def": { "column-prefix": "", "column-suffix": "_old", "column-filter": "pk-only" },
  };
  const images = [given, { ...rule, "before-image-def": {} }].map((one) => {
    const { prefix, suffix, columns } = read(one).beforeImages[0]!;
    return { prefix, suffix, columns };
  });
  assert.deepEqual(images, [
    { prefix: "", suffix: "_old", columns: "pk-only" },
    { prefix: "BI_", suffix: "", columns: "non-lob" },
  ]);
});

test("primary keys and table settings are read for tables with exact names", () => {
  const locator = { "object-locator": { "schema-name": "hr", "table-name": "sales" } };
  const key = {
    ...{ "rule-type": "transformation", "rule-id": "2", "rule-target": "table", ...locator },
    "rule-action": "define-primary-key",
    "primary-key-def": { name: "pk1", columns: ["item_id", "batch"], origin: "unique-index" },
  };
  const [found] = read(key).keyRules;
  assert.deepEqual(
    { name: found!.name, columns: found!.columns, origin: found!.origin },
    { name: "pk1", columns: ["item_id", "batch"], origin: "unique-index" },
  );
  const settings = { "rule-type": "table-settings", "rule-id": "2", ...locator };
  const loads = [
    {
      type: "ranges",
      columns: ["no", "region"],
      boundaries: [
        ["1000", "NORTH"],
        [3000, "WEST"],
      ],
    },
    { type: "partitions-list", partitions: ["p1", "p2"], subpartitions: [] },
    { type: "partitions-auto" },
  ].map((load) => read({ ...settings, "parallel-load": load }).tableSettings[0]!.parallelLoad);
  assert.deepEqual(loads, [
    {
      type: "ranges",
      columns: ["no", "region"],
      boundaries: [
        ["1000", "NORTH"],
        ["3000", "WEST"],
      ],
    },
    { type: "partitions-list", partitions: ["p1", "p2"], subpartitions: [] },
    { type: "partitions-auto" },
  ]);
  const lobs = [
    { mode: "limited", "bulk-max-size": "16" },
    { mode: "unlimited", "bulk-max-size": "0" },
    { mode: "none" },
  ].map((given) => read({ ...settings, "lob-settings": given }).tableSettings[0]!.lobs);
  assert.deepEqual(lobs, [{ maxKilobytes: 16 }, "whole", null]);
});

const refusals: readonly (readonly [because: string, rule: object, subject: string, says: RegExp])[] = [
  ["there is no data-type", column("change-data-type"), "rule 2: data-type", /data-type is missing/],
  [
    "a data type is unknown",
    column("change-data-type", { "data-type": { type: "varchar" } }),
    "rule 2: data-type.type",
    /"varchar" is not a data type/,
  ],
  [
    "a data type is of DynamoDB",
    column("change-data-type", { "data-type": { type: "map" } }),
    "rule 2: data-type.type",
    /of DynamoDB is not supported/,
  ],
  [
    "a type has a length that it cannot have",
    column("change-data-type", { "data-type": { type: "int4", length: 5 } }),
    "rule 2: data-type.length",
    /data-type has no member "length"/,
  ],
  [
    "a moment has nine digits",
    column("change-data-type", { "data-type": { type: "datetime", precision: 9 } }),
    "rule 2: data-type.precision",
    /at most 6 digits/,
  ],
  [
    "a numeric has a scale alone",
    column("change-data-type", { "data-type": { type: "numeric", scale: 2 } }),
    "rule 2: data-type.precision",
    /needs a precision/,
  ],
  [
    "a mask has two characters",
    column("data-masking-digits-mask", { value: "##" }),
    "rule 2: value",
    /one printable ASCII character/,
  ],
  ["a mask is a space", column("data-masking-digits-mask", { value: " " }), "rule 2: value", /printable/],
  ["a column action is unknown", column("hide"), "rule 2: rule-action", /not a rule-action/],
  [
    "an action has an expression that it has no use for",
    column("remove-column", { expression: "$a" }),
    "rule 2: expression",
    /"expression" is not supported/,
  ],
  [
    "an added column has no name",
    { ...column("add-column", { "data-type": { type: "int4" } }), ...WHOLE_TABLE },
    "rule 2: value",
    /value is missing/,
  ],
  [
    "a before image has no definition",
    { ...column("add-before-image-columns"), ...WHOLE_TABLE },
    "rule 2: before-image-def",
    /before-image-def is missing/,
  ],
  [
    "a before image would have the column's own name",
    {
      ...column("add-before-image-columns", { "before-image-def": { "column-prefix": "" } }),
      ...WHOLE_TABLE,
    },
    "rule 2: before-image-def.column-prefix",
    /needs a column-prefix or a column-suffix/,
  ],
  [
    "before images are asked of one column",
    column("add-before-image-columns", { "before-image-def": {} }),
    "rule 2: object-locator.column-name",
    /no member "column-name"/,
  ],
  [
    "the locator's type is unknown",
    column("remove-column", {
      "object-locator": { "schema-name": "%", "table-name": "%", "column-name": "%", "data-type": "text" },
    }),
    "rule 2: object-locator.data-type",
    /"text" is not a data type/,
  ],
  [
    "table settings have a wildcard",
    {
      ...{ "rule-type": "table-settings", "rule-id": "2" },
      "object-locator": { "schema-name": "hr", "table-name": "%" },
    },
    "rule 2: object-locator.table-name",
    /Exact schema and table name required for table-settings/,
  ],
  [
    "a boundary lacks a value",
    {
      ...{ "rule-type": "table-settings", "rule-id": "2" },
      "object-locator": { "schema-name": "hr", "table-name": "a" },
      "parallel-load": { type: "ranges", columns: ["a", "b"], boundaries: [["1"]] },
    },
    "rule 2: parallel-load.boundaries",
    /for each column/,
  ],
  [
    "subpartitions of Oracle are asked for",
    {
      ...{ "rule-type": "table-settings", "rule-id": "2" },
      "object-locator": { "schema-name": "hr", "table-name": "a" },
      "parallel-load": { type: "subpartitions-auto" },
    },
    "rule 2: parallel-load.type",
    /of Oracle is not supported/,
  ],
];

for (const [because, rule, subject, says] of refusals) {
  test(`a rule is refused when ${because}`, () => {
    assert.throws(
      () => read(rule),
      (error) => {
        assert.equal((error as { readonly subject: string }).subject, subject);
        assert.match((error as Error).message, says);
        return true;
      },
    );
  });
}

const filterRefusals: readonly (readonly [because: string, filter: object, subject: string])[] = [
  ["its type is another", { "filter-type": "target" }, "filters[0].filter-type"],
  ["it has no condition", { "filter-conditions": [] }, "filters[0].filter-conditions"],
  [
    "a negative condition is not alone",
    { "filter-conditions": [{ "filter-operator": "null" }, { "filter-operator": "noteq", value: "1" }] },
    "filters[0].filter-conditions",
  ],
  [
    "an operator is unknown",
    { "filter-conditions": [{ "filter-operator": "like", value: "1" }] },
    "filters[0].filter-conditions[0].filter-operator",
  ],
  [
    "a bound is missing",
    { "filter-conditions": [{ "filter-operator": "between", "start-value": "1" }] },
    "filters[0].filter-conditions[0].end-value",
  ],
  [
    "a condition has an operand that it has no use for",
    { "filter-conditions": [{ "filter-operator": "null", value: "1" }] },
    "filters[0].filter-conditions[0].value",
  ],
];

for (const [because, filter, member] of filterRefusals) {
  test(`a filter is refused when ${because}`, () => {
    const conditions = [{ "filter-operator": "eq", value: "1" }];
    const whole = { "filter-type": "source", "column-name": "a", "filter-conditions": conditions, ...filter };
    const rules = [{ ...everything, filters: [whole] }];
    assert.throws(() => readDocument(JSON.stringify({ rules })), {
      code: "mapping.malformed",
      subject: `rule 1: ${member}`,
    });
  });
}

test("a filter of a rule that excludes tables is refused", () => {
  const condition = { "filter-operator": "eq", value: "1" };
  const filters = [{ "filter-type": "source", "column-name": "a", "filter-conditions": [condition] }];
  const rules = [everything, { ...everything, "rule-id": 2, "rule-action": "exclude", filters }];
  assert.throws(() => readDocument(JSON.stringify({ rules })), { subject: "rule 2: filters" });
});

test("columns have DMS's names of types by what they hold, and what has no bound is a large object", () => {
  const names = (
    [
      { kind: "int", bits: 24, unsigned: true },
      { kind: "int", bits: 64, unsigned: false },
      { kind: "float", bits: 32 },
      { kind: "string", fixed: false, maxChars: 20 },
      { kind: "string", fixed: false },
      { kind: "bytes", fixed: false },
      { kind: "timestamp", precision: 6, zoned: true },
      { kind: "uuid" },
    ] as const
  ).map((type) => [dataTypeOf({ type }), isLargeObject({ type })]);
  assert.deepEqual(names, [
    ["uint4", false],
    ["int8", false],
    ["real4", false],
    ["wstring", false],
    ["nclob", true],
    ["blob", true],
    ["datetime", false],
    ["string", false],
  ]);
});
