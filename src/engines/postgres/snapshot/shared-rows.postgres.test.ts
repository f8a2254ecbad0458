import assert from "node:assert/strict";
import { test } from "node:test";
import { partitionsOf, unaborted } from "../../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import {
  openSnapshotOf,
  rowsOf,
  sessionsOf,
  snapshotSource,
} from "../../../../test/support/snapshot-source.ts";
import type { BulkFormat } from "../../../core/row-chunk.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { Partition, Snapshot } from "../../../core/source.ts";
import { openBulkSession } from "../connection/bulk-session.ts";
import { SessionPool } from "../connection/session-pool.ts";
import { SharedRows } from "./shared-rows.ts";
import { TableCopy } from "./table-copy.ts";

const server = await serverOfFile(startPostgres());

test("a reader does not wait for ever for one that cannot get rid of a long row", async () => {
  const database = await server.createDatabase();
  await server.query(
    `create table t (v text); alter table t alter v set storage external;
     insert into t select repeat('0123456789abcdef', 100000) from generate_series(1, 3)`,
    database,
  );
  await using pool = new SessionPool((signal) =>
    openBulkSession(endpointOf(server, database), "source", signal),
  );
  const format = "pg-copy-text";
  const open = async (): Promise<TableCopy> => {
    const session = await pool.lend(unaborted);
    const rows = session.wire.copyOut("copy public.t to stdout", format, { stopsAtRows: true });
    return new TableCopy(session, rows, () => undefined);
  };
  const shared = new SharedRows(format, open, 50);
  const stuck = shared.read();
  let rows = 0;
  assert.equal((await stuck.next()).value?.rows, 0);
  // The other's rows end, with none; its transaction can commit, and what it holds is free.
  assert.deepEqual(await shared.read().next(), { done: true, value: undefined });
  for await (const chunk of stuck) rows += chunk.rows;
  assert.equal(rows, 3);
});

interface ShareRequest {
  readonly snapshot: Snapshot;
  readonly table: TableSchema;
  readonly partition: Partition;
  readonly format: BulkFormat;
}

/** A table of a database of its own that a share is written into, as one COPY. */
async function shareTarget(format: BulkFormat): Promise<{
  readonly database: string;
  load(request: Omit<ShareRequest, "format">): Promise<{ rows: number; told: number }>;
}> {
  const database = await server.createDatabase("share");
  await server.query("create table t (id bigint, v text)", database);
  const wire = await openBulkSession(endpointOf(server, database), "target", unaborted);
  await wire.copyIn(`copy t from stdin (format ${format === "pg-copy-binary" ? "binary" : "text"})`);
  return {
    database,
    load: async ({ snapshot, table, partition }) => {
      let told = 0;
      for await (const chunk of snapshot.read({ table, partition, format }, unaborted)) {
        await wire.send(chunk.bytes);
        told += chunk.rows;
      }
      const rows = Number((await wire.copyInEnd()).split(" ").at(-1));
      await wire[Symbol.asyncDispose]();
      return { rows, told };
    },
  };
}

/** Rows of a few bytes, among them some that are longer than many chunks together. */
const UNEVEN = `create table t (id bigint, v text); alter table t alter v set storage external;
  insert into t select i, case when i % 5000 = 7 then repeat('0123456789abcdef', 40000) else 'v' || i end
    from generate_series(1, 60000) i; analyze t`;
const SHARES = { rowsPerPartition: 15_000, bytesPerPartition: Infinity, bytesReadAtOnce: Infinity };

for (const format of ["pg-copy-binary", "pg-copy-text"] as const) {
  test(`shares read side by side hold every row once, each as a COPY of its own: ${format}`, async () => {
    const source = await snapshotSource(server, UNEVEN);
    await using snapshot = await openSnapshotOf(source);
    const partitions = await partitionsOf(snapshot, source.table, SHARES);
    assert.deepEqual(
      partitions.map(({ id, by }) => `${id} ${by}`),
      ["0 share", "1 share", "2 share", "3 share"],
    );
    const targets = await Promise.all(partitions.map(() => shareTarget(format)));
    const read = (i: number) =>
      targets[i]!.load({ snapshot, table: source.table, partition: partitions[i]! });
    const together = await Promise.all([0, 1, 2].map(read));
    assert.ok(together.filter(({ rows }) => rows > 0).length > 1, JSON.stringify(together));
    assert.equal(
      together.reduce((sum, { told }) => sum + told, 0),
      60_000,
    );
    // One that comes when the scan is over gets a COPY without rows.
    assert.deepEqual(await read(3), { rows: 0, told: 0 });
    const digest = (database: string) =>
      server.query("select id::int, md5(v) as v from t order by id", database);
    const arrived = (await Promise.all(targets.map(({ database }) => digest(database)))).flat();
    assert.deepEqual(
      arrived.sort((a, b) => a.id - b.id),
      await digest(source.database),
    );
    // Whatever the number of readers, there was one.
    assert.equal(await sessionsOf(server, source.database, "tideway read"), 2);
  });
}

test("when a reader leaves a share in the middle of a long row, the others end, and never get half a row", async () => {
  const source = await snapshotSource(server, UNEVEN);
  await using snapshot = await openSnapshotOf(source);
  const partitions = await partitionsOf(snapshot, source.table, SHARES);
  const format = "pg-copy-text";
  const first = snapshot.read({ table: source.table, partition: partitions[0]!, format }, unaborted);
  const reader = first[Symbol.asyncIterator]();
  // The first row that is longer than two chunks is the seventh.
  let rows = 0;
  for (let next = await reader.next(); rows < 6; next = await reader.next()) rows += next.value.rows;
  assert.equal(rows, 6);
  const targets = await Promise.all([shareTarget(format), shareTarget(format)]);
  const others = Promise.all(
    targets.map((target, i) => target.load({ snapshot, table: source.table, partition: partitions[i + 1]! })),
  );
  await reader.return?.();
  // The long row was the first reader's turn, and with it the scan has ended.
  assert.deepEqual(await others, [
    { rows: 0, told: 0 },
    { rows: 0, told: 0 },
  ]);
  await eventually(
    "no more sessions",
    async () => (await sessionsOf(server, source.database, "tideway read")) === 1,
  );
});

test("a truncated table's scan is an error for one of its readers at least", async () => {
  const source = await snapshotSource(server, UNEVEN);
  await using snapshot = await openSnapshotOf(source);
  const partitions = await partitionsOf(snapshot, source.table, SHARES);
  await server.query("truncate t", source.database);
  const outcomes = await Promise.allSettled(
    partitions.map((partition) => rowsOf(snapshot, source.table, partition)),
  );
  const failed = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.deepEqual(
    failed.map(({ reason }) => reason.code),
    ["source.table_rewritten"],
  );
});
