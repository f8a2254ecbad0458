import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, people } from "../../../test/support/mapped-people.ts";
import {
  catalog,
  column,
  columnRule,
  compile,
  id,
  sequence,
  table,
} from "../../../test/support/plan-situation.ts";

test("foreign keys follow both ends' names, and go where one end goes or is masked otherwise", () => {
  const orders = table("app.orders", {
    columns: [column("person", { kind: "string", fixed: false, maxChars: 64 })],
    foreignKeys: [
      {
        ...{
          name: "to_person",
          columns: ["person"],
          references: id("app.people"),
          referencedColumns: ["ssn"],
        },
        ...{ native: "", validated: true },
      },
    ],
  });
  const keys = (...others: readonly object[]): readonly string[] => {
    const { plan, findings } = compile({ catalog: catalog({ tables: [people(), orders] }), others });
    const { target } = plan.tables.find(({ source }) => source.id.name === "orders")!;
    const left = findings.filter(({ message }) => message.includes("foreign key")).map(({ code }) => code);
    return [
      ...target.foreignKeys.map(({ columns, referencedColumns }) => `${columns} -> ${referencedColumns}`),
      ...left,
    ];
  };
  assert.deepEqual(keys(columnRule(1, "add-prefix", "ssn", { value: "p_" })), ["person -> p_ssn"]);
  assert.deepEqual(keys(columnRule(1, "rename", "person", { value: "who" })), ["who -> ssn"]);
  assert.deepEqual(keys(columnRule(1, "remove-column", "ssn")), ["plan.part_left_out"]);
  assert.deepEqual(keys(columnRule(1, "data-masking-hash-mask", "ssn")), ["plan.part_left_out"]);
  const both = [
    columnRule(1, "data-masking-hash-mask", "ssn"),
    columnRule(2, "data-masking-hash-mask", "person"),
  ];
  assert.deepEqual(keys(...both), ["person -> ssn"]);
});

test("a foreign key by which the source acts in silence is needed where changes follow", () => {
  const silent = table("app.orders", {
    columns: [column("person", INT)],
    key: [],
    foreignKeys: [
      {
        ...{
          name: "to_person",
          columns: ["person"],
          references: id("app.people"),
          referencedColumns: ["id"],
        },
        ...{ native: "", validated: true, silent: { onDelete: "cascade" } },
      },
    ],
  });
  const { findings } = compile({
    catalog: catalog({ tables: [people(), silent] }),
    others: [
      columnRule(1, "remove-column", "person"),
      columnRule(2, "add-column", "%", { value: "x", "data-type": { type: "int4" } }),
    ],
    replicates: true,
  });
  assert.ok(findings.some(({ code, severity }) => code === "mapping.key_lost" && severity === "error"));
});

test("sequences follow their columns, and an identity's goes with it", () => {
  const owned = (name: string, of: string, internal: boolean): ReturnType<typeof sequence> =>
    sequence(`app.${name}`, { internal, ownedBy: { table: id("app.people"), column: of } });
  const sequences = [owned("ids", "id", true), owned("ages", "age", false)];
  const owners = (...others: readonly object[]): readonly (string | undefined)[] => {
    const { plan } = compile({ catalog: catalog({ tables: [people()], sequences }), others });
    return plan.sequences.map(({ target }) => `${target.id.name} ${target.ownedBy?.column}`);
  };
  assert.deepEqual(owners(columnRule(1, "add-prefix", "%", { value: "p_" })), ["ids p_id", "ages p_age"]);
  assert.deepEqual(owners(columnRule(1, "remove-column", "id"), columnRule(2, "remove-column", "age")), [
    "ages undefined",
  ]);
  assert.deepEqual(owners(columnRule(1, "change-data-type", "id", { "data-type": { type: "string" } })), [
    "ages age",
  ]);
});

test("objects whose texts speak of columns that are gone are left out, and others come", () => {
  const view = (name: string, native: string) => ({
    ...({ kind: "view", id: id(`app.${name}`), native: [native], stage: "after-rows" } as const),
    needs: [{ kind: "table", id: id("app.people") } as const],
  });
  const objects = [
    view("ages", "create view ages as SELECT people.age FROM people"),
    view("ids", "create view ids as SELECT id FROM people"),
  ];
  const { plan, findings } = compile({
    catalog: catalog({ tables: [people()], objects }),
    others: [columnRule(1, "rename", "age", { value: "years" })],
  });
  assert.deepEqual(
    plan.target.objects.map(({ id: { name } }) => name),
    ["ids"],
  );
  assert.match(findings[0]!.message, /view app\.ages is left out: it is about columns of app\.people/);
});

test("a table that rules reshape is no part of another any more", () => {
  const parts = (...others: readonly object[]): readonly string[] => {
    const part = {
      ...({
        kind: "partition",
        id: id("app.people"),
        on: id("app.people"),
        stage: "before-rows",
        needs: [],
      } as const),
      native: ["alter table only whole attach partition people default"],
    };
    const { plan } = compile({ catalog: catalog({ tables: [people()], objects: [part] }), others });
    return plan.target.objects.map(({ kind }) => kind);
  };
  assert.deepEqual(parts(), ["partition"]);
  assert.deepEqual(parts(columnRule(1, "data-masking-hash-mask", "ssn")), ["partition"]);
  const type = { "data-type": { type: "int4" } };
  assert.deepEqual(parts(columnRule(1, "add-column", "%", { value: "x", ...type })), []);
  assert.deepEqual(parts(columnRule(1, "remove-column", "age")), []);
});
