import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { eventually } from "../support/eventually.ts";
import { MysqlPair, mysqlToPostgres } from "../support/mysql-pair.ts";
import type { MysqlServer } from "../support/mysql-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

/*
 * A source that dies while it logs a large transaction leaves the beginning of one that has never been: MariaDB in its
 * file, where readers find it after the restart; MySQL cuts it off.
 */

/** More than an applier keeps back before it sends a part of a transaction to the target. */
const LOGGED_BYTES = 12 << 20;
const LARGE = `insert into t select 1000 + a.id * 20 + b.id, repeat('x', 200000) from seed a, seed b`;

/** Kills the server when so much of what a session commits stands in its log; false when it was too late. */
async function killWhileLogging(server: MysqlServer, pair: MysqlPair): Promise<boolean> {
  const [{ File: file }] = (await server.query("show master status")) as [Record<string, string>];
  const path = join(server.directory, "data", file!);
  const start = statSync(path).size;
  let isDone = false;
  const written = pair.query(LARGE).then(
    () => {
      isDone = true;
    },
    () => undefined,
  );
  while (!isDone && statSync(path).size - start < LOGGED_BYTES) await turn();
  await server.stop("SIGKILL");
  await written;
  await server.start();
  const [{ many }] = (await pair.query("select count(*) as many from t where id > 1000")) as [
    Record<string, string>,
  ];
  if (many === "0") return true;
  await pair.query("delete from t where id > 1000");
  return false;
}

const SCHEMA = `create table t (id int primary key, v longtext); insert into t values (1, 'one');
  create table seed (id int primary key);
  insert into seed values ${Array.from({ length: 20 }, (_, i) => `(${i + 1})`).join(", ")}`;

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`a source that dies while it logs a large transaction: ${flavour}`, async () => {
    const servers = await mysqlToPostgres({ flavour });
    const pair = await MysqlPair.make(servers, {
      name: "crash",
      schema: SCHEMA,
      settings: JSON.stringify({ ErrorBehavior: { RecoverableErrorInterval: 1 } }),
    });
    try {
      const task = await pair.replicate();
      await eventually("a crash before the commit", () => killWhileLogging(servers.source, pair), 300);
      await pair.query("insert into t values (2, 'after the crash')");
      await eventually("the task to go on", async () => {
        const rows = await pair.queryTarget("select 1 from t where id = 2");
        return rows.length === 1;
      });
      await pair.query(
        "insert into t select id + 10, repeat('y', 300000) from seed; delete from t where id = 1",
      );
      await pair.drain(task);
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });

  test(`a connection that ends in the middle of a large transaction: ${flavour}`, async () => {
    const servers = await mysqlToPostgres({ flavour });
    await using proxy = await TcpProxy.start(servers.source.port);
    const pair = await MysqlPair.make(servers, { name: "cut", schema: SCHEMA });
    try {
      const task = await pair.replicate({ source: { ...pair.spec.source, port: proxy.port } });
      proxy.slow(20 << 20);
      const { waits } = proxy;
      await pair.query(LARGE);
      // By then more has come than an applier keeps back.
      await eventually("much of it on its way", async () => proxy.waits > waits + 200);
      proxy.reset();
      proxy.heal();
      await pair.drain(task);
      await pair.assertEqual();
    } finally {
      await pair.end();
    }
  });
}
