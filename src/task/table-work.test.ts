import assert from "node:assert/strict";
import { test } from "node:test";
import { id, table } from "../../test/support/plan-situation.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import type { TableSchema } from "../core/schema.ts";
import type { Partition } from "../core/source.ts";
import type { TableShape } from "../core/table-shape.ts";
import type { PrepareMode } from "../core/target.ts";
import { awaitsPreparation, intent, isUntouched, type TableWork, whatToDo } from "./table-work.ts";

function planOf(more: Partial<TableSchema> = {}): TablePlan {
  const source = table("app.t", more);
  return { source, target: source, loadOrder: 0 };
}

function shapeOf(...names: readonly string[]): TableShape {
  const columns = names.map((name, i) => ({
    number: i + 1,
    name,
    type: "25 -1",
    version: "7",
    computed: null,
  }));
  return {
    table: "1",
    storage: "1",
    columnsEver: names.length,
    columns: columns.map((one) => ({ ...one, fill: null })),
  };
}

/** Partitions that hold in any snapshot, or in none but theirs. */
function partitions(done: readonly boolean[], by: Partition["by"] = "key"): JournaledTable["partitions"] {
  return done.map((isDone, i) => {
    const range = { id: String(i), from: undefined, to: undefined, estimatedRows: 1 };
    const partition: Partition = by === "key" ? { ...range, by, columns: ["id"] } : { ...range, by };
    return { partition, snapshot: undefined, done: isDone, rows: 0 };
  });
}

function journaled(state: JournaledTable["state"], more: Partial<JournaledTable> = {}): JournaledTable {
  const made = { created: true, keepsRows: false, reason: undefined, shape: undefined };
  return { id: id("app.t"), ...made, state, partitions: [], ...more };
}

interface Situation {
  readonly known?: JournaledTable;
  readonly table?: TablePlan;
  readonly exists?: boolean;
  readonly mode?: PrepareMode;
}

function workOf({
  known,
  table: plan = planOf(),
  exists = true,
  mode = "do-nothing",
}: Situation): TableWork | undefined {
  return whatToDo({ table: plan, exists, mode }, known);
}

/** What is done, the ids of the partitions left ("cut" when it is still to be cut), and what else is known. */
function told(situation: Situation): string {
  const work = workOf(situation);
  if (work === undefined) return "nothing";
  const { created, keepsRows, interrupted, partitions: left } = work.load;
  const parts = left === undefined ? "cut" : `[${left.map((partition) => partition.id)}]`;
  const marks = [created && "made", keepsRows && "keeps", interrupted && "interrupted"].filter(Boolean);
  return [work.action, parts, ...marks].join(" ");
}

test("what the journal does not know is prepared, and is the task's own where it makes it", () => {
  assert.equal(told({}), "prepare cut");
  assert.equal(told({ exists: false }), "prepare cut made");
  assert.equal(told({ mode: "drop-and-create" }), "prepare cut made");
  assert.equal(told({ known: journaled("planned", { created: false }) }), "prepare cut");
  assert.equal(told({ known: journaled("planned") }), "prepare cut made");
});

test("a prepared table is emptied, unless its rows must stay, it was never made or has other columns", () => {
  assert.equal(told({ known: journaled("prepared") }), "empty cut made");
  assert.equal(told({ known: journaled("prepared", { keepsRows: true }) }), "none cut made keeps");
  assert.equal(told({ known: journaled("prepared"), exists: false }), "prepare cut made");
  const known = journaled("prepared", { shape: shapeOf("id") });
  assert.equal(told({ known, table: planOf({ shape: shapeOf("id") }) }), "empty cut made");
  assert.equal(told({ known, table: planOf({ shape: shapeOf("id", "v") }) }), "prepare cut made");
  const foreign = { ...known, created: false };
  assert.equal(told({ known: foreign, table: planOf({ shape: shapeOf("id", "v") }) }), "empty cut");
});

test("of a table that is partly loaded the rest is, where parts of two moments can be brought together", () => {
  const known = (done: readonly boolean[], by?: Partition["by"]): JournaledTable =>
    journaled("planned", { partitions: partitions(done, by) });
  assert.equal(told({ known: known([false, false]) }), "none [0,1] made interrupted");
  assert.equal(told({ known: known([true, false]) }), "none [1] made interrupted");
  for (const by of ["block", "share", "range", "stored"] as const) {
    assert.equal(told({ known: known([true, false], by) }), "empty cut made interrupted", by);
  }
  const keyless = planOf({ key: [] });
  assert.equal(told({ known: known([true, false]), table: keyless }), "empty cut made interrupted");
  assert.equal(told({ known: known([false, false]), table: keyless }), "none [0,1] made interrupted");
  assert.equal(told({ known: known([true, true], "block") }), "none [] made interrupted");
});

test("a loaded table is only built, and one that is ready or set aside is left alone", () => {
  assert.equal(told({ known: journaled("loaded") }), "none [] made");
  assert.equal(told({ known: journaled("ready") }), "nothing");
  assert.equal(told({ known: journaled("suspended") }), "nothing");
});

test("what is going to be done to a table is journaled first, and what goes on stays as it is there", () => {
  const stateOf = (situation: Situation): unknown => intent(workOf(situation)!).map(({ state }) => state);
  assert.deepEqual(stateOf({}), ["planned"]);
  assert.deepEqual(stateOf({ known: journaled("prepared") }), ["prepared"]);
  assert.deepEqual(stateOf({ known: journaled("loaded") }), []);
});

test("a table that was planned and not cut may not be prepared yet; one that was set aside then is untouched, too", () => {
  const cut = { partitions: partitions([false]) };
  const states = ["planned", "prepared", "loaded", "ready", "suspended"] as const;
  const which = (is: (known: JournaledTable) => boolean, more = {}): readonly string[] =>
    states.filter((state) => is(journaled(state, more)));
  assert.deepEqual(which(awaitsPreparation), ["planned"]);
  assert.deepEqual(which(isUntouched), ["planned", "suspended"]);
  assert.deepEqual([...which(awaitsPreparation, cut), ...which(isUntouched, cut)], []);
});
