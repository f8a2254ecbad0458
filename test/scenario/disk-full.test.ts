import assert from "node:assert/strict";
import { chown, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { eventually } from "../support/eventually.ts";
import { serverPair } from "../support/server-pair.ts";
import { CANNOT_MOUNT, SmallDisk } from "../support/small-disk.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";

const { source, target } = await serverPair();

async function isFull(task: ObservedTask, from: number): Promise<void> {
  const told = async () => task.logs.slice(from).some((log) => log.fields["code"] === "target.full");
  await eventually("a full disk", told);
}

test("a target without disk space, in the load and later, is tried again, and the task goes on when there is space", async (t) => {
  await using disk = await SmallDisk.mount("200m");
  if (disk === undefined) return t.skip(CANNOT_MOUNT);
  const from = await source.createDatabase("full");
  await source.query(
    `create schema app; create table app.t (id int primary key, pad text);
     insert into app.t select i, repeat(md5(i::text), 8) from generate_series(1, 200000) i`,
    from,
  );
  const owner = await stat(join(target.directory, "data"));
  const space = join(disk.directory, "space");
  await mkdir(space);
  await chown(space, owner.uid, owner.gid);
  await chown(disk.directory, owner.uid, owner.gid);
  await target.query(`create tablespace small location '${space}'`);
  await target.query("create database full_target tablespace small");
  // Less than the table takes.
  await disk.fill({ leave: 24 << 20 });
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, "full_target"),
      tableMappings: schemas("app"),
    }),
  );
  await isFull(task, 0);
  await disk.free();
  await task.until(({ phase }) => phase === "replicating");
  await disk.fill();
  const before = task.logs.length;
  // More than the table's pages can have free, however its rows came.
  await source.query(
    "insert into app.t select 200000 + i, repeat(md5(i::text), 32) from generate_series(1, 100000) i",
    from,
  );
  await isFull(task, before);
  await disk.free();
  await task.until(({ phase }) => phase === "replicating");
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await assertEqualDatabases({ source, from, target, to: "full_target", schemas: ["app"] });
});
