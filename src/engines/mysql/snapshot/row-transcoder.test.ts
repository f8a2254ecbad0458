import assert from "node:assert/strict";
import { test } from "node:test";
import { packetsOf, resultRow, transcode } from "../../../../test/support/mysql-rows.ts";
import type { RowChunk } from "../../../core/row-chunk.ts";
import { ZeroDateRule, type ZeroDates } from "../values/zero-dates.ts";
import { BinaryForm } from "./binary-form.ts";
import { Cell, type ReadColumn } from "./read-columns.ts";
import { RowTranscoder } from "./row-transcoder.ts";
import { TextForm } from "./text-form.ts";

const TABLE = { schema: "shop", name: "t" };
const EOF_PACKET = Buffer.from([5, 0, 0, 9, 0xfe, 0, 0, 2, 0]);

function column(cell: Cell, more: Partial<ReadColumn> = {}): ReadColumn {
  const type = { kind: "opaque" } as const;
  const plain = { name: "c", expression: "`c`", cell, length: 0, nullable: true, isChecked: false };
  return { ...plain, type, nativeType: "", ...more };
}

function transcoder(columns: readonly ReadColumn[], policy: ZeroDates = "null"): RowTranscoder {
  return new RowTranscoder(new TextForm(columns, new ZeroDateRule(TABLE, columns, policy)));
}

/** What a chunk of COPY's text says, without its frame. */
function textOf({ bytes }: RowChunk): string {
  return Buffer.from(bytes).subarray(5).toString();
}

/** COPY's text of one cell. */
function cell(
  kind: Cell,
  value: Buffer | string | null,
  more: Partial<ReadColumn> = {},
  policy?: ZeroDates,
): string {
  const rows = Buffer.concat([packetsOf(resultRow([value])), EOF_PACKET]);
  const columns = [column(kind, more)];
  const rule = new ZeroDateRule(TABLE, columns, policy ?? "null");
  const { text } = transcode(new RowTranscoder(new TextForm(columns, rule)), [rows]);
  if (rule.error !== undefined) throw rule.error;
  assert.equal(text.at(-1), "\n");
  return text.slice(0, -1);
}

test("texts are escaped as COPY wants it, and NULL is not an empty text", () => {
  assert.equal(
    cell(Cell.text, "a\\b\tc\nd\re\bf\fg\vh\x01\x7fü€😀"),
    "a\\\\b\\tc\\nd\\re\\bf\\fg\\vh\x01\x7fü€😀",
  );
  assert.equal(cell(Cell.text, ""), "");
  assert.equal(cell(Cell.text, null), "\\N");
  assert.equal(cell(Cell.text, "\\N"), "\\\\N");
  const long = "x".repeat(100);
  assert.equal(cell(Cell.text, `${long}\n${long}\t\t${long}\\`), `${long}\\n${long}\\t\\t${long}\\\\`);
});

test("numbers lose what ZEROFILL puts before them, and get the sign of an exponent", () => {
  assert.equal(cell(Cell.copied, "-9223372036854775808"), "-9223372036854775808");
  assert.equal(cell(Cell.number, "0000000042"), "42");
  assert.equal(cell(Cell.number, "0000"), "0");
  assert.equal(cell(Cell.number, "000.50"), "0.50");
  assert.equal(cell(Cell.double, "1e20"), "1e+20");
  assert.equal(cell(Cell.double, "-2.5e-7"), "-2.5e-7");
  assert.equal(cell(Cell.float, "1.100000023841858"), "1.1");
});

test("bytes, bits, booleans and geometries come in their own forms", () => {
  assert.equal(cell(Cell.hex, Buffer.from([0, 0x0a, 0xff])), "\\\\x000aff");
  assert.equal(cell(Cell.hex, Buffer.alloc(0)), "\\\\x");
  assert.equal(cell(Cell.bits, Buffer.from([0x02, 0x81]), { length: 10 }), "1010000001");
  assert.equal(cell(Cell.bits, Buffer.from([1]), { length: 1 }), "1");
  assert.equal(cell(Cell.boolean, "0"), "f");
  assert.equal(cell(Cell.boolean, "-1"), "t");
  const point = "0101000000000000000000f03f0000000000000040";
  assert.equal(cell(Cell.geometry, Buffer.from(`00000000${point}`, "hex")), `\\\\x${point}`);
  assert.equal(
    cell(Cell.geometry, Buffer.from(`e6100000${point}`, "hex")),
    `\\\\x0101000020e6100000${point.slice(10)}`,
  );
});

test("times lose the zeros of their fraction, and get the zone where they have one", () => {
  assert.equal(cell(Cell.date, "2026-02-28"), "2026-02-28");
  assert.equal(cell(Cell.date, "2024-02-29 23:59:59.500000"), "2024-02-29 23:59:59.5");
  assert.equal(cell(Cell.date, "2024-01-31 00:00:00.000"), "2024-01-31 00:00:00");
  assert.equal(cell(Cell.date, "2024-01-31 10:20:30"), "2024-01-31 10:20:30");
  assert.equal(cell(Cell.zonedDate, "2024-01-31 10:20:30.000001"), "2024-01-31 10:20:30.000001+00");
  assert.equal(cell(Cell.date, "0000-03-01"), "0001-03-01 BC");
  assert.equal(cell(Cell.date, "0000-03-01 00:00:00"), "0001-03-01 00:00:00 BC");
  assert.equal(cell(Cell.time, "-838:59:59.000000"), "-838:59:59");
  assert.equal(cell(Cell.time, "838:59:58.120"), "838:59:58.12");
  assert.equal(cell(Cell.time, "00:00:10"), "00:00:10");
});

test("a date that no calendar has is NULL, an error or the epoch, and is counted", () => {
  for (const date of ["0000-00-00", "2026-00-10", "2026-10-00", "2026-02-29", "1900-02-29", "2026-04-31"]) {
    assert.equal(cell(Cell.date, date), "\\N");
    assert.equal(cell(Cell.date, date, {}, "epoch"), "1970-01-01");
    assert.throws(() => cell(Cell.date, date, {}, "error"), { code: "source.zero_date", table: TABLE });
    assert.throws(() => cell(Cell.date, date, { nullable: false }), {
      code: "source.zero_date",
      table: TABLE,
    });
  }
  assert.equal(cell(Cell.date, "2000-02-29"), "2000-02-29");
  assert.equal(cell(Cell.date, "0000-00-00 00:00:00.000", {}, "epoch"), "1970-01-01 00:00:00");
  assert.equal(cell(Cell.zonedDate, "0000-00-00 00:00:00", {}, "epoch"), "1970-01-01 00:00:00+00");
  const columns = [column(Cell.date)];
  const rule = new ZeroDateRule(TABLE, columns, "null");
  transcode(new RowTranscoder(new TextForm(columns, rule)), [
    Buffer.concat([packetsOf(resultRow(["0000-00-00"])), EOF_PACKET]),
  ]);
  assert.equal(rule.count, 1);
});

test("rows of any size come the same wherever the bytes are cut, in chunks of bounded size", () => {
  const columns = [Cell.copied, Cell.text, Cell.hex, Cell.date, Cell.geometry, Cell.text].map((kind) =>
    column(kind),
  );
  const text = `${"ab\tc\\".repeat(70_000)}\n`;
  const bytes = Buffer.alloc(17_000_000, "0123456789\n");
  const rows = [
    ["1", "short", Buffer.from([1, 2]), "2026-01-01", Buffer.alloc(25, 1), null],
    ["2", text, Buffer.alloc(300, 7), "2026-01-02 00:00:00.10", Buffer.alloc(80_000, 1), "end"],
    ["3", null, bytes, null, null, ""],
    ["4", "", Buffer.alloc(0), "2026-01-03", Buffer.alloc(25, 1), "y".repeat(70_000)],
  ];
  const stream = Buffer.concat([...rows.map((row) => packetsOf(resultRow(row))), EOF_PACKET]);
  const whole = transcode(transcoder(columns), [stream]);
  assert.equal(whole.rows, 4);
  assert(whole.largest < 1_000_000);
  const lines = whole.text.split("\n");
  assert.equal(lines.length, 5);
  assert.equal(lines[0], `1\tshort\t\\\\x0102\t2026-01-01\t\\\\x${expectedGeometry(25)}\t\\N`);
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n");
  assert.equal(
    lines[1],
    `2\t${escaped}\t\\\\x${"07".repeat(300)}\t2026-01-02 00:00:00.1\t\\\\x${expectedGeometry(80_000)}\tend`,
  );
  assert.equal(lines[2], `3\t\\N\t\\\\x${bytes.toString("hex")}\t\\N\t\\N\t`);
  assert.equal(lines[3], `4\t\t\\\\x\t2026-01-03\t\\\\x${expectedGeometry(25)}\t${"y".repeat(70_000)}`);
  for (const piece of [1_000_003, 65_536, 4_099]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < stream.length; at += piece) pieces.push(stream.subarray(at, at + piece));
    const cut = transcode(transcoder(columns), pieces);
    assert(cut.text === whole.text, `pieces of ${piece} bytes`);
    assert.equal(cut.rows, 4);
  }
});

/** A cell of COPY's binary format: its length, then its bytes; NULL has the length -1. */
function binaryCell(bytes: Buffer | string | null): Buffer {
  const value = Buffer.from(bytes ?? "");
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes === null ? -1 : value.length);
  return Buffer.concat([length, value]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

test("rows in binary have the length before each cell, wherever the bytes are cut", () => {
  const columns = [
    column(Cell.copied, { type: { kind: "int", bits: 32, unsigned: false } }),
    column(Cell.text, { type: { kind: "string", fixed: false } }),
    column(Cell.text, { type: { kind: "json" } }),
    column(Cell.hex, { type: { kind: "bytes", fixed: false } }),
    column(Cell.date, { type: { kind: "date" } }),
  ];
  const text = "ü\tn\\ ".repeat(30_000);
  const json = JSON.stringify({ long: "j".repeat(200_000) });
  const bytes = Buffer.alloc(17_000_000, "0123456789\n");
  const rows = [
    ["-2147483648", "short", "{}", Buffer.from([1, 2]), "2000-01-02"],
    ["7", text, json, Buffer.alloc(300, 7), "1999-12-31"],
    ["-12", null, null, bytes, "0000-00-00"],
    [null, "", "[1]", Buffer.alloc(0), null],
  ] as const;
  const expected = [
    [int32(-2147483648), "short", "\x01{}", Buffer.from([1, 2]), int32(1)],
    [int32(7), text, `\x01${json}`, Buffer.alloc(300, 7), int32(-1)],
    [int32(-12), null, null, bytes, null],
    [null, "", "\x01[1]", Buffer.alloc(0), null],
  ];
  const count = Buffer.from([0, columns.length]);
  const body = Buffer.concat([
    Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1"),
    ...expected.flatMap((cells) => [count, ...cells.map(binaryCell)]),
    Buffer.from([0xff, 0xff]),
  ]);
  const stream = Buffer.concat([...rows.map((row) => packetsOf(resultRow(row))), EOF_PACKET]);
  for (const piece of [stream.length, 1_000_003, 65_536, 4_099]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < stream.length; at += piece) pieces.push(stream.subarray(at, at + piece));
    const form = new BinaryForm(columns, new ZeroDateRule(TABLE, columns, "null"));
    const cut = transcode(new RowTranscoder(form), pieces);
    assert(cut.bytes.equals(body), `pieces of ${piece} bytes`);
    assert.equal(cut.rows, rows.length);
  }
});

test("a row in binary that is not well formed is an error of the protocol", () => {
  const columns = [column(Cell.text), column(Cell.text)].map((text) => ({
    ...text,
    type: { kind: "string", fixed: false } as const,
  }));
  for (const row of [resultRow(["a"]), resultRow(["a", "b", "c"]), Buffer.from([5, 0x61])]) {
    const form = new BinaryForm(columns, new ZeroDateRule(TABLE, columns, "null"));
    const stream = Buffer.concat([packetsOf(row), EOF_PACKET]);
    assert.throws(() => transcode(new RowTranscoder(form), [stream]), { code: "source.protocol" });
  }
});

test("a row that ends at the limit of a packet is followed by an empty one", () => {
  const head = 4;
  const row = resultRow(["z".repeat(0xffffff - head)]);
  assert.equal(row.length, 0xffffff);
  const stream = Buffer.concat([packetsOf(row), packetsOf(resultRow(["next"])), EOF_PACKET]);
  const { text, rows } = transcode(transcoder([column(Cell.text)]), [stream]);
  assert.equal(rows, 2);
  assert.equal(text.length, 0xffffff - head + 1 + 5);
  assert(text.endsWith("z\nnext\n"));
});

test("a row that is not well formed is an error of the protocol", () => {
  const columns = [column(Cell.text), column(Cell.text)];
  for (const row of [
    resultRow(["a"]),
    resultRow(["a", "b", "c"]),
    Buffer.from([5, 0x61]),
    resultRow(["a".repeat(70_000)]),
  ]) {
    const stream = Buffer.concat([packetsOf(row), EOF_PACKET]);
    assert.throws(() => transcode(transcoder(columns), [stream]), { code: "source.protocol" });
  }
});

/** Bytes of value 1: the reference system 0x01010101, then a head that gets its bit. */
function expectedGeometry(length: number): string {
  return `0101010121${"01010101"}${"01".repeat(length - 9)}`;
}

test("a chunk is written over when it has been given back, and not before", () => {
  const taken = (read: RowTranscoder, text: string): RowChunk => {
    read.walk(packetsOf(resultRow([text])), 0);
    return read.take()!;
  };
  const read = transcoder([column(Cell.text)]);
  const first = taken(read, "first");
  const second = taken(read, "second");
  const third = taken(read, "third");
  assert.equal(textOf(first), "first\n");
  first.release!();
  // The buffer that is being filled was taken before.
  assert.equal(textOf(taken(read, "fourth")), "fourth\n");
  assert.equal(textOf(taken(read, "fifth")), "fifth\n");
  assert.equal(textOf(first), "fifth\n");
  assert.deepEqual([second, third].map(textOf), ["second\n", "third\n"]);
});
