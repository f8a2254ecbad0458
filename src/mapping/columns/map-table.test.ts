import assert from "node:assert/strict";
import { test } from "node:test";
import { mapped, names, people, TEXT } from "../../../test/support/mapped-people.ts";
import { catalog, column, columnRule, compile, table } from "../../../test/support/plan-situation.ts";

test("renamed columns are renamed wherever the table speaks of them, and rows pass as they are", () => {
  const { plan, said } = mapped([
    columnRule(1, "rename", "age", { value: "Years" }),
    columnRule(2, "add-suffix", "%", { value: "_x" }),
    columnRule(3, "rename", "name", { value: "never" }),
  ]);
  assert.deepEqual(said, []);
  assert.deepEqual(names(plan), [
    ["id", "name", "ssn", "age", "upper_name"],
    ["id_x", "name_x", "ssn_x", "Years", "upper_name_x"],
  ]);
  assert.equal(plan.rows, undefined);
  assert.equal(plan.target.columns[4]!.generated, 'upper("name_x")');
  assert.deepEqual(
    plan.target.indexes.map(({ native, columns }) => [native, columns]),
    [
      ['PRIMARY KEY ("id_x")', ["id_x"]],
      ['USING btree ("ssn_x")', ["ssn_x"]],
      ['USING btree ("Years" DESC)', ["Years"]],
      ['USING btree (lower("name_x"))', undefined],
    ],
  );
  assert.deepEqual(plan.target.checks[0]!.native, 'CHECK (("Years" > 17))');
  assert.deepEqual(plan.source.indexes, people().indexes, "the source's parts keep the source's names");
});

test("a column that is removed takes along what is about it, and its values are not read", () => {
  const { plan, said } = mapped([
    columnRule(1, "remove-column", "name"),
    columnRule(2, "remove-column", "age"),
    columnRule(3, "rename", "age", { value: "never" }),
  ]);
  assert.deepEqual(names(plan), [
    ["id", "ssn"],
    ["id", "ssn"],
  ]);
  assert.deepEqual(plan.rows!.columns, [
    { kind: "column", ordinal: 0 },
    { kind: "column", ordinal: 2 },
  ]);
  assert.deepEqual([plan.source.key, plan.target.key, plan.source.rowIdentity], [[0], [0], "key"]);
  assert.deepEqual(
    said.map((text) => /: (.*) of app\.people/.exec(text)![1]),
    ["The generated column upper_name", "The index by_age", "The index by_lower", "The check grown"],
  );
  assert.deepEqual(
    plan.target.indexes.map(({ name }) => name),
    ["people_pkey", "by_ssn"],
  );
});

test("one rule that includes a column leaves the others behind, and the key's numbers follow", () => {
  const { plan } = mapped([columnRule(1, "include-column", "ssn"), columnRule(2, "include-column", "i%")], {
    key: [2],
  });
  assert.deepEqual(names(plan), [
    ["id", "ssn"],
    ["id", "ssn"],
  ]);
  assert.deepEqual(plan.source.key, [1]);
});

test("of rules that say whether a column comes the one with the lowest id decides", () => {
  const { plan } = mapped([
    columnRule(1, "remove-column", "ssn"),
    columnRule(2, "include-column", "%"),
    columnRule(3, "remove-column", "age"),
  ]);
  assert.deepEqual(names(plan)[0], ["id", "name", "age", "upper_name"]);
});

test("a key that stays behind is an error where changes follow, unless rows are sent whole", () => {
  const rules = [columnRule(1, "remove-column", "id")];
  const { said, plan } = mapped(rules, {}, true);
  assert.ok(
    said.some((text) => text.startsWith("error mapping.key_lost: ") && text.includes("columns id")),
    String(said),
  );
  assert.deepEqual([plan.source.key, plan.source.rowIdentity], [[], "none"]);
  assert.ok(!mapped(rules).said.some((text) => text.startsWith("error")));
  const whole = mapped(rules, { rowIdentity: "full" }, true);
  assert.deepEqual([whole.plan.source.key, whole.plan.source.rowIdentity], [[], "full"]);
  assert.ok(!whole.said.some((text) => text.startsWith("error")));
});

test("columns with one name, and names that cannot be, are errors that say which rules make them", () => {
  const add = columnRule(9, "add-column", "%", { value: "ssn", "data-type": { type: "string" } });
  const { said } = mapped([
    add,
    columnRule(1, "rename", "name", { value: "age" }),
    columnRule(2, "rename", "id", { value: "x".repeat(64) }),
  ]);
  assert.deepEqual(
    said.filter((text) => text.startsWith("error")),
    [
      `error mapping.column_name_invalid: The target's name "${"x".repeat(64)}" for the column id by rule 2 has 64 bytes, more than 63.`,
      "error mapping.column_clash: The name age on the target is that of the column name by rule 1 and the column age.",
      "error mapping.column_clash: The name ssn on the target is that of the column ssn and rule 9.",
    ],
  );
});

test("a primary key that is defined takes the place of the source's, and its columns are not NULL", () => {
  const rule = (definition: object, id = 5): object => ({
    ...{
      "rule-type": "transformation",
      "rule-id": id,
      "rule-target": "table",
      "rule-action": "define-primary-key",
    },
    "object-locator": { "schema-name": "app", "table-name": "people" },
    "primary-key-def": definition,
  });
  const primary = mapped([
    rule({ name: "own", columns: ["ssn", "age"] }),
    columnRule(1, "rename", "ssn", { value: "nr" }),
  ]);
  assert.deepEqual(primary.said, []);
  assert.deepEqual(
    primary.plan.target.indexes.slice(0, 2).map(({ name, native }) => [name, native]),
    [
      ["own", 'PRIMARY KEY ("nr", "age")'],
      ["by_ssn", 'USING btree ("nr")'],
    ],
  );
  assert.deepEqual(
    primary.plan.target.columns.map(({ nullable }) => nullable),
    [false, true, false, false, true],
  );
  assert.deepEqual(primary.plan.source.key, [0], "changes come by the source's key");
  const whole = mapped([rule({ columns: ["ssn"] })], { key: [], rowIdentity: "full" });
  assert.deepEqual(whole.plan.source.key, [2]);
  const unique = mapped([rule({ name: "u", columns: ["ssn"], origin: "unique-index" })]);
  assert.deepEqual(
    unique.plan.target.indexes.slice(0, 2).map(({ name, constraint }) => [name, constraint]),
    [
      ["u", "unique"],
      ["people_pkey", "primary-key"],
    ],
  );
  const several = mapped([
    rule({ name: "u1", columns: ["ssn"], origin: "unique-index" }, 5),
    rule({ name: "own", columns: ["age", "id"] }, 6),
    rule({ name: "late", columns: ["id"] }, 7),
    rule({ name: "u2", columns: ["age"], origin: "unique-index" }, 8),
  ]);
  assert.deepEqual(
    several.plan.target.indexes.slice(0, 4).map(({ name, constraint }) => [name, constraint]),
    [
      ["u1", "unique"],
      ["own", "primary-key"],
      ["u2", "unique"],
      ["by_ssn", undefined],
    ],
  );
  assert.match(
    String(mapped([rule({ columns: ["nobody"] })]).said),
    /column_unknown: Rule 5 makes a key of the column nobody/,
  );
});

test("columns of large objects stay behind where the task does not support them, whatever rules say", () => {
  const columns = [
    ...people().columns,
    column("note", TEXT),
    column("photo", { kind: "bytes", fixed: false }),
    column("data", { kind: "json" }),
    column("short", { kind: "bytes", fixed: false, maxBytes: 255 }),
  ];
  const all = catalog({ tables: [people({ columns }), table("app.plain")] });
  const rule = columnRule(1, "rename", "note", { value: "remark" });
  const { plan, findings } = compile({
    catalog: all,
    others: [rule],
    lobSettings: { lobs: "none", refusesCuts: false },
  });
  const planned = plan.tables.find(({ source }) => source.id.name === "people")!;
  assert.deepEqual(names(planned)[1], ["id", "name", "ssn", "age", "short"]);
  assert.deepEqual(
    findings.map(({ code, message }) => `${code} ${/^The (?:generated )?column (\w+)/.exec(message)?.[1]}`),
    ["upper_name", "note", "photo", "data"].map((name) => `plan.part_left_out ${name}`),
  );
  const plain = plan.tables.find(({ source }) => source.id.name === "plain")!;
  assert.equal(plain.rows, undefined);
});
