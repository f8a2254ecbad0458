import assert from "node:assert/strict";
import { test } from "node:test";
import { CopyFrames } from "../../../core/copy-frames.ts";
import { CellForm } from "../values/cell-text.ts";
import { LoadForm, LoadText } from "./load-text.ts";

interface TestColumn {
  readonly form: number;
  readonly cell?: number;
}

const plain: TestColumn = { form: LoadForm.plain };

function frames(rows: readonly string[]): Buffer {
  return Buffer.concat(
    rows.map((row) => {
      const body = Buffer.from(row, "latin1");
      const head = Buffer.alloc(5);
      head.write("d");
      head.writeInt32BE(4 + body.length, 1);
      return Buffer.concat([head, body]);
    }),
  );
}

/** What comes out when the frames are cut after every so many bytes. */
function transcribe(columns: readonly TestColumn[], rows: readonly string[], step: number): string {
  const text = new LoadText(
    Uint8Array.from(columns, ({ form }) => form),
    Uint8Array.from(columns, ({ cell = CellForm.text }) => cell),
  );
  const walk = new CopyFrames();
  const bytes = frames(rows);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    const chunk = bytes.subarray(at, at + step);
    text.begin(chunk.length);
    walk.walk(chunk, text);
    pieces.push(Buffer.from(text.output()));
  }
  assert(walk.whole);
  return Buffer.concat(pieces).toString("latin1");
}

const situations: readonly {
  readonly name: string;
  readonly columns: readonly TestColumn[];
  readonly rows: readonly string[];
  readonly expected: string;
}[] = [
  {
    name: "plain cells keep the escapes that both sides know",
    columns: [plain, plain],
    rows: ["1\ta\\tb\\\\c\\N\n", "\\N\t\\f\\v\\r\\n\n", "\t\n"],
    expected: "1\ta\\tb\\\\c\\N\n\\N\t\f\v\\r\\n\n\t\n",
  },
  {
    name: "texts that spaces fill up end without them",
    columns: [{ form: LoadForm.whole, cell: CellForm.trimmed }, plain],
    rows: ["a b  \tx \n", "    \t \n", "\\t\\\\ \\f \tx\n", "\\N\tx\n"],
    expected: "a b\tx \n\t \n\\t\\\\ \f\tx\n\\N\tx\n",
  },
  {
    name: "truth values are numbers or words",
    columns: [{ form: LoadForm.truth }, { form: LoadForm.truthText }, plain],
    rows: ["t\tt\tx\n", "f\tf\t\\f\n", "\\N\t\\N\t\\N\n"],
    expected: "1\ttrue\tx\n0\tfalse\t\f\n\\N\t\\N\t\\N\n",
  },
  {
    name: "bytes are written as they are, but for those that mean something",
    columns: [{ form: LoadForm.bytes, cell: CellForm.bytes }, plain],
    rows: ["\\\\x\t1\n", "\\\\x00095c0a0dff41\t2\n", "\\N\t3\n"],
    expected: "\t1\n\0\\t\\\\\\n\r\xffA\t2\n\\N\t3\n",
  },
  {
    name: "bits are the bytes of their number",
    columns: [{ form: LoadForm.whole, cell: CellForm.bits }],
    rows: ["000011110000\n", "01011100\n", "\\N\n"],
    expected: "\x00\xf0\n\\\\\n\\N\n",
  },
  {
    name: "moments are in UTC, and infinite ones are left to the server",
    columns: [{ form: LoadForm.whole, cell: CellForm.moment }, plain],
    rows: ["2026-01-01 00:30:00+01\ta\n", "2026-01-01 00:00:00.5+00\tb\n", "infinity\tc\n", "\\N\td\n"],
    expected: "2025-12-31 23:30:00\ta\n2026-01-01 00:00:00.5\tb\ninfinity\tc\n\\N\td\n",
  },
  {
    name: "numbers that mean something else as a text are written in full",
    columns: [
      { form: LoadForm.whole, cell: CellForm.shortest },
      { form: LoadForm.whole, cell: CellForm.year },
      plain,
    ],
    rows: ["3.4028235e+38\t0\ta\n", "-1.5\t2026\tb\n", "\\N\t\\N\tc\n"],
    expected: "3.4028234663852886e+38\t0000\ta\n-1.5\t2026\tb\n\\N\t\\N\tc\n",
  },
  {
    name: "a geometry has its SRID in front of what follows",
    columns: [{ form: LoadForm.whole, cell: CellForm.geometry }, plain],
    rows: ["\\\\x0101000020e6100000000000000000f03f0000000000000040\t1\n", "\\N\t2\n"],
    expected: "\xe6\x10\0\0\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@\t1\n\\N\t2\n",
  },
];

for (const { name, columns, rows, expected } of situations) {
  test(`${name}, wherever the chunks are cut`, () => {
    for (const step of [1, 2, 3, 5, 7, 16, 1 << 20]) {
      assert.equal(transcribe(columns, rows, step), expected, `cut after every ${step} bytes`);
    }
  });
}

test("a cell that is longer than any buffer comes through in pieces", () => {
  const digits = "41".repeat(100_000);
  const columns = [{ form: LoadForm.bytes, cell: CellForm.bytes }];
  assert.equal(transcribe(columns, [`\\\\x${digits}\n`], 4096), `${"A".repeat(100_000)}\n`);
  const held = [{ form: LoadForm.whole, cell: CellForm.geometry }];
  const wkb = `0101000000${"00".repeat(20_000)}`;
  assert.equal(transcribe(held, [`\\\\x${wkb}\n`], 4096).length, 4 + 5 + 20_000 + 1);
});

test("many cells that become longer come through whole", () => {
  const cells = [
    { form: LoadForm.whole, cell: CellForm.year, from: "0", to: "0000" },
    { form: LoadForm.whole, cell: CellForm.shortest, from: "3.4028235e+38", to: "3.4028234663852886e+38" },
    { form: LoadForm.truthText, from: "f", to: "false" },
  ];
  const ids = Array.from({ length: 1_000 }, (_, i) => i);
  for (const { from, to, ...column } of cells) {
    const rows = ids.map((id) => `${from}\t${id}\n`);
    const expected = ids.map((id) => `${to}\t${id}\n`).join("");
    assert.equal(transcribe([column, plain], rows, 1 << 20), expected, from);
    const pair = ids.map(() => `${from}\t${from}\n`);
    assert.equal(transcribe([column, column], pair, 4096), `${to}\t${to}\n`.repeat(1_000), from);
  }
});
