import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionOptions } from "mysql2/promise";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, startMysql } from "../../../../test/support/mysql-server.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import { mysqlEngine } from "../engine.ts";

const signal = new AbortController().signal;

/** A server that watches locks of tables, with `bytes` of memory for what a session says of its program. */
const watching = (flavour: MysqlFlavour, bytes: number) =>
  serverOfFile(
    startMysql({
      flavour,
      settings: {
        performance_schema: 1,
        performance_schema_instrument: "'wait/lock/metadata/sql/mdl=ON'",
        performance_schema_session_connect_attrs_size: bytes,
        performance_schema_consumer_events_statements_current: "ON",
        performance_schema_consumer_events_statements_history: "ON",
      },
    }),
  );

for (const { flavour, knowsPrograms, server } of [
  { flavour: "mysql", knowsPrograms: true, server: await watching("mysql", 512) },
  { flavour: "mariadb", knowsPrograms: false, server: await watching("mariadb", 0) },
]) {
  const much = knowsPrograms ? "programs" : "only users";
  test(`${flavour} that knows ${much}: who writes is named, and neither Tideway nor who only locks rows`, async () => {
    const database = await server.createDatabase();
    await server.query(
      `create user 'app'@'%' identified by 'pw'; grant all on *.* to 'app'@'%'; create user 'mover'@'%' identified by 'pw';
       grant all on \`${database}\`.* to 'mover'@'%'; grant process on *.* to 'mover'@'%'; grant select on performance_schema.* to 'mover'@'%';
       create table t (a int primary key); create table u (a int primary key); insert into u values (1)`,
      database,
    );
    const [app, mover] = ["app", "mover"].map((user) => ({ user, password: "pw" }));
    const endpoint = { ...server.endpoint(database), username: "mover", password: "pw" };
    await using target = await mysqlEngine.openTarget(endpoint, signal);
    const program = (name: string): ConnectionOptions => ({ connectAttributes: { program_name: name } });
    const reader = await server.connect(database, app);
    const task = await server.connect(database, { ...mover, ...program("tideway apply") });
    const writer = await server.connect(database, { ...app, ...program("shop") });
    const namesake = await server.connect(database, { ...mover, ...program("mysqldump") });
    const [t, u] = ["t", "u"].map((name) => ({ schema: database, name }));
    const writersOf = target.watchWriters([t!, u!]);
    const named = (count: number) =>
      // The server shows transactions as they were up to a tenth of a second ago.
      eventually("the writers", async () => {
        const writers = await writersOf.look(signal);
        return writers.length >= count && writers;
      });
    try {
      await reader.query("start transaction; select * from t; select * from u where a = 1 for update");
      // Which of the two it has written to only a statement says that is seen.
      await reader.query("insert into t values (4)");
      await task.query("start transaction; insert into t values (2)");
      await namesake.query("start transaction; insert into t values (3)");
      await writer.query("start transaction; insert into t values (1)");
      const shop = { session: `${writer.threadId}`, user: "app", application: "shop" };
      const dump = {
        session: `${namesake.threadId}`,
        user: "mover",
        application: "mysqldump",
      };
      const expected = knowsPrograms ? [shop, dump] : [{ ...shop, application: null }];
      assert.deepEqual(
        await named(expected.length),
        expected.map((writer) => ({
          table: t,
          address: "127.0.0.1",
          prepared: null,
          counted: null,
          ...writer,
        })),
      );
      assert.deepEqual(await target.watchWriters([u!]).look(signal), []);
      await reader.query("insert into t values (5)");
      const all = await named(expected.length + 1);
      assert.deepEqual(
        all.filter(({ session }) => session === `${reader.threadId}`).map(({ table }) => table),
        [t],
      );
    } finally {
      for (const client of [reader, task, writer, namesake]) client.destroy();
    }
  });

  test(`${flavour} that knows ${much}: a statement that commits by itself is told, of a session that is there and of one that is not`, async () => {
    const database = await server.createDatabase();
    const user = `short_${flavour}`;
    await server.query(
      `create user '${user}'@'%' identified by 'pw'; grant all on \`${database}\`.* to '${user}'@'%'; create user 'taker_${flavour}'@'%' identified by 'pw';
       grant all on *.* to 'taker_${flavour}'@'%'; create table t (a int primary key); create table u (a int primary key auto_increment)`,
      database,
    );
    const endpoint = { ...server.endpoint(database), username: `taker_${flavour}`, password: "pw" };
    await using target = await mysqlEngine.openTarget(endpoint, signal);
    const [t, u] = ["t", "u"].map((name) => ({ schema: database, name }));
    const watch = target.watchWriters([t!, u!]);
    const application = knowsPrograms ? "shop" : null;
    const account = { user, password: "pw", connectAttributes: { program_name: "shop" } };
    const writer = await server.connect(database, account);
    try {
      assert.deepEqual(await watch.look(signal), []);
      await writer.query("select 'insert into u', a from u; insert into t values (1)");
      const told = async () => {
        const found = await watch.look(signal);
        return found.length > 0 && found;
      };
      const who = { session: `${writer.threadId}`, user, address: "127.0.0.1", application };
      assert.deepEqual(await eventually("the writer", told), [
        { table: t, prepared: null, isStated: true, counted: null, ...who },
      ]);
      const gone = async () => {
        await server.queryAndLeave("insert into u values (null)", database, account);
        return await told();
      };
      const [somebody, ...others] = await eventually("somebody", gone);
      assert.deepEqual(others, []);
      const { table, session, counted } = somebody!;
      assert.deepEqual({ table, session, user: somebody!.user }, { table: u, session: null, user: null });
      assert.equal(counted!.rows, null);
      assert.deepEqual(counted!.onlyAccount, { user, address: "127.0.0.1" });
    } finally {
      writer.destroy();
    }
  });
}
