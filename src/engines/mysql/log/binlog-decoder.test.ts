import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { createZstdCompress, zstdCompressSync } from "node:zlib";
import {
  event,
  formatDescription,
  gtid,
  payload,
  query,
  rows,
  tableMap,
  uint,
  xid,
} from "../../../../test/support/binlog-events.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";
import { ValueCounts } from "../values/value-counts.ts";
import { BinlogDecoder } from "./binlog-decoder.ts";
import { EventKind } from "./binlog-event.ts";
import { gtidPositionOf } from "./binlog-position.ts";
import { ColumnKind } from "./binlog-table-map.ts";

const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

const column = (name: string, type: Column["type"]): Column => ({
  name,
  type,
  nativeType: "",
  nullable: true,
});
const TABLE: TableSchema = {
  id: { schema: "shop", name: "t" },
  columns: [
    column("id", { kind: "int", bits: 32, unsigned: true }),
    column("label", { kind: "enum", values: ["?", "old"] }),
    column("text", { kind: "string", fixed: false }),
  ],
  key: [0],
  rowIdentity: "key",
  indexes: [],
  checks: [],
  foreignKeys: [],
  estimatedRows: 0,
  estimatedBytes: 0,
};
const MAP = {
  ...{ table: 9, schema: "shop", name: "t" },
  columns: [
    [ColumnKind.long, []],
    [ColumnKind.string, [ColumnKind.enum, 1]],
    [ColumnKind.varchar, [200, 0]],
  ],
} as const;

const FILLER = Buffer.alloc(1 << 20);

function decoder(): BinlogDecoder {
  return new BinlogDecoder({
    tables: [TABLE],
    after: gtidPositionOf(`${UUID}:1-5`),
    hasChecksum: false,
    facts: {
      foldsNames: false,
      zeroDates: "null",
      zeroDateCounts: new ValueCounts(),
      charsets: new Map(),
      collations: new Map([[255, "utf8mb4"]]),
      defaults: new Map(),
      outside: [],
    },
  });
}

function row(id: number, label: number, text: string): Buffer {
  return Buffer.concat([
    uint(0, 1),
    uint(id, 4),
    uint(label, 1),
    uint(Buffer.byteLength(text), 1),
    Buffer.from(text),
  ]);
}

async function decodeAll(into: BinlogDecoder, events: readonly Buffer[]): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = [];
  const take = (): void => {
    const batch = into.take();
    if (batch !== undefined) batches.push(batch);
  };
  for (const one of events) {
    // Behind the byte that says that an event follows.
    into.decode(Buffer.concat([uint(0, 1), one]), 1, 1 + one.length);
    for (; into.isFull || into.pause !== undefined; into.resume()) {
      if (into.pause?.kind === "payload") await into.pause.fill();
      if (into.isFull) take();
    }
  }
  take();
  return batches;
}

function textsOf({ bytes, cells, ops }: ChangeBatch): (string | null)[][] {
  const texts: (string | null)[][] = [];
  for (let at = 3; at < ops.length; at += 4) {
    const first = ops[at]!;
    if (first < 0) continue;
    texts.push(
      TABLE.columns.map((_, i) => {
        const start = cells[first + 2 * i]!;
        return start < 0 ? null : Buffer.from(bytes.subarray(start, cells[first + 2 * i + 1]!)).toString();
      }),
    );
  }
  return texts;
}

const write = (...images: readonly Buffer[]): Buffer =>
  rows(EventKind.writeRows2, { table: 9, width: 3 }, Buffer.concat(images));

test("hand-built events of MySQL 8: the time of the commit is that of the GTID event", async () => {
  const [batch] = await decodeAll(decoder(), [
    formatDescription(false),
    gtid({ uuid: UUID, number: 6, committedAt: 1_800_000_000_123_456 }),
    query("BEGIN", "shop"),
    tableMap(MAP),
    write(row(1, 2, "é")),
    xid(),
  ]);
  const [transaction] = batch!.transactions;
  assert.equal(transaction!.committedAtMs, 1_800_000_000_123);
  assert.equal(transaction!.id, `${UUID}:6`);
  assert.deepEqual(transaction!.position, gtidPositionOf(`${UUID}:1-6`));
  assert.deepEqual(textsOf(batch!), [["1", "old", "é"]]);
});

test("hand-built events: a transaction that its file does not end was rolled back, and its number comes again", async () => {
  const started = [gtid({ uuid: UUID, number: 7 }), query("BEGIN", "shop"), tableMap(MAP)];
  const unfit = rows(EventKind.partialUpdateRows, { table: 9, width: 3 }, Buffer.alloc(5));
  const reader = decoder();
  const [batch] = await decodeAll(reader, [
    formatDescription(false),
    ...[gtid({ uuid: UUID, number: 6 }), query("BEGIN", "shop"), tableMap(MAP), write(row(1, 2, "a")), xid()],
    ...[...started, write(row(2, 2, "lost")), unfit],
    formatDescription(false),
    ...[...started, write(row(3, 2, "b")), xid()],
  ]);
  assert.equal(batch!.misfits, undefined);
  assert.deepEqual(
    batch!.transactions.map(({ id, begins, commits, end }) => ({ id, begins, commits, end })),
    [
      { id: `${UUID}:6`, begins: true, commits: true, end: 1 },
      { id: `${UUID}:7`, begins: true, commits: true, end: 2 },
    ],
  );
  assert.deepEqual(textsOf(batch!), [
    ["1", "old", "a"],
    ["3", "old", "b"],
  ]);
  assert.deepEqual(reader.position, gtidPositionOf(`${UUID}:1-7`));
});

test("hand-built events: what has been told of a transaction that its file does not end is taken back", async () => {
  const started = [gtid({ uuid: UUID, number: 6 }), query("BEGIN", "shop"), tableMap(MAP)];
  const reader = decoder();
  await decodeAll(reader, [formatDescription(false), ...started, write(row(1, 2, "told"))]);
  const [batch] = await decodeAll(reader, [
    ...[write(row(2, 2, "not told")), formatDescription(false)],
    ...[...started, write(row(3, 2, "b")), xid()],
  ]);
  const ends = batch!.transactions.map(({ id, begins, commits, takenBack, start, end }) =>
    [id, begins, commits, takenBack, end - start].join(" "),
  );
  assert.deepEqual(ends, [`${UUID}:6 false false true 0`, `${UUID}:6 true true false 1`]);
  assert.deepEqual(textsOf(batch!), [["3", "old", "b"]]);
  assert.deepEqual(reader.position, gtidPositionOf(`${UUID}:1-6`));
});

test("hand-built events of MySQL 8: names, signs and labels come from the log's metadata", async () => {
  const metadata = [
    [1, Buffer.from([0x80])],
    [4, Buffer.from("\x02id\x05label\x04text")],
    [6, Buffer.concat([uint(2, 1), uint(4, 1), Buffer.from("😀"), uint(3, 1), Buffer.from("old")])],
    [10, Buffer.from([252, 255, 0])],
  ] as const;
  const read = async (
    fields: typeof metadata | readonly (readonly [number, Buffer])[],
  ): Promise<ChangeBatch> => {
    const [batch] = await decodeAll(decoder(), [
      formatDescription(false),
      gtid({ uuid: UUID, number: 6 }),
      query("BEGIN", "shop"),
      tableMap({ ...MAP, metadata: fields }),
      write(row(4_000_000_000, 1, "x")),
      xid(),
    ]);
    return batch!;
  };
  assert.deepEqual(textsOf(await read(metadata)), [["4000000000", "😀", "x"]]);
  const signed = await read([[1, Buffer.from([0])]]);
  assert.equal(signed.misfits?.[0]?.error.code, "source.table_changed");
  const renamed = await read([[4, Buffer.from("\x02id\x05label\x03txt")]]);
  assert.equal(renamed.misfits?.[0]?.error.code, "source.table_changed");
});

test("hand-built events of MySQL 8: a compressed transaction is read piece by piece", async () => {
  const inner = [query("BEGIN", "shop"), tableMap(MAP)];
  for (let i = 0; i < 3000; i++) inner.push(write(row(i, 2, "x".repeat(150)), row(10_000 + i, 0, "")));
  inner.push(xid());
  const plain = Buffer.concat(inner);
  for (const [type, body] of [
    [0, zstdCompressSync(plain)],
    [255, plain],
  ] as const) {
    const batches = await decodeAll(decoder(), [
      formatDescription(true),
      gtid({ uuid: UUID, number: 6 }, { checksum: true }),
      payload(body, { type, size: plain.length }, { checksum: true }),
    ]);
    assert.ok(batches.length > 1);
    assert.equal(batches.flatMap(textsOf).length, 6000);
    assert.deepEqual(textsOf(batches[0]!)[1], ["10000", "", ""]);
    assert.equal(batches.at(-1)!.transactions.at(-1)!.commits, true);
  }
});

test("hand-built events of MySQL 8: a compressed transaction that is not what its head says is refused", async () => {
  const plain = Buffer.concat([query("BEGIN", "shop"), tableMap(MAP), write(row(1, 0, "")), xid()]);
  const huge = Buffer.from(plain);
  huge.writeUInt32LE(0xffff_fff0, 9);
  const whole = zstdCompressSync(plain);
  for (const [body, size] of [
    [whole, plain.length - 1],
    [whole, plain.length + 1],
    [whole.subarray(0, -5), plain.length],
    [Buffer.concat([Buffer.from("no zstd"), whole]), plain.length],
    [zstdCompressSync(plain.subarray(0, -1)), plain.length - 1],
    [zstdCompressSync(huge), plain.length],
  ] as const) {
    const events = [formatDescription(true), gtid({ uuid: UUID, number: 6 }, { checksum: true })];
    const broken = payload(body, { type: 0, size }, { checksum: true });
    await assert.rejects(decodeAll(decoder(), [...events, broken]), { code: "source.protocol" });
  }
});

test("hand-built events of MySQL 8: a compressed transaction of any size takes little memory", async (t) => {
  const count = 768;
  const events = function* (): Generator<Buffer> {
    yield query("BEGIN", "shop");
    yield tableMap(MAP);
    // Of no table of the task, so that nothing of it is kept.
    for (let i = 0; i < count; i++) yield rows(EventKind.writeRows2, { table: 10, width: 1 }, FILLER);
    yield xid();
  };
  let size = 0;
  for (const one of events()) size += one.length;
  const body: Buffer[] = [];
  for await (const piece of Readable.from(events()).pipe(createZstdCompress())) body.push(piece as Buffer);
  const reader = decoder();
  let most = 0;
  const before = process.memoryUsage().arrayBuffers;
  await decodeAll(reader, [formatDescription(true), gtid({ uuid: UUID, number: 6 }, { checksum: true })]);
  const whole = payload(Buffer.concat(body), { type: 0, size }, { checksum: true });
  reader.decode(Buffer.concat([uint(0, 1), whole]), 1, 1 + whole.length);
  for (; reader.pause?.kind === "payload"; reader.resume()) {
    await reader.pause.fill();
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  t.diagnostic(`${size >> 20} MB by way of ${most >> 20} MB`);
  assert.equal(reader.inTransaction, false);
  assert.ok(size > 700 << 20 && most < 200 << 20);
});

test("hand-built events of MySQL 8: what is seen already is not told again", async () => {
  const group = (number: number): Buffer[] => [
    gtid({ uuid: UUID, number }),
    query("BEGIN", "shop"),
    tableMap(MAP),
    write(row(number, 0, "")),
    xid(),
  ];
  const batches = await decodeAll(decoder(), [
    formatDescription(false),
    ...group(5),
    ...group(7),
    ...group(6),
  ]);
  assert.deepEqual(
    batches.flatMap(textsOf).map(([id]) => id),
    ["7", "6"],
  );
  const positions = batches.flatMap(({ transactions }) => transactions.map(({ position }) => position.text));
  assert.deepEqual(positions, [`${UUID}:1-5:7`, `${UUID}:1-7`]);
});

test("hand-built events: a checksum that does not fit, and what cannot be read, end the stream", async () => {
  const bad = gtid({ uuid: UUID, number: 6 }, { checksum: true });
  bad[30]! ^= 1;
  const refused: readonly (readonly [string, readonly Buffer[]])[] = [
    ["source.protocol", [formatDescription(true), bad]],
    ["source.log_unreadable", [formatDescription(false), event(EventKind.gtidTagged, Buffer.alloc(30))]],
    ["source.log_unreadable", [formatDescription(false), event(99, Buffer.alloc(30))]],
    ["source.log_unreadable", [formatDescription(false), event(EventKind.incident, Buffer.alloc(3))]],
    ["source.protocol", [formatDescription(false), xid()]],
  ];
  for (const [code, events] of refused) {
    await assert.rejects(decodeAll(decoder(), events), { code });
  }
  assert.deepEqual(
    await decodeAll(decoder(), [formatDescription(false), event(99, Buffer.alloc(30), { flags: 0x80 })]),
    [],
  );
});

test("hand-built events of MySQL 8: changes of parts of JSON make the table's transaction unfit", async () => {
  const [batch] = await decodeAll(decoder(), [
    formatDescription(false),
    gtid({ uuid: UUID, number: 6 }),
    query("BEGIN", "shop"),
    tableMap(MAP),
    rows(EventKind.partialUpdateRows, { table: 9, width: 3 }, Buffer.alloc(5)),
    xid(),
  ]);
  const error = batch!.misfits![0]!.error;
  assert.ok(error instanceof MigrationError && /binlog_row_value_options/.test(error.remedy));
});
