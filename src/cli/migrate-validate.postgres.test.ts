import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { tideway } from "../../test/support/command-line.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { serverOfFile } from "../../test/support/server-pair.ts";

const server = await serverOfFile(startPostgres());

test("--validate compares what a migration has moved, names what differs, and ends with 3 then", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tideway-cli-"));
  await using opened = new AsyncDisposableStack();
  opened.defer(() => rm(directory, { recursive: true }));
  const source = await server.createDatabase("source");
  const target = await server.createDatabase("target");
  await server.query(
    `create table a (id int primary key, t text); create table b (id int primary key, t text);
     insert into a select i, 'a' || i from generate_series(1, 1000) i; insert into b select i from generate_series(1, 10) i`,
    source,
  );
  await server.query(
    `create table a (id int primary key, t text);
     create function wrong() returns trigger language plpgsql as $$ begin new.t = 'wrong'; return new; end $$;
     create trigger wrong before insert on a for each row when (new.id = 7) execute function wrong();
     alter table a enable always trigger wrong`,
    target,
  );
  const args = ["migrate", server.url(source), server.url(target), "--data-dir", directory, "--validate"];
  const different = await tideway([...args, "--prep-mode", "truncate"]);
  assert.equal(different.code, 3, different.stdout + different.stderr);
  assert.match(different.stdout, /\n\d\d:\d\d:\d\d {2}comparing both sides\n/);
  assert.match(different.stdout, /public\.a: 1 row differs\n/);
  assert.match(different.stdout, /public\.b: all rows are equal\n/);
  assert.match(
    different.stdout,
    /\nValidation: 2 of 2 tables compared; 1 row of 1 table differs\. .+\n {2}public\.a: 1 row differs\n/,
  );
  const records = `select "TABLE_NAME", "KEY", "FAILURE_TYPE" from awsdms_validation_failures_v1`;
  assert.deepEqual(await server.query(records, target), [
    { TABLE_NAME: "a", KEY: '{"key": ["7"]}', FAILURE_TYPE: "RECORD_DIFF" },
  ]);

  await server.query("drop trigger wrong on a", target);
  const changes = ["--type", "full-load-and-cdc", "--until-caught-up", "--json"];
  const equal = await tideway([...args, "--prep-mode", "truncate", ...changes]);
  assert.equal(equal.code, 0, equal.stdout + equal.stderr);
  const outcome = JSON.parse(equal.stdout.trim().split("\n").at(-1)!);
  assert.equal(outcome.event, "outcome");
  assert.deepEqual([outcome.validation.compared, outcome.validation.differingRows], [2, 0]);
  const end = await tideway([...args, "--type", "full-load-and-cdc", "--end"]);
  assert.equal(end.code, 0, end.stderr);
});
