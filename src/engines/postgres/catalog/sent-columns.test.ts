import assert from "node:assert/strict";
import { test } from "node:test";
import type { Column } from "../../../core/schema.ts";
import { isComputedThere, withSent } from "./sent-columns.ts";

const column = (name: string, more: Partial<Column> = {}): Column => ({
  ...{ name, nativeType: "integer", type: { kind: "int", bits: 32, unsigned: false }, nullable: true },
  ...more,
});
const columns = [
  column("a"),
  column("stored", { generated: "(a / 2)" }),
  column("virtual", { generated: "(a / 2)", virtual: true }),
];

function sent(serverVersion: string, rowsOnly: boolean): readonly string[] {
  const table = withSent({ columns }, { serverVersion, rowsOnly });
  return table.columns.filter(({ sends }) => sends === true).map(({ name }) => name);
}

test("a server sends stored generated columns with changes from version 18 on, and all of them with rows", () => {
  assert.deepEqual(sent("17.6 (Debian 17.6-1)", false), []);
  assert.deepEqual(sent("18.0", false), ["stored"]);
  assert.deepEqual(sent("19beta1", false), ["stored"]);
  assert.deepEqual(sent("12.22", true), ["stored", "virtual"]);
});

test("a column is computed there when a plan has made an ordinary one of it", () => {
  const { generated: _generated, ...ordinary } = { ...columns[1]!, sends: true as const };
  assert.deepEqual([ordinary, ...columns].map(isComputedThere), [true, false, false, false]);
});
