import assert from "node:assert/strict";
import { test } from "node:test";
import { table } from "../../../test/support/plan-situation.ts";
import type { ExpressionInput } from "../../core/plan.ts";
import { readExpression } from "./expression-reader.ts";

const items = table("shop.items", {
  columns: ["id", "first_name", "last_name", "größe", "BI__x"].map((name) => ({
    ...{ name, nativeType: "text", type: { kind: "string", fixed: false } as const, nullable: true },
  })),
});

const column = (ordinal: number): ExpressionInput => ({ kind: "column", ordinal });

const cases: readonly (readonly [text: string, sql: string, inputs: readonly ExpressionInput[]])[] = [
  ["$first_name||'_'||$last_name", "?1||'_'||?2", [column(1), column(2)]],
  ["upper($id) || $id", "upper(?1) || ?1", [column(0)]],
  ["'$id' || \"$id\" || [$id] || `$id`", "'$id' || \"$id\" || [$id] || `$id`", []],
  ["'it''s $id' || $größe", "'it''s $id' || ?1", [column(3)]],
  ["$id -- $last_name\n + 1", "?1  \n + 1", [column(0)]],
  ["$id /* ) ; $last_name */ + 1", "?1   + 1", [column(0)]],
  ["$BI__id", "?1", [{ kind: "before", ordinal: 0 }]],
  ["$BI__x", "?1", [column(4)]],
  [
    "operation_indicator('D', 'U', upper('i,'))",
    "case ?1 when 'D' then 'D' when 'U' then 'U' else upper('i,') end",
    [{ kind: "header", name: "operation-letter" }],
  ],
  [
    "Operation_Indicator ($id, 2, 3) || $AR_H_OPERATION",
    "case ?1 when 'D' then ?2 when 'U' then 2 else 3 end || ?3",
    [{ kind: "header", name: "operation-letter" }, column(0), { kind: "header", name: "operation" }],
  ],
  [
    "$AR_H_STREAM_POSITION || $AR_H_CHANGE_SEQ",
    "?1 || ?2",
    [
      { kind: "header", name: "stream-position" },
      { kind: "header", name: "change-seq" },
    ],
  ],
  [
    "$AR_M_SOURCE_SCHEMA || '.' || $AR_M_SOURCE_TABLE_NAME",
    "?1 || '.' || ?2",
    [
      { kind: "constant", value: "shop" },
      { kind: "constant", value: "items" },
    ],
  ],
  [
    "CASE WHEN round($id)>=20000 THEN 'SENIOR' ELSE 'JUNIOR' END",
    "CASE WHEN round(?1)>=20000 THEN 'SENIOR' ELSE 'JUNIOR' END",
    [column(0)],
  ],
  ["datetime()", "datetime()", []],
];

for (const [text, sql, inputs] of cases) {
  test(`an expression is read: ${text}`, () => {
    assert.deepEqual(readExpression(text, items), { sql, inputs, text });
  });
}

const faults: readonly (readonly [text: string, says: RegExp])[] = [
  ["$ID", /shop\.items has no column ID/],
  ["$", /without a name/],
  ["1); drop table x; select (1", /closed that was not opened/],
  ["1, 2", /more than one expression/],
  ["1;", /semicolon/],
  ["(1", /not closed/],
  ["'abc", /does not end/],
  ["?1 + 1", /no part of an expression/],
  [":id", /no part of an expression/],
  ["  -- nothing", /empty/],
  ["operation_indicator('D', 'U')", /takes three values/],
  ["operation_indicator", /in parentheses/],
  ["$AR_M_SOURCE_COLUMN_NAME", /an added column is none/],
];

for (const [text, says] of faults) {
  test(`an expression is refused: ${text}`, () => {
    assert.throws(() => readExpression(text, items), says);
  });
}
