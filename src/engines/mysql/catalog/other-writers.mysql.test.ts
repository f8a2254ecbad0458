import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { startMysql } from "../../../../test/support/mysql-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { mysqlEngine } from "../engine.ts";

const signal = new AbortController().signal;

test("a writer is named where the performance schema watches locks of tables, and a reader with locks is not", async () => {
  const server = await serverOfFile(
    startMysql({
      flavour: "mysql",
      settings: { performance_schema: 1, performance_schema_instrument: "'wait/lock/metadata/sql/mdl=ON'" },
    }),
  );
  const database = await server.createDatabase();
  await server.query(
    "create user 'app'@'%' identified by 'pw'; grant all on *.* to 'app'@'%'; create table t (a int primary key); create table u (a int primary key); insert into u values (1)",
    database,
  );
  await using target = await mysqlEngine.openTarget(server.endpoint(database), signal);
  const account = { user: "app", password: "pw" };
  const [writer, reader] = [await server.connect(database, account), await server.connect(database, account)];
  const own = await server.connect(database);
  const [t, u] = ["t", "u"].map((name) => ({ schema: database, name }));
  try {
    await reader.query("start transaction; select * from t; select * from u where a = 1 for update");
    await own.query("start transaction; insert into t values (2)");
    assert.deepEqual(await target.otherWriters([t!, u!], signal), []);
    await writer.query("start transaction; insert into t values (1)");
    // The server shows transactions as they were up to a tenth of a second ago.
    const [found, ...others] = await eventually("the writer", async () => {
      const writers = await target.otherWriters([t!, u!], signal);
      return writers.length > 0 && writers;
    });
    assert.deepEqual(others, []);
    const { application: _application, ...who } = found!;
    const address = "127.0.0.1";
    assert.deepEqual(who, { table: t, session: `connection ${writer.threadId}`, user: "app", address });
    assert.deepEqual(await target.otherWriters([u!], signal), []);
  } finally {
    for (const client of [writer, reader, own]) client.destroy();
  }
});
