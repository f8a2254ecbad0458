import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../core/finding.ts";
import { complexityOf } from "./complexity.ts";

const thought: Finding = {
  ...{ code: "source.not_moved", severity: "warning", subject: "operators", message: "", remedy: "" },
};
const mended: Finding = { ...thought, severity: "error", fix: { side: "source", statements: ["select;"] } };

function grade(findings: readonly Finding[], setAside = 0): string {
  return complexityOf({ findings, tables: 100, setAside, isOneKind: true }).grade;
}

test("a grade counts what somebody has to decide on, not what a statement mends", () => {
  assert.equal(grade([]), "A");
  assert.equal(grade([{ ...thought, severity: "info" }, ...Array<Finding>(200).fill(mended)]), "A");
  assert.equal(grade([thought]), "B");
  assert.equal(grade(Array<Finding>(9).fill(thought)), "C");
  assert.equal(grade(Array<Finding>(31).fill(thought)), "D");
  assert.equal(grade(Array<Finding>(101).fill(thought)), "E");
});

test("tables that cannot be moved weigh by their share", () => {
  assert.deepEqual([grade([], 1), grade([], 11), grade([], 26)], ["C", "D", "E"]);
});

test("the reason says what was counted", () => {
  const { reason } = complexityOf({ findings: [thought, mended], tables: 3, setAside: 1, isOneKind: false });
  assert.match(reason, /converted into another kind of database; 1 finding to decide on; 1 finding that a/);
  assert.match(reason, /1 of 3 tables cannot be moved as they are\.$/);
});
