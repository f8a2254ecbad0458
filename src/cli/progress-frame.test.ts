import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { tableProgress, taskProgress } from "../../test/support/progress.ts";
import type { TableProgress, TaskProgress } from "../task/task.ts";
import { colorPaint, plainPaint } from "./paint.ts";
import { progressFrame } from "./progress-frame.ts";
import { ProgressRates } from "./progress-rates.ts";
import { displayWidth } from "./text-width.ts";

function progress(tables: readonly TableProgress[], members: Partial<TaskProgress> = {}): TaskProgress {
  return taskProgress(tables, { fullLoadPercent: 40, fullLoadSecondsLeft: 12, ...members });
}

function frame(state: TaskProgress, columns = 80, rows = 24, rates = new ProgressRates()): string[] {
  const input = { title: "a@old → b@new", progress: state, rates, nowMs: 61_000, hint: "Ctrl-C stops." };
  return progressFrame(input, { columns, rows, paint: plainPaint });
}

const mixed = [
  tableProgress("orders", { state: "Full load", fullLoadRows: 400, fullLoadStartMs: 1 }),
  tableProgress("loaded", {
    state: "Table completed",
    fullLoadRows: 1000,
    fullLoadStartMs: 0,
    fullLoadEndMs: 500,
  }),
  tableProgress("waiting"),
  tableProgress("broken", {
    state: "Table error",
    error: { code: "load.rejected", message: "The target refused rows.", remedy: "" },
  }),
  tableProgress("building", { state: "Table completed", fullLoadRows: 7, activity: "building orders_idx" }),
  tableProgress("漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", {
    state: "Full load",
    estimatedRows: -1,
  }),
  tableProgress("evil\n\x1b[2Jname", { state: "Table is being reloaded" }),
];

const lag = {
  currentMs: 120,
  p50Ms: 85,
  p99Ms: 2000,
  maxMs: 9000,
  resolutionMs: 1,
  transactions: 5,
  changes: 9,
} as const;

test("a table that loads has its rows, speed, share and time left on its line", () => {
  const rates = new ProgressRates();
  const at = (rows: number): TaskProgress =>
    progress([tableProgress("orders", { state: "Full load", fullLoadRows: rows, fullLoadStartMs: 1 })]);
  rates.record(at(200), 1000);
  rates.record(at(400), 2000);
  const line = frame(at(400), 80, 24, rates).find((text) => text.startsWith("shop.orders"));
  assert.match(line ?? "", /^shop\.orders +loading +400 +200 +40 % +3s/);
});

test("errors and what is being built stand on the table's line", () => {
  const lines = frame(progress(mixed), 100).join("\n");
  assert.match(lines, /shop\.broken +error +load\.rejected: The target refused rows\.$/m);
  assert.match(lines, /shop\.building +loaded +7 +building orders_idx/);
  assert.match(lines, /shop\.loaded +loaded +1,000 +2,000 +100 %/);
});

test("control characters of names never reach the terminal", () => {
  const lines = frame(progress(mixed), 120);
  assert.ok(lines.some((line) => line.includes("shop.evil\\n\\e[2Jname")));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  for (const line of lines) assert.doesNotMatch(line, /[\x00-\x1f\x7f]/);
});

test("no line is wider and no frame higher than any terminal", () => {
  const many = Array.from({ length: 2000 }, (_, i) => mixed[i % mixed.length]!);
  const states = [
    progress([]),
    progress(mixed),
    progress(many),
    progress(many, { phase: "replicating", lag, fullLoadEndMs: 1000 }),
    progress(mixed, { phase: "building", lag }),
  ];
  for (const state of states) {
    for (const columns of [2, 5, 10, 18, 25, 40, 61, 80, 99, 150]) {
      for (const rows of [2, 5, 10, 24, 60]) {
        const lines = frame(state, columns, rows);
        assert.ok(lines.length <= rows - 1, `${lines.length} lines in ${rows}`);
        for (const line of lines) assert.ok(displayWidth(line) < columns, `${columns}: ${line}`);
      }
    }
  }
});

test("of two thousand tables the telling ones are shown and the rest is counted", () => {
  const many = [
    ...Array.from({ length: 1200 }, (_, i) => tableProgress(`done${i}`, { state: "Table completed" })),
    ...Array.from({ length: 795 }, (_, i) => tableProgress(`later${i}`)),
    tableProgress("busy1", { state: "Full load" }),
    tableProgress("busy2", { state: "Full load" }),
    tableProgress("bad", { state: "Table error" }),
  ];
  const lines = frame(progress(many));
  const text = lines.join("\n");
  for (const name of ["shop.busy1", "shop.busy2", "shop.bad"]) assert.ok(text.includes(name), name);
  assert.match(text, /… and 1,98\d more: [\d,]+ loaded, 795 waiting/);
  assert.match(text, /1,200 of 1,998 tables/);
  const shown = lines.filter((line) => line.startsWith("shop.")).length;
  const counted = Number(/and ([\d,]+) more/.exec(text)?.[1]?.replaceAll(",", ""));
  assert.equal(shown + counted, many.length);
});

test("once the target follows, lines tell of changes and the lag", () => {
  const tables = [
    tableProgress("orders", { state: "Table completed", appliedInserts: 1234, appliedDeletes: 7 }),
  ];
  const log = { behindBytes: 3_500_000, keptBytes: 20_000_000 };
  const text = frame(progress(tables, { phase: "replicating", lag, log })).join("\n");
  assert.match(text, /INSERTS +UPDATES +DELETES/);
  assert.match(text, /shop\.orders +loaded +0 +1,234 +0 +7/);
  assert.match(text, /lag +120 ms +3\.50 MB of log +p50 85 ms +p99 2\.00 s/);
  const rough = { ...lag, resolutionMs: 1000 } as const;
  assert.match(
    frame(progress(tables, { phase: "replicating", lag: rough })).join("\n"),
    /lag +≤ 120 ms +p50 ≤ 85 ms +p99 ≤ 2\.00 s +max ≤ 9\.00 s/,
  );
  assert.match(frame(progress(tables, { log })).join("\n"), /log +the source keeps 20\.0 MB for the task/);
});

test("following without any change yet says so", () => {
  const text = frame(progress([tableProgress("orders")], { phase: "replicating" })).join("\n");
  assert.match(text, /changes +none yet/);
});

test("colours change no text and no width", () => {
  const input = {
    title: "t",
    progress: progress(mixed),
    rates: new ProgressRates(),
    nowMs: 1,
    hint: "h",
  };
  const plain = progressFrame(input, { columns: 100, rows: 30, paint: plainPaint });
  const colored = progressFrame(input, { columns: 100, rows: 30, paint: colorPaint });
  assert.deepEqual(colored.map(stripVTControlCharacters), plain);
  assert.notDeepEqual(colored, plain);
});
