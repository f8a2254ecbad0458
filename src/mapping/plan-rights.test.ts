import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, columnRule, compile, id, sequence, table } from "../../test/support/plan-situation.ts";
import type { ObjectRights } from "../core/rights.ts";

function rights(kind: ObjectRights["kind"], name: string, on?: string): ObjectRights {
  const place = { kind, id: id(name), ...(on === undefined ? {} : { on: id(on) }) };
  return { ...place, owner: "boss", granted: [], revoked: [] };
}

const situation = catalog({
  tables: [table("app.orders")],
  sequences: [sequence("app.ids", { ownedBy: { table: id("app.orders"), column: "id" } })],
  rights: [
    rights("schema", "app."),
    rights("default privileges on tables", "app.boss"),
    rights("table", "app.orders", "app.orders"),
    rights("sequence", "app.ids", "app.orders"),
    rights("table", "app.elsewhere", "app.elsewhere"),
    rights("view", "app.seen"),
    rights("large object", ".16400"),
  ],
});

test("rights follow what is moved to its name on the target, and what is not moved has none", () => {
  const { plan, findings } = compile({
    catalog: situation,
    rules: [
      ["schema", "rename", "app", "moved"],
      ["table", "add-suffix", "app.orders", "_2"],
    ],
  });
  assert.deepEqual(findings, []);
  assert.deepEqual(plan.target.rights, [
    rights("schema", "moved."),
    rights("default privileges on tables", "moved.boss"),
    rights("table", "moved.orders_2", "moved.orders_2"),
    rights("sequence", "moved.ids", "moved.orders_2"),
    rights("large object", ".16400"),
  ]);
});

test("a schema in which several come together gets the rights of none, and that is said", () => {
  const two = { ...situation, schemas: [{ name: "app" }, { name: "old" }] };
  const { plan, findings } = compile({ catalog: two, targetSchema: "one" });
  assert.deepEqual(
    plan.target.rights.map(({ kind }) => kind),
    ["table", "sequence", "large object"],
  );
  assert.deepEqual(
    findings.map(({ code, subject }) => `${code} ${subject}`),
    ["plan.rights_left_out one"],
  );
});

test("what is granted on a column is granted under its name on the target, and goes with it", () => {
  const grant = (column: string) => ({ privilege: "SELECT", column, to: "clerk", grantable: false });
  const given = { ...rights("table", "app.orders", "app.orders"), granted: [grant("id")] };
  const granted = (...others: readonly object[]) => {
    const { plan } = compile({ catalog: { ...situation, rights: [given] }, others });
    return plan.target.rights[0]!.granted;
  };
  assert.deepEqual(granted(), [grant("id")]);
  assert.deepEqual(granted(columnRule(1, "rename", "id", { value: "nr" })), [grant("nr")]);
  const kept = columnRule(2, "add-column", "%", { value: "x", "data-type": { type: "int4" } });
  assert.deepEqual(granted(columnRule(1, "remove-column", "id"), kept), []);
});
