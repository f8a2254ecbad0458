import assert from "node:assert/strict";
import { test } from "node:test";
import { tableProgress, taskProgress } from "../../test/support/progress.ts";
import type { TableProgress, TableValidationProgress } from "../task/task.ts";
import { JsonDisplay } from "./json-display.ts";
import { settingsDocument } from "./migrate-spec.ts";
import { plainPaint } from "./paint.ts";
import { progressFrame } from "./progress-frame.ts";
import { ProgressRates } from "./progress-rates.ts";
import { taskDisplay } from "./task-display.ts";
import { validationLines } from "./validation-summary.ts";

function compared(
  name: string,
  state: TableValidationProgress["state"],
  members: Partial<TableValidationProgress> = {},
): TableProgress {
  const validation = { state, pending: 0, failed: 0, suspended: 0, ...members };
  const loaded = {
    state: "Table completed",
    fullLoadRows: 1000,
    fullLoadStartMs: 0,
    fullLoadEndMs: 500,
  } as const;
  return tableProgress(name, { ...loaded, validation });
}

const mixed = [
  compared("equal", "Validated"),
  compared("begun", "Preparing table", { rowsCompared: 450, rowsToCompare: 1000 }),
  compared("differing", "Mismatched records", { failed: 12_345 }),
  compared("busy", "Pending records", { pending: 1_234_567 }),
  compared("later", "Pending validation"),
  compared("broken", "Table error", { details: "validation.digest_failed: A server failed." }),
  compared("written", "Suspended records", { suspended: 2 }),
  tableProgress("untold", { state: "Table error" }),
];

function frame(tables: readonly TableProgress[], columns = 120): string {
  const progress = taskProgress(tables, { phase: "replicating" });
  const input = { title: "t", progress, rates: new ProgressRates(), nowMs: 0, hint: "" };
  return progressFrame(input, { columns, rows: 24, paint: plainPaint }).join("\n");
}

test("a table's line says what its validation has come to, in narrow terminals first", () => {
  for (const columns of [70, 120]) {
    const text = frame(mixed, columns);
    assert.match(text, /TABLE +STATE +VALIDATION +ROWS LOADED/);
    assert.match(text, /shop\.equal +loaded +equal +1,000/);
    assert.match(text, /shop\.begun +loaded +45 % +1,000/);
    assert.match(text, /shop\.differing +loaded +12\.3k differ +1,000/);
    assert.match(text, /shop\.busy +loaded +1\.23M pending +1,000/);
    assert.match(text, /shop\.later +loaded +waiting +1,000/);
    assert.match(text, /shop\.broken +loaded +error +1,000/);
    assert.match(text, /shop\.written +loaded +undecided +1,000/);
  }
  assert.match(
    frame(mixed),
    /^validated +4 of 7 tables compared +12,345 rows differ +1 with errors +2 undecided +1,234,567 to be/m,
  );
  assert.match(frame([compared("a", "Validated")]), /validated +1 of 1 table compared +all rows equal$/m);
  assert.doesNotMatch(frame([compared("a", "Pending validation")]), /validat/i);
});

test("the last words name what is not equal, and say what was not compared", () => {
  assert.deepEqual(validationLines(taskProgress(mixed)), [
    "Validation: 4 of 7 tables compared; 12,345 rows of 1 table differ. The target's table awsdms_validation_failures_v1 names them.",
    "  shop.differing: 12,345 rows differ",
    "  shop.broken: not compared: validation.digest_failed: A server failed.",
    "  shop.written: 2 rows written too often to be compared",
    "2 tables were not compared.",
    "1,234,567 rows have changed since and were not compared again.",
  ]);
  assert.deepEqual(validationLines(taskProgress([compared("a", "Validated")])), [
    "Validation: 1 of 1 table compared, all rows are equal.",
  ]);
  const many = Array.from({ length: 23 }, (_, i) => compared(`t${i}`, "Mismatched records", { failed: 1 }));
  assert.equal(validationLines(taskProgress(many)).at(-1), "  ... and 3 tables more");
  assert.deepEqual(validationLines(taskProgress([tableProgress("untold")])), []);
});

test("without a terminal a line says what is found of a table, once", () => {
  let text = "";
  const stdout = { write: (more: string) => (text += more) };
  const display = taskDisplay({ stdout, stderr: stdout }, { title: "t", hint: "", verbose: false });
  for (const state of [
    "Preparing table",
    "Mismatched records",
    "Pending records",
    "Mismatched records",
  ] as const)
    display.progress(taskProgress([compared("a", state, { failed: 1 })]));
  display.progress(taskProgress([compared("a", "Validated")]));
  display.log("warn", "rows differ", { rows: 1 });
  display.close(undefined);
  assert.deepEqual(
    [...text.matchAll(/shop\.a: (.*)\n/g)].map(([, said]) => said),
    ["comparing", "1 row differs", "all rows are equal"],
  );
  assert.doesNotMatch(text, /rows differ/);
});

test("JSON events have a table's validation, and what it has come to for all of them", () => {
  let text = "";
  const display = new JsonDisplay({ write: (more: string) => (text += more) });
  display.progress(taskProgress(mixed.slice(0, 3)));
  display.close();
  const { validation, tables } = JSON.parse(text);
  assert.deepEqual(validation, {
    ...{ hasBegun: true, tables: 3, compared: 2, differingTables: 1, differingRows: 12_345 },
    ...{ pendingRows: 0, undecidedRows: 0, failedTables: 0 },
  });
  assert.equal(tables[1].validation.rowsCompared, 450);
});

test("--validate asks for validation, whatever else the settings say", async () => {
  assert.equal(await settingsDocument({ validate: false }), "{}");
  assert.deepEqual(JSON.parse(await settingsDocument({ validate: true, prepMode: "truncate" })), {
    FullLoadSettings: { TargetTablePrepMode: "TRUNCATE_BEFORE_LOAD" },
    ValidationSettings: { EnableValidation: true },
  });
});
