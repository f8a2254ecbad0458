import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeAll,
  decoder,
  MAP,
  row,
  TABLE,
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
  uint,
} from "../../../../test/support/binlog-events.ts";
import type { BinlogDecoder } from "./binlog-decoder.ts";
import { EventKind } from "./binlog-event.ts";

const MAX = 10_000;
const OTHER = { ...MAP, table: 10, name: "other" };

let number = 5;
const begin = (): Buffer => gtid({ uuid: UUID, number: ++number });

function prepare(name: string, changes: readonly Buffer[], isOnePhase = false): Buffer[] {
  return [
    ...[begin(), query(`XA START ${name}`, "shop"), ...changes],
    ...[query(`XA END ${name}`, "shop"), event(EventKind.xaPrepare, uint(isOnePhase ? 1 : 0, 1))],
  ];
}

const end = (verb: "COMMIT" | "ROLLBACK", name: string): Buffer[] => [
  begin(),
  query(`XA ${verb} ${name}`, "shop"),
];

/** Changes of the task's table, of so many bytes. */
const own = (id: number, bytes: number): Buffer[] => [
  tableMap(MAP),
  write(row(id, 2, "x".repeat(200 - 8)), ...pad(bytes)),
];
const others = (bytes: number): Buffer[] => [
  tableMap(OTHER),
  rows(EventKind.writeRows2, { table: 10, width: 3 }, Buffer.alloc(bytes)),
];

function pad(bytes: number): Buffer[] {
  return Array.from({ length: Math.floor(bytes / 200) }, (_, i) => row(1000 + i, 2, "x".repeat(200 - 8)));
}

function limited(): BinlogDecoder {
  number = 5;
  return decoder({ tables: [TABLE], maxPreparedBytes: MAX });
}

test("hand-built events: of a transaction (XA) what it does to other tables is not kept", async () => {
  const batches = await decodeAll(limited(), [
    formatDescription(false),
    ...prepare("X'61',X'',1", [...others(5 * MAX), ...own(1, 0), ...others(5 * MAX)]),
    ...end("COMMIT", "X'61',X'',1"),
  ]);
  assert.deepEqual(
    batches.flatMap(textsOf).map(([id]) => id),
    ["1"],
  );
});

test("hand-built events: a transaction (XA) that is too large ends the stream where it commits, and only there", async () => {
  const tooLarge = { code: "source.log_unreadable", remedy: /commit in one phase/ };
  const large = own(1, 2 * MAX);
  const reader = limited();
  await decodeAll(reader, [
    formatDescription(false),
    ...prepare("X'61',X'',1", large),
    ...end("ROLLBACK", "X'61',X'',1"),
  ]);
  await decodeAll(reader, prepare("X'61',X'',1", large));
  await assert.rejects(decodeAll(reader, end("COMMIT", "X'61',X'',1")), tooLarge);
  await assert.rejects(
    decodeAll(limited(), [formatDescription(false), ...prepare("X'61',X'',1", large, true)]),
    tooLarge,
  );
});

test("hand-built events: of transactions (XA) that are too large together the oldest are looked for where they commit", async () => {
  const reader = limited();
  const half = MAX / 2 + 1000;
  await decodeAll(reader, [
    formatDescription(false),
    ...prepare("X'61',X'',1", own(1, half)),
    ...prepare("X'62',X'',1", own(2, half)),
  ]);
  const batches = await decodeAll(reader, end("COMMIT", "X'62',X'',1"));
  assert.equal(batches.flatMap(textsOf)[0]![0], "2");
  const pauses: unknown[] = [];
  for (const one of end("COMMIT", "X'61',X'',1")) {
    reader.decode(Buffer.concat([uint(0, 1), one]), 1, 1 + one.length);
    if (reader.pause?.kind === "prepared") pauses.push(reader.pause.xid);
  }
  assert.deepEqual(pauses, ["x'61',x'',1"]);
});

test("hand-built events: a look for one transaction (XA) keeps no other", async () => {
  number = 5;
  const lookFor = { xid: "x'62',x'',1", tables: [TABLE] };
  const reader = decoder({ tables: [], lookFor });
  const batches = await decodeAll(reader, [
    formatDescription(false),
    ...prepare("X'61',X'',1", own(1, 0)),
    ...prepare("X'62',X'',1", own(2, 0)),
    ...prepare("X'63',X'',1", [...others(100), ...own(3, 0)]),
    ...end("COMMIT", "X'61',X'',1"),
  ]);
  assert.deepEqual(batches.flatMap(textsOf), []);
  assert.equal(reader.prepared("x'63',x'',1"), undefined);
  assert.deepEqual(
    reader.prepared(lookFor.xid)?.map(({ kind }) => kind),
    [EventKind.tableMap, EventKind.writeRows2],
  );
});
