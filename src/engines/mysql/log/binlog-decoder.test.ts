import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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
  query,
  rows,
  tableMap,
  taggedGtid,
  uint,
  xid,
} from "../../../../test/support/binlog-events.ts";
import type { ChangeBatch } from "../../../core/change-batch.ts";
import { EventKind } from "./binlog-event.ts";
import { gtidPositionOf } from "./binlog-position.ts";

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
  const unfit = rows(EventKind.deleteRows2, { table: 9, width: 3 }, row(4, 9, ""));
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

test("hand-built events of MySQL 8.3: each tag of GTIDs is numbered by itself", async () => {
  const group = (begin: Buffer, id: number): Buffer[] => [
    ...[begin, query("BEGIN", "shop"), tableMap(MAP), write(row(id, 0, "")), xid()],
  ];
  const tagged = (tag: string, number: number): Buffer =>
    taggedGtid({ uuid: UUID, tag, number, committedAt: 1_800_000_000_123_456 });
  const batches = await decodeAll(decoder({ after: gtidPositionOf(`${UUID}:1-5:batch:1-70000`) }), [
    formatDescription(false),
    ...group(tagged("batch", 70_000), 1),
    ...group(tagged("batch", 70_001), 2),
    ...group(gtid({ uuid: UUID, number: 6 }), 3),
    ...group(tagged("a", 1), 4),
    ...group(tagged("a", 2), 5),
    ...group(tagged("a", 3), 6),
  ]);
  const { transactions } = batches[0]!;
  assert.deepEqual(
    batches.flatMap(textsOf).map(([id]) => id),
    ["2", "3", "4", "5", "6"],
  );
  assert.equal(transactions[0]!.id, `${UUID}:batch:70001`);
  assert.equal(transactions[0]!.committedAtMs, 1_800_000_000_123);
  assert.deepEqual(
    transactions.map(({ position }) => position),
    [
      `${UUID}:1-5:batch:1-70001`,
      `${UUID}:1-6:batch:1-70001`,
      ...["1", "1-2", "1-3"].map((a) => `${UUID}:1-6:a:${a}:batch:1-70001`),
    ].map(gtidPositionOf),
  );
});

test("hand-built events: numbers of tables are forgotten, those of the statement at work are not", async () => {
  const reader = decoder();
  await decodeAll(reader, [
    formatDescription(false),
    gtid({ uuid: UUID, number: 6 }),
    query("BEGIN", "shop"),
  ]);
  const collect = collector();
  const before = collect();
  const count = 40_000;
  for (let table = 10; table < count; table++) {
    const last = table % 5000 === 0;
    await decodeAll(reader, [
      ...(last ? [tableMap(MAP)] : []),
      tableMap({ ...MAP, table, name: "other" }),
      rows(EventKind.writeRows2, { table, width: 3, flags: last ? 0 : 1 }, row(table, 2, "")),
      ...(last ? [write(row(table, 2, ""))] : []),
    ]);
  }
  const grown = collect() - before;
  assert.ok(grown < 6 << 20, `${grown >> 20} MB`);
  const [batch] = await decodeAll(reader, [tableMap(MAP), write(row(1, 2, "")), xid()]);
  assert.equal(batch!.transactions.at(-1)!.commits, true);
});

test("hand-built events: a checksum that does not fit, and what cannot be read, end the stream", async () => {
  const bad = gtid({ uuid: UUID, number: 6 }, { checksum: true });
  bad[30]! ^= 1;
  const refused: readonly (readonly [string, readonly Buffer[]])[] = [
    ["source.protocol", [formatDescription(true), bad]],
    ["source.log_unreadable", [formatDescription(false), event(EventKind.gtidTagged, Buffer.alloc(30, 4))]],
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

/** Bytes of what is reachable. */
function collector(): () => number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  return () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
}
