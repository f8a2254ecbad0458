import assert from "node:assert/strict";
import { test } from "node:test";
import { manualExamples } from "../../../test/support/manual-examples.ts";
import { selecting, transforming } from "../../../test/support/manual-rules.ts";
import { catalog, column, compile, table } from "../../../test/support/plan-situation.ts";
import type { TablePlan } from "../../core/plan.ts";
import { displayTable } from "../../core/schema.ts";
import { parseTableMappings } from "../table-mappings.ts";

const TEXT = { kind: "string", fixed: false, maxChars: 64 } as const;

const employee = table("test.employee", {
  columns: [
    column("empid", { kind: "int", bits: 32, unsigned: false }, { nullable: false }),
    column("dept", TEXT),
    column("empstartdate", { kind: "date" }),
    column("Pre_1", TEXT),
    column("col1", TEXT),
    column("SALE_AMOUNT", { kind: "decimal", precision: 12, scale: 2 }),
  ],
});

function made(plan: TablePlan): string {
  return `${displayTable(plan.target.id)}: ${plan.target.columns.map(({ name }) => name).join(" ")}`;
}

for (const { what, rules, made: wanted, filtered } of manualExamples) {
  test(`a document of the manual does what it says: ${what}`, () => {
    parseTableMappings(JSON.stringify({ rules }));
    const { plan, findings } = compile({ catalog: catalog({ tables: [employee] }), selections: rules });
    assert.deepEqual(findings, []);
    assert.deepEqual(plan.tables.map(made), [wanted]);
    const [filter] = plan.tables.map(({ rows }) => rows?.filter);
    assert.equal(filter && JSON.stringify(filter), filtered?.by);
  });
}

test("a document that the console has written, with names in upper case and columns that are included, is taken", () => {
  const unused = { value: null, "old-value": null };
  const rules = [
    { ...selecting("test"), filters: [], "parallel-load": null, isAutoSegmentationChecked: false },
    ...["empid", "dept"].flatMap((name, i) => [
      {
        ...transforming("column", "convert-uppercase", ["test", "employee", name], unused),
        "rule-id": `${10 + i}`,
      },
      {
        ...transforming("column", "include-column", ["test", "employee", name], unused),
        "rule-id": `${20 + i}`,
      },
    ]),
  ];
  parseTableMappings(JSON.stringify({ rules }));
  const { plan } = compile({ catalog: catalog({ tables: [employee] }), selections: rules });
  assert.deepEqual(plan.tables.map(made), ["test.employee: EMPID DEPT"]);
});
