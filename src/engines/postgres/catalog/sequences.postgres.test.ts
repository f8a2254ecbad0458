import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { connectTo } from "../../../../test/support/schema-plan.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { MigrationError } from "../../../core/error.ts";
import type { TableId } from "../../../core/schema.ts";
import { PostgresTarget } from "../target.ts";
import { readSequenceStates, setSequences } from "./sequences.ts";

const server = await serverOfFile(startPostgres({ version: 12 }));

function id(name: string, schema = "public"): TableId {
  return { schema, name };
}

test("sequences go on where they stood", async () => {
  const source = await server.createDatabase();
  const target = await server.createDatabase();
  const sql = `create schema "S ""'x"; create sequence "S ""'x"."seq ""'1"; create sequence fresh start with 5;
    create sequence down increment by -1; create sequence huge`;
  await server.query(sql, source);
  await server.query(`${sql}; select nextval('fresh'), nextval('fresh')`, target);
  await server.query(
    `select nextval('"S ""''x"."seq ""''1"'), nextval('down'), setval('huge', 9223372036854775806, false)`,
    source,
  );
  const ids = [id("seq \"'1", "S \"'x"), id("fresh"), id("down"), id("huge"), id("gone")];
  const reader = await connectTo(server, source);
  const writer = await connectTo(server, target);
  try {
    const states = await readSequenceStates(reader, ids);
    assert.deepEqual(states, [
      { id: ids[0], last: "1", isCalled: true },
      { id: ids[1], last: "5", isCalled: false },
      { id: ids[2], last: "-1", isCalled: true },
      { id: ids[3], last: "9223372036854775806", isCalled: false },
    ]);
    const extra = { id: id("not there"), last: "1", isCalled: true };
    assert.deepEqual(await setSequences(writer, [...states, extra]), [extra.id]);
    assert.deepEqual(await readSequenceStates(writer, ids), states);
  } finally {
    await reader.end();
    await writer.end();
  }
});

test("thousands of sequences take a few round trips", async () => {
  const database = await server.createDatabase();
  await server.query(
    "do $$ begin for i in 1 .. 1200 loop execute format('create sequence s%s start with %s', i, i); end loop; end $$",
    database,
  );
  const client = await connectTo(server, database);
  try {
    const states = await readSequenceStates(
      client,
      Array.from({ length: 1200 }, (_, i) => id(`s${i + 1}`)),
    );
    assert.equal(states.length, 1200);
    assert.ok(states.every(({ id: { name }, last }) => name === `s${last}`));
    await setSequences(
      client,
      states.map((state) => ({ ...state, last: String(Number(state.last) + 1), isCalled: true })),
    );
    assert.deepEqual(await readSequenceStates(client, [id("s1200")]), [
      { id: id("s1200"), last: "1201", isCalled: true },
    ]);
  } finally {
    await client.end();
  }
});

test("a sequence that cannot stand there is the target's error", async () => {
  const database = await server.createDatabase();
  await server.query("create sequence small maxvalue 10", database);
  await using target = new PostgresTarget(endpointOf(server, database));
  const { signal } = new AbortController();
  await assert.rejects(
    target.setSequences([{ id: id("small"), last: "11", isCalled: true }], signal),
    (error: unknown) => error instanceof MigrationError && error.code === "target.query_failed",
  );
});
