import assert from "node:assert/strict";
import { test } from "node:test";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import type { SchemaObject } from "../../../core/schema.ts";
import { describeTextSearch } from "../catalog/catalog-text-search.ts";
import { makeObjects } from "./make-objects.ts";

const SOURCE = `
  create schema app;
  create text search dictionary app.stems (template = snowball, language = 'english');
  create text search configuration app.words (copy = pg_catalog.simple);
  alter text search configuration app.words alter mapping for asciiword, word with app.stems`;

test("a text search object that is there is kept when it is the same, and told when it is another", async () => {
  await using server = await startPostgres();
  const [from, to] = [await server.createDatabase(), await server.createDatabase()];
  await server.query(SOURCE, from);
  await server.query("create schema app", to);
  await using source = await clientOf(from);
  await using target = await clientOf(to);
  await source.client.query("begin");
  const scope = { schemas: ["app"], tables: [], oids: [] };
  const objects = (await describeTextSearch(source.client, scope)).map(
    ({ node, otherwise, ...object }): SchemaObject => ({ ...object, stage: "before-rows", needs: [] }),
  );
  const request = { objects, replace: true, replicates: false };
  assert.deepEqual(await makeObjects(target.client, request), ["made", "made"]);
  await target.client.query("comment on text search configuration app.words is 'ours'");
  assert.deepEqual(await makeObjects(target.client, request), ["kept", "kept"]);
  await target.client.query(
    "alter text search configuration app.words alter mapping for word with pg_catalog.simple",
  );
  const outcomes = await makeObjects(target.client, request);
  assert.deepEqual(
    outcomes.map((outcome) => (typeof outcome === "string" ? outcome : `${outcome.code} ${outcome.subject}`)),
    ["kept", "target.object_conflict app.words"],
  );
  const needed = objects.map((object): SchemaObject => ({ ...object, stage: "before-tables" }));
  await assert.rejects(makeObjects(target.client, { ...request, objects: needed }), {
    code: "target.object_conflict",
  });

  async function clientOf(database: string) {
    const client = await server.connect(database);
    return { client, [Symbol.asyncDispose]: () => client.end() };
  }
});
