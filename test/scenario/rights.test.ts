import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Finding } from "../../src/core/finding.ts";
import type { TaskProgress } from "../../src/task/task.ts";
import { rightsOf } from "../support/compare-rights.ts";
import { endpointOf } from "../support/endpoint.ts";
import { armingOf, killsIn } from "../support/kills.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";
import { RIGHTS_SCHEMA } from "../support/rights-schema.ts";
import { everything, ObservedTask, runToEnd, schemas, TaskProcess, taskSpec } from "../support/task.ts";

/* Owners, privileges and default privileges (TidewaySettings.MigratePrivileges). */

const [oldest, middle, newest] = await Promise.all([12, 14, 18].map((version) => startPostgres({ version })));
const servers = [oldest!, middle!, newest!] as const;
after(async () => {
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
});
for (const server of servers) {
  await server.query('create role "App Owner"; create role writer; create role reader; create role keeper');
}
// Two roles of the source that the target in the middle lacks, or does not let its user act as.
for (const server of [oldest!, newest!]) await server.query("create role auditor");
await middle!.query(
  `create role mover login password 'tideway-test'; grant "App Owner", writer, reader to mover`,
);

/** What a database gives the target's users by itself must not come on top. */
const OWN_DEFAULTS = `alter default privileges grant select on tables to public;
  alter default privileges grant all on sequences to reader; alter default privileges revoke execute on functions from public;`;

const settings = JSON.stringify({ TidewaySettings: { MigratePrivileges: true } });

interface Pair {
  readonly source: PostgresServer;
  readonly target: PostgresServer;
  readonly username?: string;
}

async function databases(name: string, { source, target, username }: Pair) {
  const [from, to] = [await source.createDatabase(name), await target.createDatabase(name)];
  await source.query(RIGHTS_SCHEMA, from);
  await target.query(OWN_DEFAULTS, to);
  const own = endpointOf(target, to);
  const ends = {
    source: endpointOf(source, from),
    target: username === undefined ? own : { ...own, username },
  };
  const rights = async (server: PostgresServer, database: string, schema = "app"): Promise<string[]> => {
    const client = await server.connect(database);
    try {
      return await rightsOf(client, schema);
    } finally {
      await client.end();
    }
  };
  return {
    ...{ from, to, ends },
    before: (schema?: string) => rights(source, from, schema),
    after: (schema?: string) => rights(target, to, schema),
  };
}

function grave(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ severity, code }) => severity !== "info" && code !== "target.trigger_privilege")
    .map(({ code, subject }) => `${code} ${subject}`)
    .sort();
}

test("owners, privileges and default privileges arrive as they are on the source", async () => {
  const pair = await databases("rights", { source: oldest!, target: newest! });
  await oldest!.query(
    `create aggregate app.middle (float8 order by anyelement) (
       sfunc = ordered_set_transition, stype = internal, finalfunc = percentile_disc_final, finalfunc_extra);
     alter aggregate app.middle (float8 order by anyelement) owner to writer`,
    pair.from,
  );
  const { outcome, findings } = await runToEnd(taskSpec({ type: "full-load", ...pair.ends, settings }));
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.deepEqual(grave(findings), []);
  const expected = await pair.before();
  assert.ok(expected.some((fact) => fact.includes("INSERT by writer to reader")));
  assert.deepEqual(await pair.after(), expected);
  // Once more: what was there before this run keeps what it has, the tables are made anew.
  await newest!.query("grant select on app.item to keeper; grant usage on type app.mood to keeper", pair.to);
  const again = await runToEnd(taskSpec({ type: "full-load", ...pair.ends, settings }));
  assert.equal(again.outcome.state, "stopped", JSON.stringify(again.outcome.error));
  assert.deepEqual(again.outcome.suspendedTables, []);
  assert.deepEqual(grave(again.findings), ["target.rights_kept type"]);
  const told = again.findings.find(({ code }) => code === "target.rights_kept");
  assert.match(told?.message ?? "", /Not done: revoke usage on type app\.mood from "keeper"\./);
  const kept = (await pair.after()).filter((fact) => !expected.includes(fact));
  assert.deepEqual(kept, [
    'type mood of App Owner: {"USAGE by App Owner to App Owner","USAGE by App Owner to keeper"}',
  ]);
});

test("a role that is missing, or is not the user's, is told before the start, and the rest is given", async () => {
  const pair = await databases("members", { source: newest!, target: middle!, username: "mover" });
  await middle!.query(
    `grant create on database ${pair.to} to mover, "App Owner"; grant create on schema public to mover`,
    pair.to,
  );
  // This includes MAINTAIN, which the target does not know.
  await newest!.query("grant all on app.events_1, app.names to reader", pair.from);
  const spec = taskSpec({ type: "full-load", ...pair.ends, settings });
  const task = new ObservedTask(spec);
  await task.until(({ phase }) => phase !== "starting" && phase !== "assessing");
  const roles = [
    "target.role_missing auditor",
    "target.role_not_member keeper",
    "target.role_not_member postgres",
  ];
  assert.deepEqual(grave(task.findings), roles);
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const remedies = task.findings
    .filter(({ code }) => code.startsWith("target.role"))
    .map(({ remedy }) => remedy);
  assert.ok(remedies.some((remedy) => remedy.includes('create role "auditor";')));
  assert.ok(remedies.some((remedy) => remedy.includes('grant "keeper" to "mover";')));
  assert.deepEqual(grave(task.findings), [...roles, "target.right_not_given MAINTAIN"].sort());
  // What keeper and the superuser own stays the user's.
  const expected = (await pair.before())
    .map((fact) => fact.replaceAll(/keeper|postgres/gu, "mover"))
    .flatMap((fact) => {
      const rest = fact.replace(/"[^"]* to auditor( \*)?",?/gu, "").replace(",}", "}");
      return rest.endsWith("{}") && rest !== fact ? [] : [rest];
    });
  assert.deepEqual(await pair.after(), expected);

  // The remedy: tables get what is theirs, and for what the first run has made it is told what is left.
  await middle!.query(
    "create role auditor; grant keeper to mover; grant create on schema app to keeper",
    pair.to,
  );
  const again = await runToEnd({ ...spec, start: "reload-target" });
  assert.equal(again.outcome.state, "stopped", JSON.stringify(again.outcome.error));
  const told = again.findings.filter(({ code }) => code === "target.rights_kept");
  const statements = told
    .map(({ message }) => message.slice(message.indexOf("Not done: ") + 10, -1))
    .join("; ");
  await middle!.query(statements, pair.to);
  const isGiven = (facts: readonly string[]): string[] =>
    facts.filter((fact) => /auditor|keeper/u.test(fact) && !fact.includes("postgres")).sort();
  assert.deepEqual(isGiven(await pair.after()), isGiven(await pair.before()));
});

test("killed while it gives rights, a task gives the rest when it goes on", async () => {
  const pair = await databases("killed", { source: newest!, target: newest! });
  const spec = taskSpec({ type: "full-load", ...pair.ends, settings });
  const killed = await new TaskProcess(spec, armingOf(killsIn("rights")[0]!)).ended();
  assert.equal(killed.signal, "SIGKILL");
  const { outcome, findings } = await runToEnd({ ...spec, start: "resume-processing" });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(grave(findings), []);
  assert.deepEqual(await pair.after(), await pair.before());
});

test("what was there before the task keeps its owner and privileges; a renamed schema has the source's", async () => {
  const pair = await databases("kept", { source: newest!, target: newest! });
  await newest!.query(
    `create schema moved; create table moved.archive (id integer primary key, note text); create sequence moved.ticket;
     create table moved.events (at date, id integer, primary key (at, id)) partition by range (at);
     alter table moved.events alter column id set statistics 7;
     grant select on moved.archive to writer; grant usage on schema moved to writer`,
    pair.to,
  );
  const rename = {
    "rule-type": "transformation",
    "rule-id": "9",
    "rule-name": "9",
    "rule-target": "schema",
    "object-locator": { "schema-name": "app" },
    "rule-action": "rename",
    value: "moved",
  };
  const tableMappings = JSON.stringify({ rules: [...JSON.parse(everything).rules, rename] });
  const kept = JSON.stringify({
    ...JSON.parse(settings),
    FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" },
  });
  await newest!.query("alter table only app.events alter column id set statistics 55", pair.from);
  const before = await pair.after("moved");
  const task = new ObservedTask(
    taskSpec({ type: "full-load-and-cdc", ...pair.ends, tableMappings, settings: kept }),
  );
  await task.until(({ phase }) => phase === "replicating");
  // What is granted since stays, also when the table is loaded again.
  await newest!.query("grant select on moved.item to keeper", pair.to);
  task.running.reloadTables([{ schema: "app", name: "item" }]);
  await task.until(({ phase, tables }) => {
    return (
      phase === "replicating" && tables.some(({ reloaded, state }) => reloaded && state === "Table completed")
    );
  });
  await newest!.query("update app.item set secret = 'changed' where id = 1", pair.from);
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const kinds = ["partitioned table", "schema", "sequence", "table"];
  assert.deepEqual(
    grave(task.findings),
    kinds.map((kind) => `target.rights_kept ${kind}`),
  );
  const [events] = await newest!.query(
    "select attstattarget from pg_attribute where attrelid = 'moved.events'::regclass and attname = 'id'",
    pair.to,
  );
  assert.equal(Number(events.attstattarget), 7);
  const reader = '"SELECT by App Owner to keeper",';
  const found = await pair.after("moved");
  assert.ok(found.some((fact) => fact.includes(reader)));
  const rights = found.map((fact) => fact.replace(reader, ""));
  assert.deepEqual(
    rights.filter((fact) => before.includes(fact)),
    before,
  );
  const old = new Set(before.map((fact) => fact.slice(0, fact.indexOf(" of "))));
  const made = (facts: string[]): string[] =>
    facts.filter((fact) => !old.has(fact.slice(0, fact.indexOf(" of "))));
  assert.deepEqual(made(rights), made(await pair.before()));
  const [row] = await newest!.query("select secret from moved.item where id = 1", pair.to);
  assert.equal(row.secret, "changed");
});

test("while changes are applied an owner keeps what is revoked from it on the source, and that is said", async () => {
  const pair = await databases("waiting", { source: newest!, target: newest! });
  const spec = taskSpec({
    ...{ type: "full-load-and-cdc", ...pair.ends, settings, untilCaughtUp: true },
    tableMappings: schemas("app"),
  });
  const { outcome, findings } = await runToEnd(spec);
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  assert.deepEqual(grave(findings), ["target.object_waits table app.archive"]);
  const [row] = await newest!.query(
    "select has_table_privilege('keeper', 'app.archive', 'delete') as may",
    pair.to,
  );
  assert.equal(row.may, true);
});

test("the setting turned on when a task is resumed is for what is not there yet, and that is said", async () => {
  const pair = await databases("later", { source: newest!, target: newest! });
  const spec = taskSpec({ type: "full-load", ...pair.ends });
  const killed = await new TaskProcess(spec, "build.sequences-set").ended();
  assert.equal(killed.signal, "SIGKILL");
  const { outcome, findings } = await runToEnd({ ...spec, settings, start: "resume-processing" });
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  const told = grave(findings);
  assert.ok(told.includes("settings.no_effect TidewaySettings.MigratePrivileges"), told.join("\n"));
  const schema = findings.find(({ code, subject }) => code === "target.rights_kept" && subject === "schema");
  assert.match(schema?.message ?? "", /alter schema app owner to "App Owner";/);
  assert.match(schema?.message ?? "", /grant create, usage on schema app to "writer" with grant option/);
  const facts = await pair.after();
  for (const fact of ["schema of postgres", "relation item of App Owner", "relation names of App Owner"]) {
    assert.ok(
      facts.some((one) => one.startsWith(fact)),
      fact,
    );
  }
});

test("what is made anew while changes are applied, or comes later, gets its owner and its privileges", async () => {
  const pair = await databases("anew", { source: newest!, target: newest! });
  const client = await newest!.connect(pair.from);
  // Of columns that come by comparing: what notes of schema changes bring has no grants.
  const from = { ...pair.ends.source, settings: { ...pair.ends.source.settings, CaptureDdls: false } };
  const ends = { ...pair.ends, source: from };
  const task = new ObservedTask(taskSpec({ type: "full-load-and-cdc", ...ends, settings }));
  try {
    const isOf =
      (name: string, wanted: string) =>
      ({ tables }: TaskProgress): boolean =>
        tables.some(({ id, state, reloaded }) => id.name === name && wanted === `${state} ${reloaded}`);
    await task.until(({ phase }) => phase === "replicating");
    await client.query(
      `alter table app.archive alter note type varchar(9); insert into app.archive values (99, 'x');
       alter table app.item add column seen int; grant select (seen) on app.item to reader;
       create schema later authorization writer; grant usage on schema later to reader;
       create table later.fresh (id int primary key); alter table later.fresh owner to "App Owner"`,
    );
    await task.until((progress) => {
      return (
        progress.phase === "replicating" &&
        isOf("archive", "Table error false")(progress) &&
        isOf("fresh", "Table completed false")(progress)
      );
    });
    // It stands in the way of the table.
    await newest!.query("drop view app.notes", pair.to);
    task.running.reloadTables([{ schema: "app", name: "archive" }]);
    await task.until(isOf("archive", "Table completed true"));
    task.running.drain();
    const { suspendedTables } = await task.running.outcome;
    assert.deepEqual(suspendedTables, []);
  } finally {
    await client.end();
    task.running.stop();
    await task.running.outcome;
  }
  // What the owner has lost on the source it keeps while changes are applied.
  const of = (facts: readonly string[]): string[] =>
    facts.map((fact) => fact.replaceAll(/"(?:DELETE|TRUNCATE) by keeper to keeper",?/gu, ""));
  assert.deepEqual(of(await pair.after()), of(await pair.before()));
  assert.deepEqual(await pair.after("later"), await pair.before("later"));
});
