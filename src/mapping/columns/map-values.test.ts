import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, mapped, names, people, TEXT } from "../../../test/support/mapped-people.ts";
import { all, catalog, column, columnRule, compile } from "../../../test/support/plan-situation.ts";
import type { TableSchema } from "../../core/schema.ts";

test("types change with what is written for the old ones, and values pass where their text is of both", () => {
  const { plan, said } = mapped([
    columnRule(1, "change-data-type", "age", { "data-type": { type: "string", length: 10 } }),
    columnRule(2, "change-data-type", "id", { "data-type": { type: "numeric", precision: 20 } }),
  ]);
  const [key, , , age] = plan.target.columns;
  assert.deepEqual(age, {
    ...{ name: "age", nullable: true, nativeType: "", typedByRule: true },
    type: { kind: "string", fixed: false, maxChars: 10 },
  });
  assert.deepEqual(key, {
    ...{ name: "id", nullable: false, nativeType: "", typedByRule: true },
    type: { kind: "decimal", precision: 20, scale: 0 },
  });
  assert.equal(plan.rows, undefined);
  assert.deepEqual(plan.source.columns[3]!.type, INT);
  assert.deepEqual(
    plan.target.indexes.map(({ name }) => name),
    ["people_pkey", "by_ssn", "by_age", "by_lower"],
  );
  assert.deepEqual(
    said.map((text) => /: (.*?) of app/.exec(text)![1]),
    ["The identity of the column id", "The default of the column age", "The check grown"],
  );
});

test("values whose text is none of the new type are made by an expression, and impossible changes refused", () => {
  const columns = [column("id", INT), column("price", { kind: "decimal" }), column("at", { kind: "json" })];
  const rest = { columns, indexes: [], checks: [] };
  const { plan, said } = mapped(
    [columnRule(1, "change-data-type", "price", { "data-type": { type: "int8" } })],
    rest,
  );
  assert.deepEqual(said, []);
  const [, origin] = plan.rows!.columns;
  assert.ok(origin?.kind === "expression" && /round\(\?1\)/.test(origin.expression.sql));
  assert.deepEqual(plan.source.columns[1]!.type, INT, "the expression's result is of the new type");
  const refused = mapped([columnRule(7, "change-data-type", "at", { "data-type": { type: "date" } })], rest);
  assert.deepEqual(refused.said, [
    "error mapping.rule_impossible: Rule 7 cannot be carried out: values of the column at, of the type json, cannot become date.",
  ]);
});

test("a mask stands with another type or name, and unique keys over it stay behind unless it is a hash", () => {
  const rules = (action: string): object[] => [
    columnRule(1, action, "ssn", { value: "#" }),
    columnRule(2, "rename", "ssn", { value: "masked" }),
  ];
  const digits = mapped(rules("data-masking-digits-mask"));
  assert.deepEqual(digits.plan.rows!.columns[2], {
    kind: "column",
    ordinal: 2,
    mask: { kind: "digits", by: 35 },
  });
  assert.deepEqual(digits.plan.target.columns[2]!.name, "masked");
  assert.match(String(digits.said), /index by_ssn of app\.people is left out/);
  const hash = mapped(rules("data-masking-hash-mask"));
  assert.deepEqual(hash.said, []);
  assert.deepEqual(hash.plan.rows!.columns[2], { kind: "column", ordinal: 2, mask: { kind: "hash" } });
});

test("a mask that leaves no value of the column's type is refused", () => {
  const { said } = mapped([
    columnRule(1, "data-masking-hash-mask", "age"),
    columnRule(2, "data-masking-digits-mask", "age", { value: "#" }),
    columnRule(3, "data-masking-digits-mask", "id", { value: "#" }),
  ]);
  assert.deepEqual(
    said
      .filter((text) => text.startsWith("error"))
      .map((text) => /Rule (\d+).*?: (.*?);/.exec(text)!.slice(1)),
    [
      ["3", "the column id is no column of texts, and what is masked would be no value of its type"],
      ["1", "the column age has no room for the 64 characters of a hash"],
    ],
  );
});

test("a mask that can make a whole number too large for its type is told, and one that cannot is not", () => {
  const columns = [
    column("id", INT),
    column("price", { kind: "decimal", precision: 5, scale: 2 }),
    column("tiny", { kind: "int", bits: 8, unsigned: true }),
    column("text", TEXT),
  ];
  const told = (name: string, action: string, more: object = {}): string =>
    String(mapped([columnRule(3, action, name, more)], { columns, indexes: [], checks: [] }).said);
  const random = "data-masking-digits-randomize";
  const overflow =
    /^warning mapping\.mask_overflow: The mask of rule 3 can make numbers of the column (id|tiny) larger/;
  assert.match(told("id", random), overflow);
  assert.match(told("tiny", "data-masking-digits-mask", { value: "3" }), overflow);
  for (const value of ["0", "1", "2"])
    assert.equal(told("tiny", "data-masking-digits-mask", { value }), "", value);
  for (const name of ["price", "text"]) assert.equal(told(name, random), "", name);
  const wider = columnRule(4, "change-data-type", "id", { "data-type": { type: "numeric", precision: 19 } });
  assert.equal(
    String(mapped([columnRule(3, random, "id"), wider], { columns, indexes: [], checks: [] }).said),
    "",
  );
});

test("generated columns that are masked come with the source's values, or are refused where it sends none", () => {
  const rule = columnRule(1, "data-masking-digits-mask", "upper_name", { value: "#" });
  const sending = people().columns.map((one) =>
    one.generated === undefined ? one : { ...one, sends: true as const },
  );
  const { plan, said } = mapped([rule], { columns: sending });
  assert.deepEqual(said, []);
  assert.equal(plan.target.columns[4]!.generated, undefined);
  assert.equal(plan.source.columns[4]!.generated, undefined);
  assert.equal(plan.rows!.reads.columns[4]!.generated, undefined);
  assert.match(
    String(mapped([rule]).said),
    /error mapping\.rule_impossible: Rule 1 .* does not send its values/,
  );
});

test("a generated column goes on being computed, whatever the name of the column that it is computed from", () => {
  const columns = [
    column("id", INT),
    column("sent", INT),
    column("copy", INT, { generated: "sent" }),
    column("gone", INT),
  ];
  const { plan, said } = mapped([columnRule(1, "remove-column", "gone")], {
    columns,
    indexes: [],
    checks: [],
  });
  assert.deepEqual(said, []);
  const sides = [plan.source, plan.target, plan.rows!.reads];
  assert.deepEqual(
    sides.map((side) => side.columns[2]!.generated),
    ["sent", "sent", "sent"],
  );
});

test("columns are added behind those of the source", () => {
  const wide = { "object-locator": { "schema-name": "%", "table-name": "%" } };
  const { plan, said } = mapped([
    columnRule(2, "add-column", "%", {
      ...wide,
      ...{ value: "full", expression: "$name || $ssn", "data-type": { type: "string", length: 200 } },
    }),
    columnRule(3, "add-column", "%", { ...wide, value: "at", "data-type": { type: "datetime" } }),
    columnRule(1, "add-before-image-columns", "%", {
      ...wide,
      "before-image-def": { "column-filter": "pk-only" },
    }),
  ]);
  assert.deepEqual(said, []);
  assert.deepEqual(names(plan)[1], ["id", "name", "ssn", "age", "upper_name", "BI_id", "full", "at"]);
  assert.deepEqual(plan.rows!.columns.slice(5), [
    { kind: "before", ordinal: 0 },
    {
      kind: "expression",
      expression: {
        sql: "?1 || ?2",
        text: "$name || $ssn",
        inputs: [
          { kind: "column", ordinal: 1 },
          { kind: "column", ordinal: 2 },
        ],
      },
    },
    { kind: "expression", expression: { sql: "null", inputs: [] } },
  ]);
  const [image, full] = plan.target.columns.slice(5);
  assert.deepEqual(image, { name: "BI_id", nativeType: "int", type: INT, nullable: true });
  assert.deepEqual([full!.typedByRule, full!.nullable], [true, true]);
});

test("before images show nothing of what is masked", () => {
  const { plan, said } = mapped([
    columnRule(1, "data-masking-hash-mask", "ssn"),
    columnRule(2, "add-before-image-columns", "%", { "before-image-def": { "column-filter": "all" } }),
  ]);
  assert.ok(!names(plan)[1]!.includes("BI_ssn"));
  assert.match(String(said), /before image of app\.people is left out: the columns ssn are masked/);
});

test("an expression that cannot be read, or is about what the source does not send, is refused", () => {
  const add = (expression: string): object =>
    columnRule(4, "add-column", "%", { value: "x", expression, "data-type": { type: "string" } });
  assert.match(String(mapped([add("$nobody")]).said), /rule_impossible: Rule 4 .* has no column nobody/);
  assert.match(String(mapped([add("nosuch($name)")]).said), /SQLite says: .*nosuch/);
  assert.match(String(mapped([add("$upper_name")]).said), /source computes upper_name and does not send/);
});

test("filters of the rules that select a table are one filter, which rules without filters do not lift", () => {
  const select = (ruleId: number, filters: readonly object[]): object => ({
    ...all,
    "rule-id": ruleId,
    filters,
  });
  const filter = (name: string, ...conditions: readonly object[]): object => ({
    ...{ "filter-type": "source", "column-name": name },
    "filter-conditions": conditions,
  });
  const two = [
    select(1, [filter("age", { "filter-operator": "ste", value: "007" }, { "filter-operator": "null" })]),
    select(2, [
      filter("name", { "filter-operator": "notnull" }),
      filter("id", { "filter-operator": "gte", value: 5 }),
    ]),
  ];
  const tables = [people()];
  const { plan, findings } = compile({ catalog: catalog({ tables }), selections: two });
  assert.deepEqual(findings, []);
  assert.deepEqual(plan.tables[0]!.rows!.filter, [
    [{ column: 3, conditions: [{ operator: "lte", value: "7" }, { operator: "null" }] }],
    [
      { column: 1, conditions: [{ operator: "notnull" }] },
      { column: 0, conditions: [{ operator: "gte", value: "5" }] },
    ],
  ]);
  const open = compile({ catalog: catalog({ tables }), selections: [...two, select(3, [])] });
  assert.deepEqual(open.plan.tables[0]!.rows!.filter, plan.tables[0]!.rows!.filter);
  const wrong = compile({
    catalog: catalog({ tables }),
    selections: [
      select(1, [
        filter("nobody", { "filter-operator": "null" }),
        filter("age", { "filter-operator": "eq", value: "old" }),
      ]),
    ],
  });
  assert.deepEqual(
    wrong.findings.map(({ code, severity }) => `${severity} ${code}`),
    ["error mapping.column_unknown", "error mapping.rule_impossible"],
  );
  assert.doesNotMatch(wrong.findings[1]!.message, /old/, "no value in a finding");
});

test("what rules need and changes may not tell is told before the start", () => {
  const add = columnRule(1, "add-column", "%", {
    ...{ value: "x", expression: "$long || $BI__age", "data-type": { type: "string" } },
  });
  const columns = [...people().columns, column("long", TEXT)];
  const { said } = mapped([add], { columns }, true);
  assert.deepEqual(
    said
      .filter((text) => text.includes("value_may_lack"))
      .map((text) => /of ([\w, ]+?)(?:,| are)/.exec(text)![1]),
    ["age", "long"],
  );
  const conditions = [{ "filter-operator": "eq", value: "7" }];
  const age = { "filter-type": "source", "column-name": "age", "filter-conditions": conditions };
  const { findings } = compile({
    catalog: catalog({ tables: [people({ columns })] }),
    selections: [{ ...all, filters: [age] }],
    replicates: true,
  });
  assert.match(findings[0]!.message, /brings a row into the filter .* of long where/);
  const letter = { value: "op", "data-type": { type: "string", length: 1 } };
  const keeping = { ...letter, expression: "operation_indicator('D', 'U', 'I')" };
  const refused = (more: Partial<TableSchema>, name = "age"): readonly string[] =>
    compile({
      catalog: catalog({ tables: [people(more)] }),
      selections: [{ ...all, filters: [{ ...age, "column-name": name }] }],
      others: [columnRule(2, "add-column", "%", keeping)],
      replicates: true,
    }).findings.flatMap(({ severity, message }) => (severity === "error" ? message : []));
  assert.match(String(refused({})), /^operation_indicator keeps .* does not send age\.$/);
  assert.deepEqual(refused({}, "id"), []);
  assert.deepEqual(refused({ rowIdentity: "full" }), []);
  assert.deepEqual(refused({ tellsBefore: true }), []);
  assert.deepEqual(mapped([add], { columns }).said, []);
  assert.deepEqual(mapped([add], { columns, rowIdentity: "full" }, true).said, []);
});

test("a column that is computed from a masked one is told, unless it is masked or left out, too", () => {
  const mask = columnRule(1, "data-masking-digits-mask", "name", { value: "#" });
  assert.match(
    String(mapped([mask]).said),
    /warning mapping\.mask_incomplete: The generated column upper_name/,
  );
  assert.doesNotMatch(
    String(mapped([mask, columnRule(2, "remove-column", "upper%")]).said),
    /mask_incomplete/,
  );
});

test("a column that an expression makes of a masked one is told", () => {
  const adds = (expression: string): string =>
    String(
      mapped([
        columnRule(1, "data-masking-hash-mask", "ssn"),
        columnRule(2, "add-column", "%", { value: "shown", expression, "data-type": { type: "clob" } }),
      ]).said,
    );
  const told =
    /^warning mapping\.mask_incomplete: The column shown is made of what the masked columns ssn hold, and may show it\./;
  assert.match(adds("substr($ssn, 1, 2) || $ssn"), told);
  assert.match(adds("$BI__ssn"), told);
  assert.equal(adds("$name"), "");
});

test("a table whose log has whole rows is read with them where rules need them, and is told by its key all the same", () => {
  const log = { tellsBefore: true } as const;
  const image = columnRule(1, "add-before-image-columns", "%", {
    "before-image-def": { "column-prefix": "BI_", "column-filter": "all" },
  });
  const { plan, said } = mapped([image], log, true);
  assert.deepEqual([plan.rows!.reads.rowIdentity, plan.source.rowIdentity], ["full", "key"]);
  assert.equal(plan.rows!.described!.rowIdentity, "key");
  assert.deepEqual(said, []);
  const without = mapped([columnRule(1, "remove-column", "age")], log, true);
  assert.equal(without.plan.rows!.reads.rowIdentity, "key");
});

test("without a key no row can be told by values that are others each time, nor stay when it is deleted", () => {
  const type = { "data-type": { type: "string" } };
  const add = (expression: string) => columnRule(1, "add-column", "%", { value: "x", expression, ...type });
  const keyless = { key: [], rowIdentity: "full" } as const;
  const codes = (rule: object, more: Parameters<typeof mapped>[1] = keyless): readonly string[] =>
    mapped([rule], more, true).findings.flatMap(({ code, severity }) => (severity === "error" ? code : []));
  const lost = ["mapping.key_lost"];
  assert.deepEqual(codes(columnRule(1, "data-masking-digits-randomize", "ssn")), lost);
  for (const sql of ["$AR_H_TIMESTAMP", "$BI__age", "random()", "datetime( )", "date('now')"]) {
    assert.deepEqual(codes(add(sql)), lost, sql);
    assert.deepEqual(mapped([add(sql)], keyless).said, [], "a full load finds no row again");
  }
  assert.deepEqual(codes(add("operation_indicator('D', 'U', 'I')")), lost);
  assert.deepEqual(codes(add("$name || date($ssn)")), []);
  assert.deepEqual(codes(add("random()"), {}), []);
});

test("a masked column is no longer checked, and a key only where a hash tells its rows apart", () => {
  const checks = [{ name: "long", native: "CHECK ((length((ssn)::text) > 3))", validated: true }];
  const hash = columnRule(1, "data-masking-hash-mask", "ssn");
  const hashed = mapped([hash], { key: [2], checks }, true);
  assert.deepEqual(hashed.plan.target.checks, []);
  assert.match(String(hashed.said), /check long of app\.people is left out/);
  assert.deepEqual([hashed.plan.source.key, hashed.plan.source.rowIdentity], [[2], "key"]);
  const digits = mapped([columnRule(1, "data-masking-digits-mask", "id", { value: "0" })], {}, true);
  assert.deepEqual([digits.plan.source.key, digits.plan.source.rowIdentity], [[], "none"]);
  assert.match(String(digits.said), /error mapping\.key_lost/);
});
