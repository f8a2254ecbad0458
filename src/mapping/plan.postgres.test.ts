import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOf } from "../../test/support/endpoint.ts";
import { startPostgres } from "../../test/support/postgres-server.ts";
import { serverOfFile } from "../../test/support/server-pair.ts";
import { ObservedTask, taskSpec } from "../../test/support/task.ts";

const server = await serverOfFile(startPostgres());

const TWO_SCHEMAS = `
  create schema a; create schema b; create schema shared;
  create type shared.status as enum ('x', 'y');
  create type a.kind as enum ('k');
  create type b.kind as enum ('k');
  create sequence shared.ids;
  create table a.users (
    id serial primary key, n int generated always as identity, s shared.status default 'x'::shared.status,
    k a.kind default 'k', g bigint default nextval('shared.ids'), unique (n));
  create table b.users (
    id serial primary key, n int generated always as identity, s shared.status default 'y',
    k b.kind default 'k', u int references a.users, check (s = 'y'::shared.status));
  create index by_s on a.users (s) where s = 'x'::shared.status;
  create index by_s on b.users (s);
  insert into a.users default values;
  insert into a.users default values;
  insert into b.users (u) values (2)`;

const PREFIX_B = {
  "rule-type": "transformation",
  "rule-id": 2,
  "rule-name": "prefix",
  "rule-target": "table",
  "object-locator": { "schema-name": "b", "table-name": "%" },
  "rule-action": "add-prefix",
  value: "b_",
};

test("two schemas with equal names come together in one, with types, sequences, keys and defaults", async () => {
  const from = await server.createDatabase();
  const to = await server.createDatabase();
  await server.query(TWO_SCHEMAS, from);
  const spec = taskSpec({
    type: "full-load",
    source: endpointOf(server, from),
    target: endpointOf(server, to),
  });
  const { rules } = JSON.parse(spec.tableMappings);
  const task = new ObservedTask({
    ...spec,
    tableMappings: JSON.stringify({ rules: [...rules, PREFIX_B] }),
    settings: '{"TargetMetadata": {"TargetSchema": "All In"}}',
  });
  const outcome = await task.running.outcome;
  assert.equal(outcome.stopReason, "FULL_LOAD_ONLY_FINISHED", JSON.stringify(outcome.error));
  assert.deepEqual(outcome.suspendedTables, []);
  assert.deepEqual(
    task.findings.filter(({ code }) => code.startsWith("plan.")).map(({ message }) => message),
    ["sequence users_id_seq", "sequence users_n_seq", "index users_pkey", "index by_s"].map((object) => {
      const name = object.slice(object.indexOf(" ") + 1);
      return `The ${object} of b.users is named ${name}_b on the target, where its name is taken.`;
    }),
  );
  const [ofA] = await server.query(`insert into "All In".users default values returning *`, to);
  assert.deepEqual(ofA, { id: 3, n: 3, s: "x", k: "k", g: "3" });
  const [ofB] = await server.query(`insert into "All In".b_users (u) values (1) returning *`, to);
  assert.deepEqual(ofB, { id: 2, n: 2, s: "y", k: "k", u: 1 });
  const objects = await server.query(
    `select relname from pg_class where relnamespace = '"All In"'::regnamespace order by relname collate "C"`,
    to,
  );
  assert.equal(
    objects.map(({ relname }) => relname).join(" "),
    "b_users by_s by_s_b ids users users_id_seq users_id_seq_b users_n_key users_n_seq users_n_seq_b users_pkey users_pkey_b",
  );
  await assert.rejects(server.query(`insert into "All In".b_users (s) values ('x')`, to), { code: "23514" });
  await assert.rejects(server.query(`insert into "All In".b_users (u) values (99)`, to), { code: "23503" });
});
