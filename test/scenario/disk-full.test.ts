import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chown, mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertEqualDatabases } from "../support/assert-equal.ts";
import { endpointOf } from "../support/endpoint.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { ObservedTask, schemas, taskSpec } from "../support/task.ts";

let source: PostgresServer;
let target: PostgresServer;
/** A small file system in memory, when this user may mount one. */
let disk: string;
let isMounted: boolean;

before(async () => {
  disk = await mkdtemp(join(tmpdir(), "tideway-disk-"));
  isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", disk]).status === 0;
  [source, target] = await Promise.all([startPostgres(), startPostgres()]);
});

after(async () => {
  await Promise.all([source?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
  if (isMounted) spawnSync("umount", [disk]);
  await rm(disk, { recursive: true, force: true });
});

test("a target without disk space is tried again, and the task goes on when there is space", async (t) => {
  if (!isMounted) return t.skip("needs the right to mount a small file system");
  const from = await source.createDatabase("full");
  await source.query(
    `create schema app; create table app.t (id int primary key, pad text);
     insert into app.t select i, repeat(md5(i::text), 8) from generate_series(1, 400000) i`,
    from,
  );
  const owner = await stat(join(target.directory, "data"));
  await mkdir(join(disk, "space"));
  await chown(join(disk, "space"), owner.uid, owner.gid);
  await chown(disk, owner.uid, owner.gid);
  await target.query(`create tablespace small location '${join(disk, "space")}'`);
  await target.query("create database full_target tablespace small");
  const task = new ObservedTask(
    taskSpec({
      type: "full-load-and-cdc",
      source: endpointOf(source, from),
      target: endpointOf(target, "full_target"),
      tableMappings: schemas("app"),
      untilCaughtUp: true,
    }),
  );
  const isFull = (): boolean => task.logs.some((log) => log.fields["code"] === "target.full");
  for (let attempt = 0; attempt < 300 && !isFull(); attempt++) await target.query("select pg_sleep(0.1)");
  assert.ok(isFull(), JSON.stringify(task.logs));
  assert.equal(spawnSync("mount", ["-o", "remount,size=1g", disk]).status, 0);
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  await assertEqualDatabases({ source, from, target, to: "full_target", schemas: ["app"] });
});
