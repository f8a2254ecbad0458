import assert from "node:assert/strict";
import { test } from "node:test";
import { tableProgress, taskProgress } from "../../test/support/progress.ts";
import type { TableProgress, TaskProgress } from "../task/task.ts";
import { JsonDisplay } from "./json-display.ts";
import { taskDisplay } from "./task-display.ts";

class Sink {
  text = "";
  write(text: string): void {
    this.text += text;
  }
}

function progress(state: TableProgress["state"], members: Partial<TaskProgress> = {}): TaskProgress {
  const isLoaded = state === "Table completed";
  const table = tableProgress("t", {
    ...{ state, estimatedRows: 10, fullLoadRows: isLoaded ? 10 : 0 },
    ...{ fullLoadStartMs: 1000, fullLoadEndMs: isLoaded ? 3000 : undefined },
  });
  return taskProgress([table], members);
}

function plain(): { readonly sink: Sink; readonly display: ReturnType<typeof taskDisplay> } {
  const sink = new Sink();
  const display = taskDisplay({ stdout: sink, stderr: sink }, { title: "t", hint: "", verbose: false });
  return { sink, display };
}

test("without a terminal each change is a plain line, and no control sequence is written", () => {
  const { sink, display } = plain();
  display.progress(progress("Full load"));
  display.progress(progress("Full load"));
  display.progress(progress("Table completed"));
  display.progress(progress("Table completed", { phase: "building" }));
  display.close(undefined);
  const lines = sink.text.trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, "")),
    ["full load", "shop.t: 10 rows loaded (5 rows/s)", "building indexes and keys"],
  );
  assert.ok(!sink.text.includes("\x1b"));
});

test("of thousands of findings of one code ten are shown and the others counted", () => {
  const { sink, display } = plain();
  for (let i = 0; i < 2000; i++) {
    display.finding({
      code: "target.table_dropped",
      severity: "info",
      subject: `s.t${i}`,
      message: "It is dropped.",
      remedy: "",
    });
  }
  display.progress(progress("Before load"));
  const lines = sink.text.trimEnd().split("\n");
  assert.equal(lines.length, 12);
  assert.match(sink.text, /\.\.\. and 1,990 more target\.table_dropped/);
});

test("a JSON event follows even when nothing changes after a report that came too soon", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const sink = new Sink();
  const display = new JsonDisplay(sink);
  display.progress(progress("Full load"));
  display.progress(progress("Table completed"));
  assert.equal(sink.text.trimEnd().split("\n").length, 1);
  context.mock.timers.tick(1000);
  const events = sink.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.equal(events.length, 2);
  assert.equal(events[1].tables[0].state, "Table completed");
});

test("a table that has not changed is left out of later JSON events", () => {
  const sink = new Sink();
  const display = new JsonDisplay(sink);
  display.progress(progress("Full load"));
  display.progress(progress("Full load", { phase: "building" }));
  const events = sink.text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map((event) => event.tables.length),
    [1, 0],
  );
});
