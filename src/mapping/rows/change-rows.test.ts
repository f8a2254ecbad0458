import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, EQ_A, hash, mappedChange } from "../../../test/support/mapped-changes.ts";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import {
  changesOf,
  type WrittenChange,
  type WrittenRow,
  writtenBatch,
} from "../../../test/support/written-changes.ts";
import { type ChangeBatch, Op } from "../../core/change-batch.ts";
import type { ChangeHeader, ColumnOrigin } from "../../core/plan.ts";
import { ChangeRows } from "./change-rows.ts";

type Row = readonly (string | null)[];

function numbers(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** What becomes of a whole row; undefined when the filter does not take it. */
function wanted(row: Row, isFiltered: boolean): Row | undefined {
  if (isFiltered && row[1] !== "a" && row[2] !== null) return undefined;
  const [id, a, b] = row;
  const both = a == null || b == null ? null : `${b}/${a}`;
  return [b!, id!, a == null ? null : hash(a), both, b == null ? null : b.replaceAll(/\d/g, "#")];
}

/** A target of the contract that appliers keep: exact changes fit, converging ones find their work done or undone. */
class Target {
  readonly rows = new Map<string, WrittenRow>();
  conflicts = 0;

  apply(batch: ChangeBatch): void {
    assert.equal(batch.misfits, undefined);
    for (const [t, changes] of changesOf(batch).entries()) {
      const converges = batch.converging?.some(({ transaction }) => transaction === t) === true;
      for (const change of changes) this.#apply(change, converges);
    }
  }

  #apply({ op, before, after }: Required<WrittenChange>, converges: boolean): void {
    const [, oldKey = after[1]] = before;
    const old = this.rows.get(oldKey!);
    if (!converges && (op === Op.insert) === (old !== undefined)) this.conflicts++;
    if (op === Op.update && old === undefined && after.includes(undefined)) this.conflicts++;
    if (op !== Op.insert) this.rows.delete(oldKey!);
    if (op === Op.delete || (op === Op.update && old === undefined && !converges)) return;
    this.rows.set(
      after[1]!,
      after.map((value, i) => (value === undefined ? old![i] : value)),
    );
  }
}

test("applied changes leave on the target what the rules make of the rows that the source ends with", () => {
  const pick = numbers(11);
  const value = (): string | null => ["a", "b", "a1", null][pick(4)]!;
  for (const rowIdentity of ["key", "full"] as const) {
    for (const isFiltered of [false, true]) {
      for (let round = 0; round < 60; round++) {
        const filter = isFiltered ? { filter: EQ_A } : {};
        const plan = mappedPlan({
          reads: [INT, TEXT, TEXT],
          columns: COLUMNS,
          rowIdentity,
          planKey: [1],
          ...filter,
        });
        const rows = new Map<string, Row>();
        let last = 100;
        const change = (): WrittenChange => {
          const old = [...rows.values()][pick(rows.size || 1)];
          const kind = old === undefined ? 0 : pick(4);
          if (kind === 0 || old === undefined) {
            const row = [String(++last), value(), value()];
            rows.set(row[0]!, row);
            return { op: Op.insert, after: row };
          }
          const id = old[0]!;
          const before = rowIdentity === "full" ? old : [id, null, null];
          rows.delete(id);
          if (kind === 1) return { op: Op.delete, before };
          const row = [kind === 2 ? String(++last) : id, value(), value()];
          rows.set(row[0]!, row);
          const tells = kind === 2 || rowIdentity === "full";
          return { op: Op.update, ...(tells ? { before } : {}), after: row };
        };
        const transactions = Array.from({ length: 1 + pick(4) }, () =>
          Array.from({ length: pick(12) }, change),
        );
        const target = new Target();
        target.apply(new ChangeRows([plan]).map(writtenBatch([plan.rows.reads], transactions)));
        const left = [...rows.values()].flatMap((row) => {
          const made = wanted(row, isFiltered);
          return made === undefined ? [] : [made];
        });
        const byKey = (a: WrittenRow, b: WrittenRow): number => Number(a[1]) - Number(b[1]);
        assert.deepEqual([...target.rows.values()].sort(byKey), left.toSorted(byKey), `round ${round}`);
        assert.equal(target.conflicts, 0, `round ${round}`);
      }
    }
  }
});

test("a batch without tables that have rules of rows is passed on itself", () => {
  const plan = mappedPlan({ reads: [INT], columns: [{ kind: "column", ordinal: 0 }] });
  const other = { ...plan.rows.reads, id: { schema: "s", name: "other" } };
  const batch = writtenBatch([other], [[{ op: Op.insert, after: ["1"] }]]);
  assert.equal(new ChangeRows([plan]).map(batch), batch);
  const both = writtenBatch([other, plan.rows.reads], [[{ op: Op.insert, after: ["1"] }]]);
  const mappedBatch = new ChangeRows([plan]).map(both);
  assert.equal(mappedBatch.cells, both.cells);
  assert.deepEqual(mappedBatch.tables, [other, plan.source]);
});

test("other tables' rows, and transactions that change nothing, stay among the mapped ones", () => {
  const plan = mappedPlan({
    ...{ reads: [INT, TEXT], columns: [{ kind: "column", ordinal: 0 }] },
    filter: [[{ column: 1, conditions: [{ operator: "eq", value: "x" }] }]],
  });
  const other = { ...plan.rows.reads, id: { schema: "s", name: "other" } };
  const batch = writtenBatch(
    [plan.rows.reads, other],
    [
      [{ op: Op.insert, after: ["1", "y"] }],
      [
        { op: Op.insert, table: 1, after: ["5", "o"] },
        { op: Op.insert, after: ["2", "x"] },
        { op: Op.truncate, table: 0 },
      ],
    ],
  );
  const result = new ChangeRows([plan]).map(batch);
  const brief = changesOf(result).map((changes) =>
    changes.map(({ op, table, after }) => [op, table, ...after]),
  );
  assert.deepEqual(brief, [
    [],
    [
      [Op.insert, 1, "5", "o"],
      [Op.insert, 0, "2"],
      [Op.truncate, 0],
    ],
  ]);
  assert.deepEqual(
    result.transactions.map(({ position, committedAtMs, commits }) => [
      position.text,
      committedAtMs,
      commits,
    ]),
    [
      ["1", 1000, true],
      ["2", 2000, true],
    ],
  );
});

test("a row before shows in columns of its own, where the source tells it", () => {
  const columns: readonly ColumnOrigin[] = [
    { kind: "column", ordinal: 0 },
    { kind: "column", ordinal: 1 },
    { kind: "before", ordinal: 0 },
    { kind: "before", ordinal: 1 },
    {
      kind: "expression",
      expression: { sql: "coalesce(?1, 'none')", inputs: [{ kind: "before", ordinal: 1 }] },
    },
  ];
  const full = mappedPlan({ reads: [INT, TEXT], columns, rowIdentity: "full" });
  assert.deepEqual(mappedChange(full, { op: Op.insert, after: ["1", "a"] })!.after, [
    "1",
    "a",
    null,
    null,
    "none",
  ]);
  const update = mappedChange(full, { op: Op.update, before: ["1", "a"], after: ["2", "b"] })!;
  assert.deepEqual(update.after, ["2", "b", "1", "a", "a"]);
  assert.equal(update.before[0], "1");
  const keyed = mappedPlan({ reads: [INT, TEXT], columns });
  assert.deepEqual(mappedChange(keyed, { op: Op.update, after: ["1", "b"] })!.after, [
    "1",
    "b",
    "1",
    null,
    "none",
  ]);
});

test("headers tell of the change", () => {
  const names: readonly ChangeHeader[] = ["operation", "stream-position", "commit-timestamp", "user"];
  const header = (name: ChangeHeader): ColumnOrigin => {
    return { kind: "expression", expression: { sql: "?1", inputs: [{ kind: "header", name }] } };
  };
  const told = mappedPlan({
    reads: [INT, TEXT],
    columns: [{ kind: "column", ordinal: 0 }, ...names.map(header)],
  });
  const change = mappedChange(told, { op: Op.update, after: ["1", "x"] })!;
  assert.deepEqual(change.after, ["1", "UPDATE", "1", "1970-01-01 00:00:01.000", null]);
  const numbered = mappedPlan({
    reads: [INT],
    columns: [{ kind: "column", ordinal: 0 }, header("change-seq")],
  });
  const rows = new ChangeRows([numbered]);
  const batch = writtenBatch(
    [numbered.rows.reads],
    [[1, 2, 3].map((id) => ({ op: Op.insert, after: [`${id}`] }))],
  );
  const numbersGiven = changesOf(rows.map(batch))[0]!.map(({ after }) => after[1]!);
  for (const number of numbersGiven) assert.match(number, /^1970010100000100\d{19}$/);
  assert.deepEqual([...new Set(numbersGiven)].sort(), numbersGiven);
});
