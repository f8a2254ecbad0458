import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, compile, table } from "../../../../test/support/plan-situation.ts";
import { SqlText } from "../values/sql-text.ts";
import { TableSql } from "./apply-sql.ts";
import type { RowAt } from "./fitting-rows.ts";

const columns = ["k", "v", "w"].map((name) => ({
  ...{ name, nativeType: "double precision", nullable: name !== "w" },
  type: { kind: "float", bits: 64 } as const,
}));

/** The statements of a table of numbers, of which w takes no NULL, where others than finite ones become NULL. */
function tableSql(key: readonly number[]): TableSql {
  const { tables } = compile({ catalog: catalog({ tables: [table("s.t", { columns, key })] }) }).plan;
  const there = {
    dataType: "double",
    columnType: "double",
    generated: false,
    fraction: undefined,
    folds: false,
  };
  const target = { columns: new Map(columns.map(({ name }) => [name, there])), uniques: [], plain: true };
  return new TableSql(tables[0]!, target, { numbers: "null", dates: "error" });
}

function row(...values: readonly string[]): RowAt {
  const ends = values.map((_, i) => values.slice(0, i + 1).join("").length);
  const cells = ends.flatMap((end, i) => [end - values[i]!.length, end]);
  return { bytes: Buffer.from(values.join("")), cells: Int32Array.from(cells), row: 0 };
}

function text(write: (out: SqlText) => void): string {
  const out = new SqlText();
  write(out);
  return out.bytes.toString("utf8", 0, out.length);
}

test("values that come as others count where they are written, not where their row is looked for", () => {
  const sql = tableSql([]);
  const [finite, infinite] = [row("1", "2", "3"), row("1", "NaN", "3")];
  const deleted = text((out) => sql.delete(out, infinite));
  assert.match(deleted, /`v` is null/);
  assert.equal(sql.replaced, 0);
  const updated = text((out) => sql.update(out, finite, infinite, true));
  assert.match(updated, /`v`=null/i);
  assert.equal(sql.replaced, 1);
});

test("a row that was made to fit counts no more", () => {
  const sql = tableSql([0]);
  const fitting = sql.fitting(row("1", "NaN", "3"));
  assert.match(
    text((out) => sql.update(out, fitting, fitting, false)),
    /`v`=null/i,
  );
  assert.match(
    text((out) => sql.insertUnlessThere(out, fitting)),
    /select 1,null,3 /i,
  );
  assert.equal(sql.replaced, 1);
});

test("of a row that is found by its key nothing else has to fit", () => {
  const sql = tableSql([0]);
  const infinite = row("1", "2", "Infinity");
  assert.throws(() => text((out) => sql.insert(out, infinite)), { code: "target.value_out_of_range" });
  assert.match(
    text((out) => sql.delete(out, infinite)),
    /where `k` = 1$/,
  );
});
