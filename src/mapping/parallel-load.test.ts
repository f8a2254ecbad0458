import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../core/finding.ts";
import type { ParallelLoad } from "../core/plan.ts";
import type { Column, LogicalType, TableSchema } from "../core/schema.ts";
import { planLoad } from "./parallel-load.ts";
import type { TableMappings } from "./rules.ts";
import { exactly } from "./wildcard.ts";

const column = (name: string, type: LogicalType): Column => ({ name, nativeType: "", type, nullable: true });

const table = {
  id: { schema: "shop", name: "t" },
  columns: [
    column("d", { kind: "timestamp", precision: 0, zoned: true }),
    column("n", { kind: "decimal" }),
    column("f", { kind: "float", bits: 64 }),
    column("lob", { kind: "bytes", fixed: false }),
  ],
} as unknown as TableSchema;

const stored: TableSchema = {
  ...table,
  partitions: [
    { name: "p0", subpartitions: ["s0", "s1"] },
    { name: "p1", subpartitions: ["s2", "s3"] },
  ],
};

function plan(
  parallelLoad: ParallelLoad,
  of = table,
): { load: ParallelLoad | undefined; findings: Finding[] } {
  const findings: Finding[] = [];
  const rule = { id: 7, schema: exactly("shop"), table: exactly("t"), parallelLoad, lobs: undefined };
  const other = { ...rule, id: 6, table: exactly("u"), parallelLoad: { type: "none" } };
  const mappings = { tableSettings: [other, rule] } as unknown as TableMappings;
  return { load: planLoad(of, mappings, findings).parallelLoad, findings };
}

const ranges = (columns: readonly string[], boundaries: readonly (readonly string[])[]): ParallelLoad => ({
  ...{ type: "ranges", columns, boundaries },
});
const list = (partitions: readonly string[], subpartitions: readonly string[] = []): ParallelLoad => ({
  ...{ type: "partitions-list", partitions, subpartitions },
});

test("boundaries of ranges are values of their columns", () => {
  const { load, findings } = plan(ranges(["d", "n"], [["2026-01-01", "007"]]));
  assert.deepEqual(findings, []);
  assert.deepEqual(load, ranges(["d", "n"], [["2026-01-01 00:00:00+00", "7"]]));
  assert.deepEqual(plan({ type: "none" }).load, { type: "none" });
});

test("what the table does not have, or cannot be cut by, is a finding with the rule", () => {
  for (const [load, of, says] of [
    [ranges(["x"], [["1"]]), table, /the table has no column x/],
    [ranges(["n", "n"], [["1", "2"]]), table, /the column n is named twice/],
    [
      ranges(["f"], [["1"]]),
      table,
      /ranges of the column f are not possible: values of its type are not cut/,
    ],
    [ranges(["lob"], [["00"]]), table, /large objects/],
    [ranges(["n"], [["1"], ["x"]]), table, /column n .* is no number/],
    [{ type: "partitions-auto" }, table, /does not keep the table in partitions/],
    [list(["p0"]), table, /does not keep the table in partitions/],
    [list(["p2"]), stored, /no partition p2/],
    [list(["p0"], ["s9"]), stored, /no subpartition s9/],
    [list(["p0"], ["s1"]), stored, /subpartition s1 is listed twice/],
    [list(["p0", "p0"]), stored, /partition s0 is listed twice/],
  ] as const) {
    const planned = plan(load, of);
    assert.equal(planned.load, undefined);
    const [finding] = planned.findings;
    assert.deepEqual(
      [finding?.code, finding?.severity, finding?.table],
      ["mapping.rule_impossible", "error", table.id],
    );
    assert.match(finding!.message, says);
    assert.match(finding!.message, /^Rule 7 /);
  }
  assert.deepEqual(plan(list(["p0"], ["s2"]), stored).findings, []);
});
