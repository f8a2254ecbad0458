import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { createZstdCompress, zstdCompressSync } from "node:zlib";
import {
  decodeAll,
  decoder,
  MAP,
  row,
  textsOf,
  UUID,
  write,
} from "../../../../test/support/binlog-decoding.ts";
import {
  event,
  formatDescription,
  gtid,
  logged,
  payload,
  query,
  rows,
  tableMap,
  uint,
  xid,
} from "../../../../test/support/binlog-events.ts";
import { EventKind } from "./binlog-event.ts";
import { gtidPositionOf, placePosition } from "./binlog-position.ts";

const FILLER = Buffer.alloc(1 << 20);

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
    yield tableMap({ ...MAP, table: 10, name: "other" });
    // Of no table of the task, so that nothing of it is kept.
    for (let i = 0; i < count; i++) yield rows(EventKind.writeRows2, { table: 10, width: 3 }, FILLER);
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

test("hand-built events of MySQL 8: a compressed transaction ends in the log where its event does", async () => {
  const file = "log.000001";
  const plain = Buffer.concat([query("BEGIN", "shop"), tableMap(MAP), write(row(1, 0, "")), xid()]);
  const compressed = payload(zstdCompressSync(plain), { type: 0, size: plain.length }, { checksum: true });
  const anonymous = event(EventKind.anonymousGtid, Buffer.concat([uint(1, 1), Buffer.alloc(24)]), {
    checksum: true,
  });
  for (const [begin, after] of [
    [anonymous, placePosition({ file, byte: 4 })],
    [gtid({ uuid: UUID, number: 6 }, { checksum: true }), gtidPositionOf(`${UUID}:1-5`)],
  ] as const) {
    const events = logged([formatDescription(true), begin, compressed], { checksum: true });
    const end = 4 + Buffer.concat(events).length;
    const reader = decoder({ after, until: { file, byte: end } });
    // What the server sends first says which file follows.
    const rotate = event(EventKind.rotate, Buffer.concat([uint(4, 8), Buffer.from(file)]), { flags: 0x20 });
    const batches = await decodeAll(reader, [rotate, ...events]);
    assert.deepEqual(batches.flatMap(textsOf), [["1", "", ""]]);
    assert.deepEqual(reader.place, { file, byte: end });
    assert.equal(reader.passedPlace(), true);
  }
});
