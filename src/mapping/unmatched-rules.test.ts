import assert from "node:assert/strict";
import { test } from "node:test";
import { all, catalog, columnRule, id, table } from "../../test/support/plan-situation.ts";
import { readDocument } from "./document/read-document.ts";
import { unmatchedRules, unmatchedSelections } from "./unmatched-rules.ts";

const selected = catalog({ tables: [table("app.orders"), table("app.items")] });

function transformation(ruleId: number, target: string, action: string, locator: object): object {
  const rule = { "rule-type": "transformation", "rule-id": ruleId, "rule-target": target };
  return { ...rule, "rule-action": action, value: "x_", "object-locator": locator };
}

function said(...rules: readonly object[]): readonly string[] {
  return unmatchedRules(readDocument(JSON.stringify({ rules: [all, ...rules] })), selected).map(
    ({ code, severity, subject, message }) => {
      assert.deepEqual([code, severity], ["mapping.rule_unmatched", "warning"]);
      assert.ok(message.startsWith(`R${subject.slice(1)} `), message);
      return message;
    },
  );
}

test("rules of every target that match nothing of what is selected are told", () => {
  const elsewhere = { "schema-name": "app", "table-name": "order" };
  assert.deepEqual(
    said(
      transformation(1, "schema", "add-prefix", { "schema-name": "App" }),
      transformation(2, "table", "add-prefix", { "schema-name": "app", "table-name": "o[a-q]%" }),
      columnRule(3, "remove-column", "i_"),
      columnRule(4, "remove-column", "id", { "object-locator": { ...elsewhere, "column-name": "id" } }),
      columnRule(5, "remove-column", "%", { "object-locator": { ...elsewhere, "column-name": "%" } }),
      {
        ...{ "rule-type": "table-settings", "rule-id": 6, "object-locator": elsewhere },
        "parallel-load": { type: "none" },
      },
      columnRule(7, "add-column", "%", {
        ...{ "object-locator": { ...elsewhere, "table-name": "%s" }, value: "new" },
        "data-type": { type: "int4" },
      }),
    ),
    [
      "Rule 1 for App matches no schema that is selected.",
      "Rule 2 for app.o[a-q]% matches no table that is selected.",
      "Rule 6 for app.order matches no table that is selected.",
      "Rule 4 for app.order.id matches no column of the selected tables.",
      "Rule 5 for app.order.% matches no column of the selected tables.",
    ],
  );
});

test("rules for every name may match nothing", () => {
  const blobs = { "schema-name": "%", "table-name": "%", "column-name": "%", "data-type": "blob" };
  assert.deepEqual(said(columnRule(1, "remove-column", "%", { "object-locator": blobs })), []);
  const none = unmatchedRules(
    readDocument(
      JSON.stringify({
        rules: [
          all,
          transformation(1, "schema", "add-prefix", { "schema-name": "%" }),
          transformation(2, "table", "add-prefix", { "schema-name": "%", "table-name": "%%" }),
        ],
      }),
    ),
    catalog({}),
  );
  assert.deepEqual(none, []);
});

function selection(ruleId: number, action: string, name: string, type?: string): object {
  const locator = { "schema-name": id(name).schema, "table-name": id(name).name, "table-type": type };
  return { "rule-type": "selection", "rule-id": ruleId, "rule-action": action, "object-locator": locator };
}

function selections(
  rules: readonly object[],
  listed: {
    readonly tables: readonly string[];
    readonly views?: readonly string[];
    readonly systemSchemas?: readonly string[];
  },
): readonly string[] {
  return unmatchedSelections(readDocument(JSON.stringify({ rules })), {
    tables: listed.tables.map(id),
    views: listed.views?.map(id),
    systemSchemas: listed.systemSchemas ?? [],
  }).map(({ message }) => message);
}

test("selection rules of every action that match nothing of the source are told", () => {
  const tables = ["app.orders", "app.items"];
  const rules = [
    selection(1, "include", "app.%"),
    selection(2, "include", "application.%"),
    selection(3, "explicit", "app.Orders"),
    selection(4, "exclude", "app.tmp%"),
    selection(5, "exclude", "%.items"),
    selection(6, "explicit", "app.orders"),
  ];
  assert.deepEqual(selections(rules, { tables }), [
    "Rule 2 for application.% matches no table of the source.",
    "Rule 3 for app.Orders matches no table of the source.",
    "Rule 4 for app.tmp% matches no table of the source.",
  ]);
  assert.deepEqual(selections([selection(1, "include", "%.%")], { tables: [] }), []);
});

test("a selection rule is about relations of its type, and about views only where they have been listed", () => {
  const rules = [
    selection(1, "include", "app.%"),
    selection(2, "exclude", "app.recent", "view"),
    selection(3, "exclude", "app.late", "all"),
  ];
  const tables = ["app.orders", "app.recent"];
  assert.deepEqual(selections(rules, { tables }), ["Rule 3 for app.late matches no table of the source."]);
  assert.deepEqual(selections(rules, { tables, views: ["app.late"] }), [
    "Rule 2 for app.recent matches no view of the source.",
  ]);
  assert.deepEqual(
    selections(rules, { tables, views: [] }).at(-1),
    "Rule 3 for app.late matches no table or view of the source.",
  );
});

test("nothing is said of rules that leave out schemas of the server alone", () => {
  const rules = [
    selection(1, "include", "app.%"),
    selection(2, "exclude", "sys.%"),
    selection(3, "exclude", "s%.host_summary"),
    selection(4, "exclude", "%.host_summary"),
    selection(5, "include", "sys.%"),
    selection(6, "exclude", "system.%"),
    selection(7, "exclude", "sys.%", "view"),
  ];
  const listed = { tables: ["app.orders"], views: [], systemSchemas: ["mysql", "sys"] };
  assert.deepEqual(selections(rules, listed), [
    "Rule 4 for %.host_summary matches no table of the source.",
    "Rule 5 for sys.% matches no table of the source.",
    "Rule 6 for system.% matches no table of the source.",
  ]);
});
