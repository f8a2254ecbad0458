import assert from "node:assert/strict";
import { test } from "node:test";
import { displayTable, type TableId } from "../core/schema.ts";
import { loadOrderOf, mappingsFromPatterns, selectTables, takesViews, wholeSchemas } from "./selection.ts";
import { parseTableMappings } from "./table-mappings.ts";

function table(text: string): TableId {
  const [schema, name] = text.split(".");
  return { schema: schema!, name: name! };
}

const tables = ["hr.DMS_log", "hr.employees", "hr.job_history", "hr.jobs", "public.jobs", "sales.jobs"].map(
  table,
);

type Selection = readonly [action: string, schema: string, name: string, loadOrder?: number];

function mappings(rules: readonly Selection[]): ReturnType<typeof parseTableMappings> {
  return parseTableMappings(
    JSON.stringify({
      rules: rules.map(([action, schema, name, loadOrder], index) => ({
        "rule-type": "selection",
        "rule-id": index + 1,
        "rule-name": "x",
        "rule-action": action,
        "object-locator": { "schema-name": schema, "table-name": name },
        "load-order": loadOrder,
      })),
    }),
  );
}

const cases: readonly { readonly rules: readonly Selection[]; readonly selects: string }[] = [
  { rules: [["include", "%", "%"]], selects: tables.map(displayTable).join(" ") },
  {
    rules: [
      ["include", "hr", "%"],
      ["exclude", "hr", "DMS%"],
    ],
    selects: "hr.employees hr.job_history hr.jobs",
  },
  {
    rules: [
      ["exclude", "hr", "DMS%"],
      ["include", "hr", "%"],
    ],
    selects: "hr.employees hr.job_history hr.jobs",
  },
  {
    rules: [
      ["include", "%", "jobs"],
      ["exclude", "h%", "%"],
    ],
    selects: "public.jobs sales.jobs",
  },
  { rules: [["include", "HR", "%"]], selects: "" },
  {
    rules: [
      ["include", "%", "job[_]history"],
      ["include", "p%", "%"],
    ],
    selects: "hr.job_history public.jobs",
  },
  { rules: [["explicit", "hr", "job_history"]], selects: "hr.job_history" },
  { rules: [["explicit", "hr", "job_histor"]], selects: "" },
  {
    rules: [
      ["explicit", "hr", "jobs"],
      ["exclude", "%", "jobs"],
    ],
    selects: "",
  },
  {
    rules: [
      ["include", "hr", "%"],
      ["explicit", "sales", "jobs"],
      ["exclude", "hr", "%"],
    ],
    selects: "sales.jobs",
  },
];

for (const { rules, selects } of cases) {
  test(`the rules ${JSON.stringify(rules)} select ${selects || "nothing"}`, () => {
    assert.equal(selectTables(tables, mappings(rules)).map(displayTable).join(" "), selects);
  });
}

test("the load order is the explicit rule's, else the first include rule's that states one", () => {
  const rules = mappings([
    ["include", "hr", "%"],
    ["include", "hr", "jo%", 2],
    ["include", "%", "%", 7],
    ["explicit", "hr", "jobs", 5],
  ]);
  const order = (text: string): number => loadOrderOf({ id: table(text) }, rules);
  assert.deepEqual(["hr.jobs", "hr.job_history", "hr.employees", "x.y"].map(order), [5, 2, 7, 7]);
  assert.equal(loadOrderOf({ id: table("hr.jobs") }, mappings([["include", "%", "%"]])), 0);
});

test("a rule is about tables unless it says views, or all", () => {
  const rules = (types: Readonly<Record<string, string | undefined>>) =>
    parseTableMappings(
      JSON.stringify({
        rules: Object.entries(types).map(([name, type], index) => ({
          ...{ "rule-type": "selection", "rule-id": index + 1, "load-order": index + 1 },
          "rule-action": name === "jobs" ? "exclude" : "include",
          ...(name === "jobs" ? { "load-order": undefined } : {}),
          "object-locator": { "schema-name": "hr", "table-name": name, "table-type": type },
        })),
      }),
    );
  const ids = ["hr.jobs", "hr.staff"].map(table);
  const names = (found: readonly TableId[]): readonly string[] => found.map(({ name }) => name);
  const all = rules({ "%": "all", jobs: "view" });
  assert.deepEqual(names(selectTables(ids, all)), ["jobs", "staff"]);
  assert.deepEqual(names(selectTables(ids, all, "view")), ["staff"]);
  const views = rules({ "s%": undefined, "%": "view" });
  assert.deepEqual(names(selectTables(ids, views)), ["staff"]);
  assert.deepEqual(names(selectTables(ids, views, "view")), ["jobs", "staff"]);
  assert.deepEqual([takesViews(all), takesViews(rules({ "%": undefined, jobs: "view" }))], [true, false]);
  assert.equal(loadOrderOf({ id: ids[1]! }, views), 1);
  assert.equal(loadOrderOf({ id: ids[1]!, isView: true }, views), 2);
  assert.deepEqual(wholeSchemas(["hr"], rules({ "%": "view" })), []);
  assert.deepEqual(wholeSchemas(["hr"], rules({ "%": "all" })), ["hr"]);
});

test("all of a schema is moved where its tables are taken by one rule, and not taken away by one", () => {
  const whole = (...rules: readonly Selection[]): readonly string[] =>
    wholeSchemas(["hr", "public", "sales"], mappings(rules));
  assert.deepEqual(whole(["include", "%", "%"]), ["hr", "public", "sales"]);
  assert.deepEqual(whole(["include", "hr", "%"], ["include", "sales", "j%"]), ["hr"]);
  assert.deepEqual(whole(["include", "%", "%"], ["exclude", "h%", "%"]), ["public", "sales"]);
  assert.deepEqual(whole(["include", "hr", "%"], ["exclude", "hr", "jobs"]), ["hr"]);
  assert.deepEqual(whole(["explicit", "hr", "jobs"], ["exclude", "sales", "%"]), []);
});

/** Patterns of the command line, names they select, names they do not. */
const patterns: readonly (readonly [
  pattern: string,
  selected: readonly TableId[],
  other: readonly TableId[],
])[] = [
  ["app.*", [table("app.a"), { schema: "app", name: "a.b" }], [table("App.a"), table("app2.a")]],
  ["*.orders", [table("a.orders")], [table("a.order")]],
  ["app.t?", [table("app.t1"), { schema: "app", name: "t😀" }], [table("app.t"), table("app.t12")]],
  ["app.order_items", [table("app.order_items")], [table("app.orderXitems")]],
  ["app.%_log", [table("app.x_log")], [table("app.xlog"), table("app.xxlog")]],
  ["app.a[b]", [table("app.a[b]")], [table("app.ab")]],
  ['"my.schema".*', [{ schema: "my.schema", name: "x" }], [table("my.schema")]],
  ['"50%"."a*?_"', [table("50%.a*?_")], [table("501.a*?_"), table("50%.abcd")]],
  ['"say ""hi""".t', [{ schema: 'say "hi"', name: "t" }], []],
  ["two words.Ünïcode", [table("two words.Ünïcode")], [table("two words.ünïcode")]],
];

for (const [pattern, selected, other] of patterns) {
  test(`--include ${pattern} selects what it says`, () => {
    const rules = parseTableMappings(mappingsFromPatterns([pattern], []));
    assert.deepEqual(selectTables([...selected, ...other], rules), selected);
  });
}

test("without --include everything is selected that is not excluded", () => {
  const all = parseTableMappings(mappingsFromPatterns([], []));
  assert.deepEqual(selectTables(tables, all), tables);
  const some = parseTableMappings(mappingsFromPatterns([], ["hr.*", "public.jobs"]));
  assert.deepEqual(selectTables(tables, some), [table("sales.jobs")]);
});

for (const pattern of [
  "",
  "orders",
  ".",
  "a.",
  ".a",
  "a.b.c",
  '"a.b',
  '"a"b.c',
  'a"b".c',
  '"".t',
  '"a"',
  "a..b",
]) {
  test(`--include ${JSON.stringify(pattern)} is refused with the form to use`, () => {
    assert.throws(() => mappingsFromPatterns([pattern], []), {
      code: "usage.invalid",
      subject: pattern,
      remedy: /schema\.table/,
    });
  });
}
