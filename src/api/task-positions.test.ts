import assert from "node:assert/strict";
import { test } from "node:test";
import { cdcStart, checkStartTime } from "./task-positions.ts";

test("a start is a position or a time, of a cdc task alone", () => {
  assert.equal(
    cdcStart({ CdcStartTime: new Date("2018-02-09T12:12:12.500Z") }, "cdc"),
    "2018-02-09T12:12:12",
  );
  assert.equal(cdcStart({ CdcStartPosition: "mysql-bin.000024:373" }, "cdc"), "mysql-bin.000024:373");
  assert.equal(cdcStart({ CdcStartPosition: "" }, "cdc"), undefined);
  const both = { CdcStartTime: new Date(0), CdcStartPosition: "mysql-bin.000024:373" };
  assert.throws(() => cdcStart(both, "cdc"), /cannot both be given/);
  assert.throws(() => cdcStart({ CdcStartTime: new Date(0) }, "full-load-and-cdc"), /only for tasks of/);
});

test("a time is refused where the source's log cannot be searched for it", () => {
  const byText = { CdcStartPosition: "2018-02-09T12:12:12" };
  const capabilities = { source: true, target: true, cdc: true };
  const searched = { displayName: "One", capabilities: { ...capabilities, startsAtTime: true } };
  const unsearched = { displayName: "Other", capabilities: { ...capabilities, startsAtTime: false } };
  for (const asked of [byText, { CdcStartTime: new Date(0) }]) {
    assert.throws(() => checkStartTime(asked, unsearched), /log of Other cannot be searched by time/);
    checkStartTime(asked, searched);
  }
  checkStartTime({ CdcStartPosition: "4AF/B00000D0" }, unsearched);
});
