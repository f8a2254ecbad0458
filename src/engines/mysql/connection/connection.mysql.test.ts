import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { makeCertificates } from "../../../../test/support/certificates.ts";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { MigrationError } from "../../../core/error.ts";
import { clientPool } from "./client-pool.ts";
import { connect } from "./connection.ts";

const signal = new AbortController().signal;
const source = { side: "source", purpose: "tideway test" } as const;
const target = { side: "target", purpose: "tideway test" } as const;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`connections to ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
    });
    after(() => server[Symbol.asyncDispose]());

    test("a client knows what server it speaks with", async () => {
      const client = await connect(server.endpoint(), source, signal);
      const { facts } = client;
      assert.equal(facts.flavour, flavour);
      assert.equal(facts.hasGtids, true);
      assert.equal(facts.serverId, server.port);
      assert.equal(facts.serverUuid === undefined, flavour === "mariadb");
      assert.match(facts.text, flavour === "mariadb" ? /^MariaDB 1\d\.\d+\.\d+$/ : /^MySQL 5\.7\.\d+$/);
      assert.ok(client.threadId > 0);
      await client.end();
      assert.equal(client.usable, false);
    });

    test("values come as text whatever the server's defaults are", async () => {
      await server.query("set global time_zone = '+05:00'; set global sql_mode = 'ANSI_QUOTES'");
      const client = await connect(server.endpoint(), source, signal);
      const rows = await client.query<Record<string, string | null>>(
        `select 1 as number, 12345678901234567890 as big, 1.50 as decimals, null as nothing, "é😀" as text,
          cast('2024-02-29 12:00:00.5' as datetime(3)) as moment, from_unixtime(0) as epoch, ? as given`,
        ["it's \\ 'quoted'"],
      );
      assert.deepEqual(
        { ...rows[0] },
        {
          number: "1",
          big: "12345678901234567890",
          decimals: "1.50",
          nothing: null,
          text: "é😀",
          moment: "2024-02-29 12:00:00.500",
          epoch: "1970-01-01 00:00:00",
          given: "it's \\ 'quoted'",
        },
      );
      const [bytes] = await client.queryBytes<{ readonly b: Buffer }>("select unhex('00ff80') as b");
      assert.deepEqual(bytes?.b, Buffer.from([0, 255, 128]));
      await client.end();
    });

    test("several statements go in one round trip", async () => {
      const database = await server.createDatabase();
      const client = await connect(server.endpoint(database), target, signal);
      const made = await client.execute(
        "create table t (a int primary key); insert into t values (1), (2); update t set a = a where a = 2",
      );
      assert.equal(made.affectedRows, 3);
      const rows = await client.query<{ readonly n: string }>("select 1 as n; select count(*) as n from t");
      assert.equal(rows[0]?.n, "2");
      await client.end();
    });

    test("the target refuses what it would have to change, and takes dates that another MySQL holds", async () => {
      const database = await server.createDatabase();
      const client = await connect(server.endpoint(database), target, signal);
      await client.execute("create table t (id int auto_increment primary key, d date, v varchar(2))");
      await client.execute("insert into t values (0, '2024-02-31', 'ab'), (5, '0000-00-00', null)");
      const rows = await client.query<{ readonly id: string; readonly d: string }>("select id, d from t");
      assert.deepEqual(
        rows.map(({ id, d }) => [id, d]),
        [
          ["0", "2024-02-31"],
          ["5", "0000-00-00"],
        ],
      );
      await assert.rejects(client.execute("insert into t values (1, null, 'abc')"), { errno: 1406 });
      await client.end();
    });

    test("a wrong password, an unknown database and a wrong port are told apart", async () => {
      const endpoint = server.endpoint();
      const cases = [
        [{ ...endpoint, password: "no" }, "auth.failed"],
        [{ ...endpoint, database: "not_there" }, "auth.unknown_database"],
        [{ ...endpoint, port: 1 }, "connect.refused"],
        [{ ...endpoint, host: "/nowhere/socket" }, "connect.refused"],
      ] as const;
      for (const [wrong, code] of cases) {
        await assert.rejects(connect(wrong, source, signal), (error) => {
          assert.ok(error instanceof MigrationError);
          assert.equal(error.code, code);
          assert.doesNotMatch(JSON.stringify(error), /tideway-test/);
          return true;
        });
      }
    });

    test("a unix socket is named by its path", async () => {
      const client = await connect({ ...server.endpoint(), host: server.socket }, source, signal);
      assert.equal((await client.query<{ readonly one: string }>("select 1 as one"))[0]?.one, "1");
      await client.end();
    });

    test("what a pool's work runs is stopped on the server when it is aborted", async () => {
      const controller = new AbortController();
      await using pool = clientPool(server.endpoint(), target);
      const running = pool.use(controller.signal, (client) => client.query("select sleep(3600)"));
      const asleep = "select id from information_schema.processlist where info = 'select sleep(3600)'";
      await eventually("the statement to run", async () => (await server.query(asleep)).length > 0);
      controller.abort(new Error("enough"));
      await assert.rejects(running, /enough/);
      await pool[Symbol.asyncDispose]();
      await eventually("the statement to end", async () => (await server.query(asleep)).length === 0);
    });

    test("a pool gives the same connection again unless its work failed", async () => {
      await using pool = clientPool(server.endpoint(), source);
      const first = await pool.use(signal, async (client) => client.threadId);
      assert.equal(await pool.use(signal, async (client) => client.threadId), first);
      await assert.rejects(
        pool.use(signal, (client) => client.query("select * from no_such.table_here")),
        {
          code: "source.query_failed",
          nativeCode: "1146",
        },
      );
      assert.notEqual(await pool.use(signal, async (client) => client.threadId), first);
    });
  });
}

suite("connections over TLS", () => {
  const certificates = makeCertificates(["IP:127.0.0.1"]);
  let server: MysqlServer;
  before(async () => {
    server = await startMysql({ flavour: "mariadb", tls: certificates });
  });
  after(() => server[Symbol.asyncDispose]());

  const cipher = "show session status like 'Ssl_cipher'";

  for (const sslMode of ["require", "verify-ca", "verify-full"] as const) {
    test(`${sslMode} is encrypted`, async () => {
      const endpoint = { ...server.endpoint(), sslMode, caCertificate: certificates.ca };
      const client = await connect(endpoint, source, signal);
      const [row] = await client.query<{ readonly Value: string }>(cipher);
      assert.notEqual(row?.Value, "");
      await client.end();
    });
  }

  test("a certificate of another authority is not trusted", async () => {
    const endpoint = {
      ...server.endpoint(),
      sslMode: "verify-ca",
      caCertificate: certificates.otherCa,
    } as const;
    await assert.rejects(connect(endpoint, source, signal), { code: "tls.untrusted" });
  });

  test("a certificate for another name passes verify-ca and not verify-full", async () => {
    const endpoint = { ...server.endpoint(), host: "localhost", caCertificate: certificates.ca } as const;
    const client = await connect({ ...endpoint, sslMode: "verify-ca" }, source, signal);
    await client.end();
    await assert.rejects(connect({ ...endpoint, sslMode: "verify-full" }, source, signal), {
      code: "tls.wrong_host",
    });
  });
});

test("a server without TLS is refused when TLS is asked for", async () => {
  await using server = await startMysql({ flavour: "mysql" });
  const endpoint = { ...server.endpoint(), sslMode: "require" } as const;
  await assert.rejects(connect(endpoint, source, signal), { code: "tls.refused" });
});
