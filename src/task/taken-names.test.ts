import assert from "node:assert/strict";
import { test } from "node:test";
import { column, table } from "../../test/support/pgoutput-messages.ts";
import type { TablePlan } from "../core/plan.ts";
import type { SchemaNote } from "../core/schema-note.ts";
import type { FollowedTable } from "./plan-alterations.ts";
import { takingNames } from "./taken-names.ts";

const id = (name: string) => ({ schema: "s", name });

function renamed(from: string, to: string): FollowedTable {
  const plan = { source: table({ id: id(from), columns: [column("id")] }) } as TablePlan;
  return { from: plan, notes: [{ id: id(to) } as SchemaNote], lost: [] };
}

function taking(renames: readonly FollowedTable[], others: readonly string[]): readonly string[] {
  return [...takingNames(renames, others.map(id))].map(({ from }) => from.source.id.name).toSorted();
}

test("a table takes the name of one that keeps it, and so does one that takes the first's in turn", () => {
  assert.deepEqual(taking([renamed("log", "log_1")], ["log_1", "other"]), ["log"]);
  assert.deepEqual(taking([renamed("log", "log_1"), renamed("log_1", "log_2")], ["log_2"]), ["log", "log_1"]);
  assert.deepEqual(taking([renamed("log", "t"), renamed("t", "t")], []), ["log"]);
});

test("a name that is free, or is given up, can be had", () => {
  assert.deepEqual(taking([renamed("log", "log_1")], ["other"]), []);
  assert.deepEqual(taking([renamed("a", "b"), renamed("b", "a"), renamed("c", "c")], ["d"]), []);
});
