import { ArrivedRows } from "../src/engines/mysql/snapshot/arrived-rows.ts";
import { Cell, type ReadColumn } from "../src/engines/mysql/snapshot/read-columns.ts";
import { RowTranscoder } from "../src/engines/mysql/snapshot/row-transcoder.ts";
import { TextForm } from "../src/engines/mysql/snapshot/text-form.ts";
import { ZeroDateRule } from "../src/engines/mysql/values/zero-dates.ts";
import { packetsOf, resultRow } from "../test/support/mysql-rows.ts";

/*
 * What it costs to turn MySQL's rows into frames of COPY, without servers and sockets: `node bench/row-transcoder.ts`.
 * Rows pass in reads of 64 KB, as from a socket. Prints thousands of rows and megabytes in a second of
 * processor time.
 */

const READ = 1 << 16;
const SECONDS = 2;

interface Shape {
  readonly name: string;
  readonly cells: readonly Cell[];
  readonly row: (i: number) => readonly (Buffer | string | null)[];
}

const shapes: readonly Shape[] = [
  {
    name: "short: key, number, padding of 120 and 60 characters",
    cells: [Cell.copied, Cell.copied, Cell.text, Cell.text],
    row: (i) => [String(i), String((i * 7919) % 1_000_003), "0123456789-".repeat(11), "abcdefghij".repeat(6)],
  },
  {
    name: "order line: 16 columns of all kinds",
    cells: [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 7, 7, 7, 1, 1, 1] as const,
    row: (i) => [
      ...[i, i * 3, i % 100, i % 7, i % 50].map(String),
      ...["37614.33", "0.04", "0.02", "N", "O", "1996-03-13", "1996-02-12", "1996-03-22"],
      ...["DELIVER IN PERSON", "TRUCK", "egular courts above the slyly regular"],
    ],
  },
  {
    name: "times, floats, bits and bytes",
    cells: [Cell.copied, Cell.zonedDate, Cell.date, Cell.float, Cell.double, Cell.bits, Cell.hex, Cell.text],
    row: (i) => [
      ...[String(i), "2026-02-28 10:20:30.123400", "2026-02-28 10:20:30", "1.100000023841858", "3.25e-9"],
      ...[Buffer.from([i & 1]), Buffer.alloc(16, i), i % 3 === 0 ? null : "with\ttab and \\ in it"],
    ],
  },
  {
    name: "text of 4 KB",
    cells: [Cell.copied, Cell.text],
    row: (i) => [String(i), "A line of text that ends.\n".repeat(160)],
  },
  {
    name: "bytes of 256 KB",
    cells: [Cell.copied, Cell.hex],
    row: (i) => [String(i), Buffer.alloc(1 << 18, i)],
  },
];

for (const shape of shapes) {
  const count = shape.name.includes("256 KB") ? 64 : 20_000;
  const packets = Buffer.concat(Array.from({ length: count }, (_, i) => packetsOf(resultRow(shape.row(i)))));
  const columns = shape.cells.map(
    (cell): ReadColumn => ({
      name: "c",
      expression: "c",
      cell,
      length: cell === Cell.bits ? 1 : 0,
      nullable: true,
      type: { kind: "opaque" },
      nativeType: "",
    }),
  );
  pass(packets, columns);
  const before = process.cpuUsage();
  let passes = 0;
  let written = 0;
  let seconds = 0;
  while (seconds < SECONDS) {
    written += pass(packets, columns);
    passes++;
    seconds = process.cpuUsage(before).user / 1e6;
  }
  const rows = Math.round((passes * count) / seconds / 1000);
  const read = Math.round((passes * packets.length) / seconds / 1e6);
  process.stdout.write(
    `${shape.name}: ${rows} thousand rows/s, ${read} MB/s read, ${Math.round(written / seconds / 1e6)} MB/s written\n`,
  );
}

function pass(packets: Buffer, columns: readonly ReadColumn[]): number {
  const transcoder = new RowTranscoder(
    new TextForm(columns, new ZeroDateRule({ schema: "s", name: "t" }, columns, "null")),
  );
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
