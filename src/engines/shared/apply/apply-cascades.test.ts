import assert from "node:assert/strict";
import { test } from "node:test";
import type { TablePlan } from "../../../core/plan.ts";
import type { Column, SilentActions, TableSchema } from "../../../core/schema.ts";
import { Cascades, type CascadeTarget, type ReferringRows } from "./apply-cascades.ts";
import { rowsOfTexts } from "./row-list.ts";

type Row = (string | null)[];

interface Key extends SilentActions {
  readonly columns: readonly string[];
  readonly to: string;
  readonly referenced: readonly string[];
}

function table(
  name: string,
  columns: string,
  key: readonly number[],
  keys: readonly Key[] = [],
): TableSchema {
  const type = { kind: "int", bits: 32, unsigned: false } as const;
  return {
    id: { schema: "s", name },
    columns: [...columns].map((one): Column => ({ name: one, nativeType: "int", type, nullable: true })),
    ...{ key, rowIdentity: "key", indexes: [], checks: [], estimatedRows: 0, estimatedBytes: 0 },
    foreignKeys: keys.map(({ columns: own, to, referenced, ...silent }, i) => ({
      ...{ name: `k${i}`, columns: own, referencedColumns: referenced, native: "", validated: true, silent },
      references: { schema: "s", name: to },
    })),
  };
}

/** Tables in memory. */
class Tables implements CascadeTarget {
  readonly rows: Row[][];
  readonly cascades: Cascades;
  reads = 0;
  largest = 0;
  /** The table whose rows a trigger keeps. */
  keeps: number | undefined;
  /** Texts are equal here when what this makes of them is the same. */
  fold = (text: string | null | undefined): string | null | undefined => text;

  constructor(tables: readonly TableSchema[], rows: Row[][]) {
    this.rows = rows;
    const plans = tables.map((source): TablePlan => ({ source, target: source, loadOrder: 0 }));
    this.cascades = new Cascades(plans, this);
  }

  /** What becomes of the rows of a table that hold some texts. */
  apply(plan: number, columns: readonly number[], texts: readonly Row[], gets?: Row): Promise<void> {
    const width = 1 + Math.max(...columns);
    const rows = rowsOfTexts(width, columns, texts);
    if (gets === undefined) return this.cascades.apply({ plan, columns, rows, gets });
    const values = rowsOfTexts(width, columns, [gets]);
    const ordinals = columns.filter((_, i) => gets[i] !== texts[0]![i]);
    return this.cascades.apply({
      plan,
      columns,
      rows,
      gets: { ...values.source(0), row: values.row(0), ordinals },
    });
  }

  async read(wanted: ReferringRows, columns: readonly number[], limit: number | undefined): Promise<Row[]> {
    const hit = this.#hit(wanted);
    const found = this.rows[wanted.plan]!.filter((row) => hit(row)).slice(0, limit);
    this.reads++;
    this.largest = Math.max(this.largest, found.length);
    return found.map((row) => columns.map((ordinal) => row[ordinal]!));
  }

  async write(wanted: ReferringRows): Promise<void> {
    const hit = this.#hit(wanted);
    const { gets, plan } = wanted;
    if (plan === this.keeps) return;
    if (gets === undefined) {
      this.rows[plan] = this.rows[plan]!.filter((row) => !hit(row));
      return;
    }
    assert.notDeepEqual(gets.ordinals, [], "a statement that sets nothing");
    for (const row of this.rows[plan]!) {
      if (!hit(row)) continue;
      for (const ordinal of gets.ordinals) {
        const start = gets.cells[gets.row + 2 * ordinal]!;
        row[ordinal] =
          start < 0 ? null : gets.bytes.toString("utf8", start, gets.cells[gets.row + 2 * ordinal + 1]);
      }
    }
  }

  #hit({ columns, rows }: ReferringRows): (row: Row) => boolean {
    const wanted = new Set<string>();
    for (let i = 0; i < rows.length; i++) {
      const { bytes, cells } = rows.source(i);
      const at = (ordinal: number): number => rows.row(i) + 2 * ordinal;
      wanted.add(
        columns.map((o) => this.fold(bytes.toString("utf8", cells[at(o)], cells[at(o) + 1]))).join(),
      );
    }
    return (row) => wanted.has(columns.map((ordinal) => this.fold(row[ordinal])).join());
  }
}

test("rows in a circle all go, and no others", async () => {
  const tree = table(
    "tree",
    "iu",
    [0],
    [{ columns: ["u"], to: "tree", referenced: ["i"], onDelete: "cascade" }],
  );
  const rows: Row[] = [
    ["1", "3"],
    ["2", "1"],
    ["3", "2"],
    ["4", "3"],
    ["5", "6"],
    ["6", null],
  ];
  const tables = new Tables([tree], [rows]);
  await tables.apply(0, [1], [["3"]]);
  assert.deepEqual(tables.rows[0], [
    ["5", "6"],
    ["6", null],
  ]);
});

test("rows that lose what they refer to stay, and what refers to them stays where it does", async () => {
  const middle = table(
    "middle",
    "iu",
    [0],
    [{ columns: ["u"], to: "top", referenced: ["i"], onDelete: "set-null" }],
  );
  const low = table(
    "low",
    "im",
    [0],
    [{ columns: ["m"], to: "middle", referenced: ["i"], onDelete: "cascade" }],
  );
  const byOther = table(
    "other",
    "iu",
    [0],
    [{ columns: ["u"], to: "middle", referenced: ["u"], onUpdate: "set-null" }],
  );
  const tables = new Tables(
    [table("top", "i", [0]), middle, low, byOther],
    [
      [],
      [
        ["1", "9"],
        ["2", "8"],
      ],
      [["5", "1"]],
      [
        ["6", "9"],
        ["7", "8"],
      ],
    ],
  );
  await tables.cascades.apply({
    ...{ plan: 1, columns: [1], rows: rowsOfTexts(2, [1], [["9"]]) },
    gets: { bytes: Buffer.alloc(0), cells: Int32Array.of(-2, -1, -1, -1), row: 0, ordinals: [1] },
  });
  assert.deepEqual(tables.rows[1], [
    ["1", null],
    ["2", "8"],
  ]);
  assert.deepEqual(tables.rows[2], [["5", "1"]]);
  assert.deepEqual(tables.rows[3], [
    ["6", null],
    ["7", "8"],
  ]);
});

test("a new value goes down through keys of several columns, and only into those that it is of", async () => {
  const up = (columns: string[], to: string, referenced: string[]): Key => ({
    ...{ columns, to, referenced, onUpdate: "cascade" },
  });
  const shop = table("shop", "rn", [0, 1], [up(["r"], "region", ["i"])]);
  const sale = table("sale", "isr", [0], [up(["r", "s"], "shop", ["r", "n"])]);
  const byOther = table("other", "in", [0], [up(["n"], "shop", ["n"])]);
  const tables = new Tables(
    [table("region", "i", [0]), shop, sale, byOther],
    [
      [],
      [
        ["1", "7"],
        ["1", "8"],
        ["2", "7"],
      ],
      [
        ["10", "7", "1"],
        ["11", "8", "1"],
        ["12", "7", "2"],
        ["13", null, "1"],
      ],
      [["20", "7"]],
    ],
  );
  await tables.apply(1, [0], [["1"]], ["3"]);
  assert.deepEqual(tables.rows[1], [
    ["3", "7"],
    ["3", "8"],
    ["2", "7"],
  ]);
  assert.deepEqual(tables.rows[2], [
    ["10", "7", "3"],
    ["11", "8", "3"],
    ["12", "7", "2"],
    ["13", null, "1"],
  ]);
  assert.deepEqual(tables.rows[3], [["20", "7"]]);
});

test("rows lose what goes by itself, and what is NULL is referred to by nobody", async () => {
  const key = (onDelete: "cascade" | "set-null"): Key => ({
    ...{ columns: ["c"], to: "middle", referenced: ["c"], onDelete },
  });
  const tables = new Tables(
    [
      table("top", "i", [0]),
      table("middle", "iuc", [0], [{ columns: ["u"], to: "top", referenced: ["i"], onDelete: "cascade" }]),
      table("kept", "ic", [0], [key("set-null")]),
      table("low", "ic", [0], [key("cascade")]),
    ],
    [
      [],
      [
        ["1", "9", "x"],
        ["2", "9", null],
      ],
      [
        ["3", "x"],
        ["4", "y"],
      ],
      [
        ["5", "x"],
        ["6", null],
      ],
    ],
  );
  await tables.apply(1, [1], [["9"]]);
  assert.deepEqual(tables.rows.slice(1), [
    [],
    [
      ["3", null],
      ["4", "y"],
    ],
    [["6", null]],
  ]);
});

test("many rows are looked at in parts, and none where nothing refers to them", async () => {
  const key = (to: string): Key => ({ columns: ["u"], to, referenced: ["i"], onDelete: "cascade" });
  const count = 12_000;
  const middle = Array.from({ length: count }, (_, i): Row => [String(i), "1"]);
  const low = Array.from({ length: count }, (_, i): Row => [String(i), String(i)]);
  const tables = new Tables(
    [
      table("top", "i", [0]),
      table("middle", "iu", [0], [key("top")]),
      table("low", "iu", [0], [key("middle")]),
    ],
    [[], [...middle, ["x", "2"]], [...low, ["x", "x"]]],
  );
  await tables.apply(1, [1], [["1"]]);
  assert.deepEqual(tables.rows, [[], [["x", "2"]], [["x", "x"]]]);
  assert.deepEqual([tables.reads, tables.largest], [2, 10_000]);
});

test("rows that are still found once they hold their new value are changed once", async () => {
  const key = (to: string): Key => ({ columns: ["u"], to, referenced: ["u"], onUpdate: "cascade" });
  const middle = table("middle", "iu", [0], [key("top")]);
  const low = table("low", "iu", [0], [key("middle")]);
  const rows = Array.from({ length: 12_000 }, (_, i): Row => [String(i), "a"]);
  const tables = new Tables([table("top", "iu", [0]), middle, low], [[], rows, [["1", "a"]]]);
  tables.fold = (text) => text?.toLowerCase() ?? null;
  await tables.apply(1, [1], [["a"]], ["A"]);
  assert.ok(tables.rows[1]!.every(([, u]) => u === "A"));
  assert.deepEqual([tables.rows[2], tables.reads], [[["1", "A"]], 1]);
});

test("rows of tables that are left alone stay, and so do those that refer to them", async () => {
  const key = (to: string): Key => ({ columns: ["u"], to, referenced: ["i"], onDelete: "cascade" });
  const names = [table("top", "i", [0]), table("middle", "iu", [0], [key("top")])];
  const tables = new Tables(
    [
      ...[...names, table("low", "iu", [0], [key("middle")]), table("side", "iu", [0], [key("middle")])],
      table("deep", "iu", [0], [key("side")]),
    ],
    [[], [["1", "9"]], [["2", "1"]], [["3", "1"]], [["4", "3"]]],
  );
  await tables.cascades.apply({
    ...{ plan: 1, columns: [1], rows: rowsOfTexts(2, [1], [["9"]]), gets: undefined },
    untouched: new Set([2, 4]),
  });
  assert.deepEqual(tables.rows, [[], [], [["2", "1"]], [], [["4", "3"]]]);
});

test("rows that the target keeps end it, however many they are", async () => {
  const key = { columns: ["u"], to: "top", referenced: ["i"], onDelete: "cascade" } as const;
  const middle = table("middle", "iu", [0], [key]);
  const low = table("low", "iu", [0], [{ ...key, to: "middle" }]);
  const rows = Array.from({ length: 25_000 }, (_, i): Row => [String(i), "1"]);
  const tables = new Tables([middle, low], [rows, []]);
  tables.keeps = 0;
  await assert.rejects(tables.apply(0, [1], [["1"]]), { code: "apply.rejected", table: middle.id });
});
