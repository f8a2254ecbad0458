import assert from "node:assert/strict";
import { after, test } from "node:test";
import { endpointOf } from "../support/endpoint.ts";
import { armingOf, killsIn } from "../support/kills.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { runToEnd, schemas, TaskProcess, taskSpec } from "../support/task.ts";

/* Large objects (TidewaySettings.MigrateLargeObjects). */

const [oldest, newest] = await Promise.all([12, 18].map((version) => startPostgres({ version })));
const servers = [oldest!, newest!] as const;
after(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});
for (const server of servers) await server.query("create role holder; create role viewer");

/** More than two transactions of small ones, and lengths on both sides of what is read at once. */
const OBJECTS = `
  create table refers (id integer primary key, file oid);
  insert into refers select i, lo_from_bytea(20000 + i, decode(md5(i::text), 'hex')) from generate_series(1, 250) i;
  select lo_create(30000);
  select lo_from_bytea(30001, convert_to(repeat('a', 65535), 'SQL_ASCII')), lo_from_bytea(30002, convert_to(repeat('b', 65536), 'SQL_ASCII')),
         lo_from_bytea(30003, convert_to(repeat('0123456789', 111412) || 'xyz', 'SQL_ASCII')),
         lo_from_bytea(30004, convert_to(repeat('c', 65536 + 2 * 1048576), 'SQL_ASCII'));
  -- A hole is read as zeros.
  select lo_put(lo_create(4294967295), 3000000, 'end');
  comment on large object 30001 is 'it''s long';
  alter large object 20007 owner to holder;
  grant select on large object 20007 to viewer with grant option;
  grant select, update on large object 20008 to public;
  revoke update on large object 20009 from postgres`;

const CONTENT = `
  select oid::text, md5(lo_get(oid)) as content, length(lo_get(oid)) as length, pg_get_userbyid(lomowner) as owner,
         lomacl::text as privileges, obj_description(oid, 'pg_largeobject') as comment
    from pg_largeobject_metadata order by pg_largeobject_metadata.oid`;

const both = JSON.stringify({ TidewaySettings: { MigrateLargeObjects: true, MigratePrivileges: true } });

interface Pair {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
}

async function databases(name: string, { source, target }: Pair) {
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  await source.query(OBJECTS, from);
  return { from, to, ends: { source: endpointOf(source, from), target: endpointOf(target, to) } };
}

test("large objects arrive under their numbers, whenever the task is killed", async () => {
  const { from, to, ends } = await databases("large", { source: oldest!, target: newest! });
  await newest!.query("select lo_from_bytea(20100, 'somebody''s')", to);
  const spec = taskSpec({ type: "full-load", ...ends, settings: both });
  const [whenWritten, whenDone] = killsIn("largeObjects").map(armingOf);
  const inside = await new TaskProcess(spec, whenWritten).ended();
  assert.equal(inside.signal, "SIGKILL");
  const resumed = { ...spec, start: "resume-processing" as const };
  const between = await new TaskProcess(resumed, whenDone).ended();
  assert.equal(between.signal, "SIGKILL");
  const [row] = await newest!.query("select count(*)::int as some from pg_largeobject_metadata", to);
  assert.ok(row.some >= 199 && row.some < 257, String(row.some));
  const { outcome, findings } = await runToEnd(resumed);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== "info").map(({ code }) => code),
    ["load.two_moments"],
  );
  const isOther = ({ oid }: { oid: string }): boolean => oid !== "20100";
  const [expected, actual] = [await oldest!.query(CONTENT, from), await newest!.query(CONTENT, to)];
  assert.deepEqual(actual.filter(isOther), expected.filter(isOther));
  assert.equal(actual.length, expected.length);
  assert.equal(actual.find((one) => !isOther(one)).length, 10);
});

test("before the start it is said what becomes of large objects, and which of the target's are in the way", async () => {
  const { from, to, ends } = await databases("told", { source: newest!, target: oldest! });
  const until = { type: "full-load-and-cdc", ...ends, untilCaughtUp: true } as const;
  const spec = taskSpec(until);
  const off = await runToEnd(spec);
  assert.equal(off.outcome.state, "stopped", JSON.stringify(off.outcome.error));
  const left = off.findings.find(({ code }) => code === "source.not_moved");
  assert.match(left?.message ?? "", /^Large objects are not moved: 256\.$/);
  assert.match(left?.remedy ?? "", /MigrateLargeObjects/);
  assert.deepEqual(await oldest!.query("select from pg_largeobject_metadata", to), []);

  await oldest!.query("select lo_from_bytea(30002, 'mine'), lo_from_bytea(30003, 'mine')", to);
  const settings = JSON.stringify({ TidewaySettings: { MigrateLargeObjects: true } });
  // Turned on when the task is resumed, they come with what that has to read.
  const on = await runToEnd({ ...spec, settings, start: "resume-processing" });
  assert.equal(on.outcome.state, "stopped", JSON.stringify(on.outcome.error));
  const told = on.findings.filter(({ subject }) => subject === "large objects");
  assert.deepEqual(
    told.map(({ code, severity }) => `${severity} ${code}`),
    ["warning source.large_objects", "warning target.large_object_kept"],
  );
  assert.match(told[1]!.message, /30002, 30003 and/);
  const theirs = await newest!.query(CONTENT, from);
  const ours = await oldest!.query(CONTENT, to);
  const contents = (rows: typeof ours) => rows.map(({ oid, content }) => `${oid} ${content}`);
  const different = contents(ours).filter((fact, i) => fact !== contents(theirs)[i]);
  assert.equal(ours.length, theirs.length);
  assert.deepEqual(
    different.map((fact) => fact.slice(0, 5)),
    ["30002", "30003"],
  );
  assert.deepEqual(new Set(ours.map(({ owner }) => owner)), new Set(["postgres"]));
});

test("large objects that the source's user may not read stop the task before the start", async () => {
  const { from, ends } = await databases("hidden", { source: newest!, target: oldest! });
  await newest!.query(
    `create role looker login password 'tideway-test'; grant pg_read_all_data to looker; create role stranger;
     grant select on large object 30000 to stranger`,
    from,
  );
  const source = { ...ends.source, username: "looker" };
  const { outcome, findings } = await runToEnd(
    taskSpec({ type: "full-load", ...ends, source, settings: both }),
  );
  assert.equal(outcome.state, "failed");
  assert.equal(outcome.error?.code, "source.privilege");
  assert.match(outcome.error.message, /may not read 255 of 256 large objects/);
  const roles = findings.filter(({ code }) => code === "target.role_missing").map(({ subject }) => subject);
  assert.deepEqual(roles, ["stranger"]);
});

test("a task that captures changes is resumed in its large objects, and after them whatever others are made", async () => {
  const { from, to, ends } = await databases("later", { source: newest!, target: oldest! });
  await newest!.query(
    `create role copier login replication password 'tideway-test'; grant create on database ${from} to copier;
     alter table refers owner to copier;
     do $$ declare one oid; begin
       for one in select oid from pg_largeobject_metadata loop execute format('grant select on large object %s to copier', one); end loop;
     end $$`,
    from,
  );
  const settings = JSON.stringify({ TidewaySettings: { MigrateLargeObjects: true } });
  const source = { ...ends.source, username: "copier" };
  const spec = taskSpec({
    ...{ type: "full-load-and-cdc", ...ends, source, settings, untilCaughtUp: true },
    tableMappings: schemas("public"),
  });
  const killed = await new TaskProcess(spec, "load.large-objects-done:1").ended();
  assert.equal(killed.signal, "SIGKILL", JSON.stringify(killed.outcome?.error));
  const resumed = { ...spec, start: "resume-processing" as const };
  const loaded = await runToEnd(resumed);
  assert.equal(loaded.outcome.state, "stopped", JSON.stringify(loaded.outcome.error));
  const contents = async (server: PostgresServer, database: string): Promise<string[]> =>
    (await server.query(CONTENT, database)).map(({ oid, content }) => `${oid} ${content}`);
  assert.deepEqual(await contents(oldest!, to), await contents(newest!, from));
  // Nobody has granted this one, and nobody is going to read it.
  await newest!.query("select lo_create(40000); insert into refers values (251, 40000)", from);
  const { outcome } = await runToEnd(resumed);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const [row] = await oldest!.query("select file from refers where id = 251", to);
  assert.equal(Number(row.file), 40_000);
});
