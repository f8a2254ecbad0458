import assert from "node:assert/strict";
import { test } from "node:test";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables } from "../../../../test/support/mysql-snapshot.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { Finding } from "../../../core/finding.ts";
import type { MigrationType } from "../../../core/source.ts";
import { connect } from "../connection/connection.ts";
import { assessLocks } from "./assess-locks.ts";
import { readAccount } from "./assess-privileges.ts";

const signal = new AbortController().signal;
const server = await serverOfFile(startMysql({ flavour: "mysql" }));
// A name in which a pattern's characters stand for themselves.
const database = await server.createDatabase("the_shop");
await server.query(
  `create table a (x int primary key); create table b (x int);
   create table c (x int primary key, foreign key (x) references a (x) on delete cascade);
   create user locks identified by 'pw'; grant select on *.* to locks`,
  database,
);

async function told(
  type: MigrationType,
  {
    resumes = false,
    on = server,
    hasRole = false,
  }: { readonly resumes?: boolean; readonly on?: MysqlServer; readonly hasRole?: boolean } = {},
): Promise<readonly Finding[]> {
  const tables = await describeTables(server, database, ["a", "b", "c"]);
  const endpoint = { ...on.endpoint(), username: "locks", password: "pw" };
  const client = await connect(endpoint, { side: "source", purpose: "test" }, signal);
  try {
    const request = { taskId: "T1", type, tables, movesWhole: undefined, movesRights: false, resumes };
    const account = await readAccount(client);
    // Not all servers have roles.
    const acting = hasRole ? { ...account, hasRole } : account;
    return await assessLocks(client, { ...request, movesLargeObjects: false }, acting);
  } finally {
    await client.end();
  }
}

test("a user who may not lock is told which tables a load may have to read again", async () => {
  const findings = await told("full-load-and-cdc");
  const [{ fix } = {}] = findings;
  assert.deepEqual(
    findings.map(({ code, severity, subject }) => [code, severity, subject]),
    [
      ["source.privilege", "info", "locks"],
      ["source.snapshot_not_exact", "warning", `${database}.b`],
      ["source.snapshot_not_exact", "warning", `${database}.c`],
    ],
  );
  const acting = await told("full-load-and-cdc", { hasRole: true });
  assert.deepEqual(
    acting.map(({ severity }) => severity),
    findings.map(({ severity }) => severity),
  );
  for (const { message } of acting) assert.match(message, /unless a role gives .*LOCK TABLES/);
  assert.equal((await told("full-load")).length, 1);
  assert.deepEqual(await told("cdc"), []);
  await server.query(`grant lock tables on \`${database.replaceAll("_", "\\_")}\`.* to locks`);
  assert.match((await told("full-load-and-cdc")).map(({ message }) => message).join(), /LOCK TABLES\) until/);
  for (const statement of fix!.statements) await server.query(statement);
  assert.deepEqual(await told("full-load-and-cdc"), []);
});

test("without GTIDs nothing can be loaded without a lock, and what is loaded needs none", async () => {
  const settings = { gtid_mode: "OFF", enforce_gtid_consistency: "OFF" };
  await using plain = await startMysql({ flavour: "mysql", settings });
  await plain.query("create user locks identified by 'pw'");
  const severities = async (resumes: boolean, hasRole = false): Promise<readonly string[]> =>
    (await told("full-load-and-cdc", { resumes, on: plain, hasRole })).map(({ severity }) => severity);
  assert.deepEqual(await severities(false), ["error"]);
  assert.deepEqual(await severities(true), ["info"]);
  assert.deepEqual(await severities(false, true), ["warning"]);
});
