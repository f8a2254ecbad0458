import { displayTable } from "../core/schema.ts";
import type { Html } from "../report/html.ts";
import { badge, table } from "../report/parts.ts";
import type { ColumnTotals, TableTotals, TableValidation } from "../server/validate.ts";
import { count, things } from "./human.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./text-width.ts";

/** What a table's columns come to on both sides, in a line, and a line for each that is another. */
export function totalsTexts({ table: id, totals }: TableValidation, paint: Paint): readonly string[] {
  if (totals === undefined) return [];
  const name = displayTable(id);
  const others = totals.columns.filter(isOther);
  const sums = totals.columns.filter(({ what }) => what === "sum");
  const ranges = totals.columns.filter(({ what }) => what === "first");
  const what = [
    ...(sums.length === 0 ? [] : [things(sums.length, "sum")]),
    ...(ranges.length === 0 ? [] : [things(ranges.length, "range")]),
  ].join(" and ");
  const rows = rowsText(totals);
  const all = `${name}  ${rows}${what === "" ? "" : `, ${what}`}: ${totals.isSame ? "the same on both sides" : "not the same"}`;
  const lines = [
    `${totals.isSame ? paint.good("totals   ") : paint.warn("totals   ")}  ${printable(all)}\n`,
    ...others.map(({ column, what: which, source, target }) => {
      const sides = `source ${source ?? "NULL"}, target ${target ?? "NULL"}`;
      return `${paint.warn("totals   ")}  ${printable(`${name}.${column}: ${which} ${sides}`)}\n`;
    }),
    ...totals.leftOut.map(
      ({ column, note }) =>
        `${paint.faint("note     ")}  ${printable(`${name}.${column} has no total: ${note}`)}\n`,
    ),
  ];
  return lines;
}

function rowsText({ rows: { source, target } }: TableTotals): string {
  return source === target
    ? things(source, "row")
    : `${things(source, "row")} of the source and ${count(target)} of the target`;
}

function isOther({ source, target }: ColumnTotals): boolean {
  return source !== target;
}

/** The same as a table of a page, with all values. */
export function totalsTable(totals: TableTotals): Html {
  const { rows } = totals;
  const counted = { column: "", what: "rows", source: count(rows.source), target: count(rows.target) };
  return table(
    [
      { title: "Column" },
      { title: "Total" },
      { title: "Source", align: "right" },
      { title: "Target", align: "right" },
      { title: "Result" },
    ],
    [counted, ...totals.columns].map(({ column, what, source, target }) => [
      column,
      what,
      source ?? "NULL",
      target ?? "NULL",
      source === target ? badge("good", "same") : badge("warn", "other"),
    ]),
  );
}
