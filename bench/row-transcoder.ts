import type { LogicalType } from "../src/core/schema.ts";
import { ArrivedRows } from "../src/engines/mysql/snapshot/arrived-rows.ts";
import { BinaryForm } from "../src/engines/mysql/snapshot/binary-form.ts";
import { Cell, type ReadColumn } from "../src/engines/mysql/snapshot/read-columns.ts";
import type { RowForm } from "../src/engines/mysql/snapshot/row-form.ts";
import { RowTranscoder } from "../src/engines/mysql/snapshot/row-transcoder.ts";
import { TextForm } from "../src/engines/mysql/snapshot/text-form.ts";
import { ZeroDateRule } from "../src/engines/mysql/values/zero-dates.ts";
import { packetsOf, resultRow } from "../test/support/mysql-rows.ts";

/*
 * What it costs to turn MySQL's rows into frames of COPY, without servers and sockets:
 * `node bench/row-transcoder.ts [text|binary]`, both by default. Rows pass in reads of 64 KB, as from a socket. Prints
 * thousands of rows and megabytes in a second of processor time. A form is at its fastest alone, as in a load.
 */

const READ = 1 << 16;
const SECONDS = 2;

interface Shape {
  readonly name: string;
  /** Of each column: how it comes as text, and its type, by which it comes in binary. */
  readonly columns: readonly (readonly [Cell, LogicalType])[];
  readonly row: (i: number) => readonly (Buffer | string | null)[];
}

type ColumnKind = Shape["columns"][number];

const text: ColumnKind = [Cell.text, { kind: "string", fixed: false }];
const int4: ColumnKind = [Cell.copied, { kind: "int", bits: 32, unsigned: false }];
const int8: ColumnKind = [Cell.copied, { kind: "int", bits: 64, unsigned: false }];
const decimal: ColumnKind = [Cell.copied, { kind: "decimal", precision: 15, scale: 2 }];
const date: ColumnKind = [Cell.date, { kind: "date" }];
const bytes: ColumnKind = [Cell.hex, { kind: "bytes", fixed: false }];

const shapes: readonly Shape[] = [
  {
    name: "short: key, number, padding of 120 and 60 characters",
    columns: [int4, int4, text, text],
    row: (i) => [String(i), String((i * 7919) % 1_000_003), "0123456789-".repeat(11), "abcdefghij".repeat(6)],
  },
  {
    name: "order line: 16 columns of all kinds",
    columns: [
      ...[int8, int4, int4, int4, decimal, decimal, decimal, decimal],
      ...[text, text, date, date, date, text, text, text],
    ],
    row: (i) => [
      ...[i, i * 3, i % 100, i % 7].map(String),
      ...[`${i % 50}.00`, `${i % 100_000}.33`, "0.04", "0.02", "N", "O"],
      ...["1996-03-13", "1996-02-12", "1996-03-22"],
      ...["DELIVER IN PERSON", "TRUCK", "egular courts above the slyly regular"],
    ],
  },
  {
    name: "times, floats, bits and bytes",
    columns: [
      int4,
      [Cell.zonedDate, { kind: "timestamp", precision: 6, zoned: true }],
      [Cell.date, { kind: "timestamp", precision: 0, zoned: false }],
      [Cell.float, { kind: "float", bits: 32 }],
      [Cell.double, { kind: "float", bits: 64 }],
      [Cell.bits, { kind: "bit", length: 1 }],
      bytes,
      text,
    ],
    row: (i) => [
      ...[String(i), "2026-02-28 10:20:30.123400", "2026-02-28 10:20:30", "1.100000023841858", "3.25e-9"],
      ...[Buffer.from([i & 1]), Buffer.alloc(16, i), i % 3 === 0 ? null : "with\ttab and \\ in it"],
    ],
  },
  {
    name: "text of 4 KB",
    columns: [int4, text],
    row: (i) => [String(i), "A line of text that ends.\n".repeat(160)],
  },
  {
    name: "bytes of 256 KB",
    columns: [int4, bytes],
    row: (i) => [String(i), Buffer.alloc(1 << 18, i)],
  },
];

const forms = { text: TextForm, binary: BinaryForm } as const;
const [, , chosen] = process.argv;

for (const [form, Form] of Object.entries(forms)) {
  if (chosen !== undefined && chosen !== form) continue;
  for (const shape of shapes) measure(`${form}, ${shape.name}`, shape, Form);
}

type FormClass = (typeof forms)[keyof typeof forms];

function measure(name: string, shape: Shape, Form: FormClass): void {
  const count = shape.name.includes("256 KB") ? 64 : 20_000;
  const packets = Buffer.concat(Array.from({ length: count }, (_, i) => packetsOf(resultRow(shape.row(i)))));
  const columns = shape.columns.map(
    ([cell, type]): ReadColumn => ({
      name: "c",
      isChecked: false,
      expression: "c",
      cell,
      length: cell === Cell.bits ? 1 : 0,
      nullable: true,
      type,
      nativeType: "",
    }),
  );
  const form = new Form(columns, new ZeroDateRule({ schema: "s", name: "t" }, columns, "null"));
  pass(packets, form);
  const before = process.cpuUsage();
  let passes = 0;
  let written = 0;
  let seconds = 0;
  while (seconds < SECONDS) {
    written += pass(packets, form);
    passes++;
    seconds = process.cpuUsage(before).user / 1e6;
  }
  const rows = Math.round((passes * count) / seconds / 1000);
  const read = Math.round((passes * packets.length) / seconds / 1e6);
  process.stdout.write(
    `${name}: ${rows} thousand rows/s, ${read} MB/s read, ${Math.round(written / seconds / 1e6)} MB/s written\n`,
  );
}

function pass(packets: Buffer, form: RowForm): number {
  const transcoder = new RowTranscoder(form);
  let written = 0;
  const arrived = new ArrivedRows();
  for (let from = 0; from < packets.length; from += READ) {
    arrived.add(packets.subarray(from, from + READ));
    arrived.walk(transcoder);
    while (transcoder.full) {
      written += transcoder.take()!.bytes.length;
      arrived.walk(transcoder);
    }
  }
  return written + (transcoder.take()?.bytes.length ?? 0);
}
