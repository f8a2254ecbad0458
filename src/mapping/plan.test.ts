import assert from "node:assert/strict";
import { test } from "node:test";
import {
  all,
  catalog,
  compile,
  enumType,
  foreignKey,
  id,
  index,
  moves,
  type Rule,
  sequence,
  table,
} from "../../test/support/plan-situation.ts";
import { displayTable } from "../core/schema.ts";

const renames: readonly {
  readonly rules: readonly Rule[];
  readonly targetSchema?: string;
  readonly to: string;
  /** Rules that match nothing. */
  readonly unmatched?: readonly string[];
}[] = [
  { rules: [], to: "app.Orders" },
  { rules: [], targetSchema: "", to: "app.Orders" },
  { rules: [], targetSchema: "tgt", to: "tgt.Orders" },
  { rules: [["schema", "rename", "app", "Prod"]], to: "Prod.Orders" },
  { rules: [["schema", "rename", "app", "Prod"]], targetSchema: "tgt", to: "Prod.Orders" },
  {
    rules: [["schema", "rename", "other", "Prod"]],
    targetSchema: "tgt",
    to: "tgt.Orders",
    unmatched: ["rule 1"],
  },
  { rules: [["schema", "add-prefix", "a%", "x_"]], to: "x_app.Orders" },
  { rules: [["schema", "convert-uppercase", "%"]], to: "APP.Orders" },
  { rules: [["table", "convert-lowercase", "%.%"]], to: "app.orders" },
  { rules: [["table", "convert-uppercase", "%.%"]], to: "app.ORDERS" },
  { rules: [["table", "add-prefix", "app.%", "DMS_"]], to: "app.DMS_Orders" },
  { rules: [["table", "add-suffix", "app.%", "_v1"]], to: "app.Orders_v1" },
  { rules: [["table", "remove-prefix", "app.%", "Or"]], to: "app.ders" },
  { rules: [["table", "remove-prefix", "app.%", "or"]], to: "app.Orders" },
  { rules: [["table", "remove-suffix", "app.%", "ers"]], to: "app.Ord" },
  { rules: [["table", "replace-prefix", "app.%", "New", "Ord"]], to: "app.Newers" },
  { rules: [["table", "replace-suffix", "app.%", "New", "ers"]], to: "app.OrdNew" },
  { rules: [["table", "replace-suffix", "app.%", "$&$1", "ers"]], to: "app.Ord$&$1" },
  { rules: [["table", "rename", "app.Orders", "Bills"]], to: "app.Bills" },
  { rules: [["table", "rename", "app.orders", "Bills"]], to: "app.Orders", unmatched: ["rule 1"] },
  {
    rules: [
      ["table", "rename", "app.Orders", "first"],
      ["table", "rename", "app.Orders", "second"],
    ],
    to: "app.first",
  },
  {
    rules: [
      ["schema", "rename", "app", "crm"],
      ["table", "rename", "app.Orders", "bills"],
      ["schema", "rename", "crm", "never"],
      ["table", "rename", "crm.%", "never"],
    ],
    targetSchema: "tgt",
    to: "crm.bills",
    unmatched: ["rule 3", "rule 4"],
  },
];

for (const { rules, targetSchema, to, unmatched = [] } of renames) {
  const setting = targetSchema === undefined ? "" : ` with TargetSchema ${JSON.stringify(targetSchema)}`;
  test(`app.Orders goes to ${to} by ${JSON.stringify(rules)}${setting}`, () => {
    const situation = { catalog: catalog({ tables: [table("app.Orders")] }), rules };
    const compiled = compile(targetSchema === undefined ? situation : { ...situation, targetSchema });
    assert.deepEqual(moves(compiled), [`app.Orders -> ${to}`]);
    assert.deepEqual(
      compiled.findings.map(({ code, subject }) => [code, subject]),
      unmatched.map((rule) => ["mapping.rule_unmatched", rule]),
    );
    assert.deepEqual(
      compiled.plan.target.schemas.map(({ name }) => name),
      [id(to).schema],
    );
  });
}

test("types, sequences, their owners and foreign keys move with their schemas and tables", () => {
  const compiled = compile({
    catalog: catalog({
      tables: [
        table("app.orders", { foreignKeys: [foreignKey("to_customer", "crm.customers")] }),
        table("crm.customers"),
      ],
      types: [enumType("app.status", "new", "done")],
      sequences: [
        sequence("app.ids", { ownedBy: { table: id("app.orders"), column: "id" } }),
        sequence("crm.customers_id_seq", {
          ownedBy: { table: id("crm.customers"), column: "id" },
          internal: true,
        }),
      ],
    }),
    rules: [
      ["schema", "rename", "app", "a"],
      ["schema", "rename", "crm", "c"],
      ["table", "add-suffix", "%.%", "_t"],
    ],
  });
  const { target, sequences, tables } = compiled.plan;
  assert.deepEqual(compiled.findings, []);
  assert.deepEqual(
    target.types.map((type) => displayTable(type.id)),
    ["a.status"],
  );
  assert.deepEqual(
    target.sequences.map(({ id: name, ownedBy, internal }) => ({ name, ownedBy, internal })),
    [
      { name: id("a.ids"), ownedBy: { table: id("a.orders_t"), column: "id" }, internal: false },
      {
        name: id("c.customers_id_seq"),
        ownedBy: { table: id("c.customers_t"), column: "id" },
        internal: true,
      },
    ],
  );
  assert.deepEqual(
    sequences.map(({ source, target: to }) => `${displayTable(source.id)} -> ${displayTable(to.id)}`),
    ["app.ids -> a.ids", "crm.customers_id_seq -> c.customers_id_seq"],
  );
  const orders = tables.find(({ source }) => source.id.name === "orders")!;
  assert.deepEqual(orders.target.foreignKeys[0]!.references, id("c.customers_t"));
  assert.deepEqual(orders.source.foreignKeys[0]!.references, id("crm.customers"));
  assert.equal(orders.target.columns[0]!.default, "nextval('ids'::regclass)");
});

test("a foreign key to a table outside the task is left out and reported, one to itself stays", () => {
  const orders = table("app.orders", {
    foreignKeys: [foreignKey("gone", "app.customers"), foreignKey("parent", "app.orders")],
  });
  const compiled = compile({
    catalog: catalog({ tables: [orders, table("app.customers")] }),
    rules: [["table", "rename", "app.orders", "o"]],
    selections: [
      { ...all, "object-locator": { "schema-name": "app", "table-name": "orders" } },
      {
        ...all,
        "rule-id": 1001,
        "rule-action": "exclude",
        "object-locator": { "schema-name": "%", "table-name": "c%" },
      },
    ],
  });
  assert.deepEqual(moves(compiled), ["app.orders -> app.o"]);
  assert.deepEqual(
    compiled.plan.target.tables[0]!.foreignKeys.map(({ name, references }) => [name, references]),
    [["parent", id("app.o")]],
  );
  assert.deepEqual(
    compiled.findings.map(({ code, severity, table: about }) => ({ code, severity, about })),
    [{ code: "plan.reference_left_out", severity: "warning", about: id("app.orders") }],
  );
  assert.match(compiled.findings[0]!.message, /foreign key gone of app\.orders refers to app\.customers/);
});

test("a sequence whose table stays behind loses its owner, an identity's goes with it", () => {
  const owner = { table: id("app.other"), column: "id" };
  const compiled = compile({
    catalog: catalog({
      tables: [table("app.orders"), table("app.other")],
      sequences: [
        sequence("app.shared", { ownedBy: owner }),
        sequence("app.other_id_seq", { ownedBy: owner, internal: true }),
      ],
    }),
    selections: [{ ...all, "object-locator": { "schema-name": "app", "table-name": "orders" } }],
  });
  assert.deepEqual(compiled.plan.target.sequences, [sequence("app.shared")]);
});

test("full load starts by load order, then with the largest, then by name", () => {
  const tables = [
    table("s.unknown", { estimatedBytes: -1 }),
    table("s.b"),
    table("s.large", { estimatedBytes: 5000 }),
    table("s.a"),
    table("s.first", { estimatedBytes: 0 }),
  ];
  const selections = [
    all,
    {
      ...all,
      "rule-id": 1,
      "load-order": 2,
      "object-locator": { "schema-name": "s", "table-name": "first" },
    },
  ];
  const { plan } = compile({ catalog: catalog({ tables }), selections });
  assert.deepEqual(
    plan.tables.map(({ source, loadOrder }) => `${source.id.name} ${loadOrder}`),
    ["first 2", "large 0", "a 0", "b 0", "unknown 0"],
  );
});

test("types of other schemas are named where they come to, also when two become one", () => {
  const columns = ["a.status", "b.status[]", "status"].map((nativeType) => ({
    name: nativeType,
    nativeType,
    type: { kind: "opaque" as const },
    nullable: true,
  }));
  const compiled = compile({
    catalog: catalog({
      tables: [table("c.t", { columns })],
      types: [
        enumType("a.status", "x"),
        enumType("b.status", "x"),
        { ...enumType("c.d"), kind: "domain", native: "a.status not null" },
      ],
    }),
    rules: [
      ["schema", "rename", "a", "y"],
      ["schema", "rename", "b", "y"],
    ],
  });
  const { types, tables } = compiled.plan.target;
  assert.deepEqual(
    tables[0]!.columns.map(({ nativeType }) => nativeType),
    ['"y"."status"', '"y"."status"[]', "status"],
  );
  assert.deepEqual(
    types.map((type) => `${displayTable(type.id)} ${type.native}`),
    ["y.status ", 'c.d "y"."status" not null'],
  );
});

test("no table at all is an empty plan", () => {
  const { plan, findings } = compile({ catalog: catalog({}) });
  assert.deepEqual({ tables: plan.tables, findings }, { tables: [], findings: [] });
});

test("nothing in the catalog is changed by compiling a plan", () => {
  const before = catalog({
    tables: [
      table("a.t", { indexes: [index("i")], foreignKeys: [foreignKey("f", "b.t")] }),
      table("b.t", { indexes: [index("i")] }),
    ],
    types: [enumType("a.e", "x")],
    sequences: [sequence("a.s")],
  });
  const copy = structuredClone(before);
  compile({ catalog: before, rules: [["table", "add-prefix", "a.%", "p"]], targetSchema: "x" });
  assert.deepEqual(before, copy);
});
