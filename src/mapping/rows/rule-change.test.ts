import assert from "node:assert/strict";
import { test } from "node:test";
import {
  catalog,
  column,
  columnRule,
  compile,
  type Rule,
  table,
} from "../../../test/support/plan-situation.ts";
import type { ColumnShape, TableShape } from "../../core/table-shape.ts";
import { rulesChange } from "./rule-change.ts";

const TEXT = { kind: "string", fixed: false } as const;

function shapeOf(names: readonly string[]): TableShape {
  const columns = names.map((name, i): ColumnShape => {
    return { number: i + 1, name, type: "25", version: "1", computed: null, fill: null };
  });
  return { table: "1", storage: "1", columnsEver: names.length, columns };
}

interface Ruled {
  readonly columns?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly others?: readonly object[];
  readonly targetSchema?: string;
  readonly filter?: readonly object[];
}

/** The table's shape as the journal keeps it for a task with these rules. */
function noted({ columns = ["id", "name", "price"], filter, ...situation }: Ruled): TableShape {
  const one = table("app.t", {
    columns: columns.map((name) =>
      column(name, name === "id" ? { kind: "int", bits: 32, unsigned: false } : TEXT),
    ),
    shape: shapeOf(columns),
  });
  const selection = {
    ...{ "rule-type": "selection", "rule-id": 1000, "rule-action": "include", filters: filter ?? [] },
    "object-locator": { "schema-name": "app", "table-name": "t" },
  };
  const { plan } = compile({ catalog: catalog({ tables: [one] }), selections: [selection], ...situation });
  return JSON.parse(JSON.stringify(plan.tables[0]!.source.shape)) as TableShape;
}

const add = (expression: string): object =>
  columnRule(7, "add-column", "%", {
    "object-locator": { "schema-name": "app", "table-name": "t" },
    ...{ value: "made", expression, "data-type": { type: "string", length: 9 } },
  });
const where = (column: string, ...conditions: readonly object[]): object => {
  return { "filter-type": "source", "column-name": column, "filter-conditions": conditions };
};
const eq = (value: string): object => ({ "filter-operator": "eq", value });

const changes: readonly (readonly [from: Ruled, to: Ruled, how: string])[] = [
  [{}, { others: [columnRule(1, "remove-column", "name")] }, "treat the column name in another way"],
  [
    { others: [columnRule(1, "remove-column", "name")] },
    { others: [columnRule(1, "data-masking-hash-mask", "name")] },
    "treat the column name in another way",
  ],
  [
    { others: [columnRule(1, "data-masking-digits-mask", "name", { value: "#" })] },
    { others: [columnRule(1, "data-masking-digits-mask", "name", { value: "*" })] },
    "treat the column name in another way",
  ],
  [
    {},
    { others: [columnRule(1, "change-data-type", "id", { "data-type": { type: "string", length: 20 } })] },
    "treat the column id in another way",
  ],
  [
    {},
    { others: [columnRule(1, "rename", "price", { value: "cost" })] },
    "give the column price another name",
  ],
  [{}, { rules: [["table", "rename", "app.t", "u"]] }, "give the table another name on the target"],
  [{}, { targetSchema: "other" }, "give the table another name on the target"],
  [{}, { filter: [where("name", eq("a"))] }, "filter its rows in another way"],
  [
    { filter: [where("name", eq("a"))] },
    { filter: [where("name", eq("b"))] },
    "filter its rows in another way",
  ],
  [
    { others: [add("$name")] },
    { others: [add("upper($name)")] },
    "make the column made in another way, or no longer",
  ],
  [{ others: [add("$name")] }, {}, "make the column made in another way, or no longer"],
  [{}, { others: [add("$name")] }, "add the column made"],
];

for (const [from, to, how] of changes) {
  test(`other rules for a table that has been loaded are noticed: they ${how} (${JSON.stringify(to)})`, () => {
    assert.equal(rulesChange(noted(from), noted(to)), how);
    assert.equal(rulesChange(noted(to), noted(to)), undefined);
  });
}

test("rules that come to the same are no others", () => {
  const filters = [where("name", eq("a"), eq("b")), where("price", eq("1"))];
  const turned = [where("price", eq("1")), where("name", eq("b"), eq("a"))];
  const masked = columnRule(1, "data-masking-hash-mask", "name");
  const widely = columnRule(5, "data-masking-hash-mask", "n%");
  assert.equal(rulesChange(noted({ filter: filters }), noted({ filter: turned })), undefined);
  assert.equal(
    rulesChange(
      noted({ others: [masked] }),
      noted({ others: [widely, columnRule(6, "remove-column", "gone")] }),
    ),
    undefined,
  );
});

test("what the source's table got or lost is no change of rules", () => {
  const images = columnRule(3, "add-before-image-columns", "%", {
    "object-locator": { "schema-name": "app", "table-name": "t" },
    "before-image-def": { "column-filter": "all" },
  });
  const others = [columnRule(1, "data-masking-hash-mask", "name"), images];
  const now = noted({ columns: ["id", "name", "price", "later"], others });
  assert.equal(rulesChange(noted({ others }), now), undefined);
  assert.equal(rulesChange(noted({}), noted({ columns: ["id", "name"] })), undefined);
  const { rules: _, ...older } = noted({ others });
  assert.equal(rulesChange(older, noted({})), undefined, "nothing is known of older tasks");
});

test("what is noted of rules shows none of their values, and stays what it is from version to version", () => {
  const { rules } = noted({
    filter: [where("name", eq("secret"))],
    rules: [["table", "rename", "app.t", "u"]],
    others: [
      columnRule(11, "rename", "name", { value: "n" }),
      columnRule(12, "remove-column", "price"),
      columnRule(13, "change-data-type", "id", { "data-type": { type: "string", length: 20 } }),
      add("$name || 'secret'"),
    ],
  });
  assert.doesNotMatch(JSON.stringify(rules), /secret/);
  assert.deepEqual(rules, {
    table: "7d021ffb802571e9",
    columns: { "1": "fa90c29c10e5bad9", "3": "0e4c8f9730519587" },
    names: { "2": "46a3ae93aa7a8b98" },
    made: { made: "d68823b390162817" },
    filter: "9c106f8f6fc48606",
  });
});
