import assert from "node:assert/strict";
import { test } from "node:test";
import { unaborted } from "../../../../test/support/bulk-copy.ts";
import { endpointOf } from "../../../../test/support/endpoint.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { PostgresTarget } from "../target.ts";
import { openJournal } from "./journal.ts";

test("a journal tells which start it is about, and where there is none nothing is made", async () => {
  await using server = await startPostgres({ version: 12 });
  const database = await server.createDatabase();
  const endpoint = endpointOf(server, database);
  await using target = new PostgresTarget(endpoint);
  const request = { taskId: "t1", controlSchema: 'Control "1"' };
  const noted = (): Promise<string | undefined> => target.notedStart(request, unaborted);
  assert.equal(await noted(), undefined);
  const made = 'select from pg_namespace where nspname = $$Control "1"$$';
  assert.equal((await server.query(made, database)).length, 0);
  await using journal = await openJournal(endpoint, request, unaborted);
  assert.equal(await noted(), undefined);
  await journal.noteStart("first", unaborted);
  await journal.noteStart(`it's "2"\\`, unaborted);
  assert.equal(await noted(), `it's "2"\\`);
  assert.equal(await target.notedStart({ ...request, taskId: "t2" }, unaborted), undefined);
  assert.deepEqual(await journal.tables(unaborted), []);
  await journal.forget(unaborted);
  assert.equal(await noted(), undefined);
});
