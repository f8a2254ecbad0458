import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { bodies, firstBytes, frame, mappedRows, numbers } from "../../../test/support/copy-rows.ts";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import type { TablePlan } from "../../core/plan.ts";
import type { LogicalType } from "../../core/schema.ts";
import { BulkRows } from "./bulk-rows.ts";
import { makesRows, readOrdinals } from "./row-needs.ts";

type Row = readonly (string | null)[];

const SPECIAL = [
  "\\",
  "\t",
  "\n",
  "\b",
  "\f",
  "\r",
  "\v",
  "N",
  "\\N",
  "",
  "7",
  "ä",
  "€",
  "🜨",
  "abc",
  "x1y22",
];
const LETTERS: Readonly<Record<string, string>> = {
  ...{ "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\b": "\\b", "\f": "\\f", "\r": "\\r", "\v": "\\v" },
};

function written(row: Row): string {
  const cells = row.map((cell) =>
    cell === null ? "\\N" : cell.replaceAll(/[\\\t\n\b\f\r\v]/g, (c) => LETTERS[c]!),
  );
  return `${cells.join("\t")}\n`;
}

/** Rows of the plan's read columns through it. */
function through(plan: TablePlan, rows: readonly Row[], pick: (n: number) => number): string {
  return throughMapper(new BulkRows(plan), { plan, rows, pick });
}

interface Through {
  readonly plan: TablePlan;
  readonly rows: readonly Row[];
  readonly pick: (n: number) => number;
}

function throughMapper(mapper: BulkRows, { plan, rows, pick }: Through): string {
  const ordinals = readOrdinals(plan);
  const bytes = rows.map((row) => Buffer.from(written(ordinals.map((ordinal) => row[ordinal]!))));
  return mappedRows(bytes, { mapper, pick }).toString("utf8");
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

test("rows are what the plan's columns say, whatever is in them and wherever they are cut", () => {
  const pick = numbers(7);
  for (let round = 0; round < 300; round++) {
    const width = pick(5);
    const types: LogicalType[] = Array.from({ length: width }, () => TEXT);
    const count = 1 + pick(6);
    const columns = Array.from({ length: count }, (): Parameters<typeof mappedPlan>[0]["columns"][number] => {
      const ordinal = pick(width);
      const kind = width === 0 ? 5 + pick(2) : pick(7);
      const cut = pick(2) === 0 ? {} : { cut: 1 + pick(6) };
      if (kind < 2) return { kind: "column", ordinal, ...cut };
      if (kind === 2)
        return { kind: "column", ordinal, ...cut, mask: { kind: "digits", by: pick(2) === 0 ? 0x23 : 0x5c } };
      if (kind === 3) return { kind: "column", ordinal, mask: { kind: "hash" } };
      if (kind === 4) {
        const inputs = [
          { kind: "column" as const, ordinal },
          { kind: "column" as const, ordinal: pick(width) },
        ];
        return { kind: "expression", expression: { sql: "?2 || '?1' || ?1", inputs } };
      }
      if (kind === 5)
        return {
          kind: "expression",
          expression: { sql: "'a' || ?1", inputs: [{ kind: "constant", value: "\t" }] },
        };
      return { kind: "before", ordinal: 0, type: TEXT };
    });
    const plan = mappedPlan({ reads: types, columns });
    const rows = Array.from({ length: pick(12) }, () =>
      types.map(() =>
        pick(6) === 0 ? null : Array.from({ length: pick(4) }, () => SPECIAL[pick(SPECIAL.length)]!).join(""),
      ),
    );
    let cuts = 0;
    const expected = rows.map((row) =>
      written(
        columns.map((origin) => {
          if (origin.kind === "before") return null;
          if (origin.kind === "column") {
            const value = row[origin.ordinal]!;
            const cell = value === null ? null : firstBytes(value, origin.cut ?? Infinity);
            if (cell !== value) cuts++;
            if (cell === null || origin.mask === undefined) return cell;
            if (origin.mask.kind === "hash") return hash(cell);
            assert.equal(origin.mask.kind, "digits");
            const by = String.fromCharCode((origin.mask as { by: number }).by);
            return cell.replaceAll(/\d/g, () => by);
          }
          const [first, second] = origin.expression.inputs;
          if (first!.kind === "constant") return "a\t";
          const a = row[(first as { ordinal: number }).ordinal]!;
          const b = row[(second as { ordinal: number }).ordinal]!;
          return a === null || b === null ? null : `${b}?1${a}`;
        }),
      ),
    );
    const mapper = new BulkRows(plan);
    assert.equal(throughMapper(mapper, { plan, rows, pick }), expected.join(""), `round ${round}`);
    assert.equal(mapper.cuts, cuts, `round ${round}`);
  }
});

test("a value that only passes, or has its digits masked, is not waited for", () => {
  const plan = mappedPlan({
    reads: [TEXT, TEXT],
    columns: [
      { kind: "column", ordinal: 0 },
      { kind: "column", ordinal: 1, mask: { kind: "digits", by: 0x2a } },
    ],
  });
  const mapper = new BulkRows(plan);
  const header = frame(Buffer.alloc(0)).subarray(0, 5);
  header.writeUInt32BE(1 << 20, 1);
  assert.equal(mapper.map({ bytes: header, rows: 0 }), undefined);
  const passed = mapper.map({ bytes: Buffer.from("abc"), rows: 0 });
  assert.equal(String(bodies([passed!.bytes])), "abc");
  const masked = mapper.map({ bytes: Buffer.from("d\t1x2"), rows: 0 });
  assert.equal(String(bodies([masked!.bytes])), "d\t*x*");
});

test("a value that is to be cut off is an error of the table where none may be", () => {
  const cut = mappedPlan({ reads: [TEXT], columns: [{ kind: "column", ordinal: 0, cut: 3 }] });
  const plan = { ...cut, rows: { ...cut.rows, refusesCuts: true as const } };
  assert.equal(through(plan, [["abc"]], numbers(1)), "abc\n");
  assert.throws(() => through(plan, [["abc"], ["abcd"]], numbers(1)), {
    code: "mapping.value_cut",
    scope: "table",
    message: /^A value of the column c0 is longer than large objects may be/,
  });
});

test("bytes are cut off after whole ones, in their text form", () => {
  const reads = [{ kind: "bytes", fixed: false } as const];
  const plan = mappedPlan({ reads, columns: [{ kind: "column", ordinal: 0, cut: 2 }] });
  const rows = ["\\x", "\\x00ff", "\\x00ff01", null].map((value) => [value]);
  assert.equal(through(plan, rows, numbers(2)), "\\\\x\n\\\\x00ff\n\\\\x00ff\n\\N\n");
});

test("a long value is hashed without being kept, wherever it is cut", () => {
  const plan = mappedPlan({
    reads: [TEXT],
    columns: [{ kind: "column", ordinal: 0, mask: { kind: "hash" } }],
  });
  const pick = numbers(5);
  const long = ["\\", "a\\", "\t€", "x"].map((piece) => piece.repeat(40_000));
  const text = through(
    plan,
    [...long, `x${long[0]}`].map((value) => [value]),
    (n) => (n === 400 ? pick(4_000) : pick(n)),
  );
  assert.equal(text, [...long, `x${long[0]}`].map((value) => `${hash(value)}\n`).join(""));
});

test("digits become others at random, and everything else stays", () => {
  const plan = mappedPlan({
    reads: [TEXT],
    columns: [{ kind: "column", ordinal: 0, mask: { kind: "random-digits" } }],
  });
  const pick = numbers(1);
  const text = through(plan, [["0".repeat(5_000)], ["a-1"], [null]], pick);
  assert.match(text, /^\d{5000}\na-\d\n\\N\n$/);
  const counts = Array.from(
    { length: 10 },
    (_, digit) => text.slice(0, 5_000).split(String(digit)).length - 1,
  );
  for (const count of counts) assert.ok(count > 350 && count < 650, `${counts}`);
});

test("a full load is an insert whose headers the log does not tell of", () => {
  const header = (
    name: "operation" | "operation-letter" | "stream-position" | "change-seq" | "timestamp" | "user",
  ) => ({ kind: "expression", expression: { sql: "?1", inputs: [{ kind: "header", name }] } }) as const;
  const plan = mappedPlan({
    reads: [INT],
    columns: [
      { kind: "column", ordinal: 0 },
      ...[header("operation"), header("operation-letter"), header("stream-position"), header("change-seq")],
      ...[header("user"), header("timestamp")],
    ],
  });
  const text = through(plan, [["1"]], numbers(3));
  assert.match(text, /^1\tINSERT\tI\t\t\t\\N\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\n$/);
});

test("only columns in another order, and values that are made, keep rows from passing as they are read", () => {
  const reads = [INT, TEXT, TEXT];
  const plan = (...columns: Parameters<typeof mappedPlan>[0]["columns"]) => mappedPlan({ reads, columns });
  assert.equal(makesRows(plan({ kind: "column", ordinal: 0 }, { kind: "column", ordinal: 2 })), false);
  assert.equal(makesRows(plan({ kind: "column", ordinal: 2 }, { kind: "column", ordinal: 0 })), true);
  assert.equal(makesRows(plan({ kind: "column", ordinal: 0 }, { kind: "before", ordinal: 0 })), true);
  assert.equal(makesRows(plan({ kind: "column", ordinal: 0, mask: { kind: "hash" } })), true);
});
