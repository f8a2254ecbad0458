import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe as suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import type { Position } from "../../../core/position.ts";
import type { Client } from "../connection/client.ts";
import { connect } from "../connection/connection.ts";
import { gtidPositionOf, positionCodec } from "./binlog-position.ts";
import { followLog } from "./follow-log.ts";
import { filePlace, isKept } from "./log-place.ts";
import { currentPosition } from "./log-state.ts";
import { positionAtTime } from "./position-at-time.ts";
import { streamHealth } from "./stream-health.ts";

const signal = new AbortController().signal;

const directory = await mkdtemp(join(tmpdir(), "tideway-keys-"));
after(() => rm(directory, { recursive: true, force: true }));
const keys = join(directory, "keys");
await writeFile(keys, `1;${"0123456789abcdef".repeat(4)}\n`);

const ENCRYPTED = {
  plugin_load_add: "file_key_management",
  file_key_management_filename: keys,
  encrypt_binlog: "ON",
};

const SERVERS = [
  { name: "mariadb", flavour: "mariadb", settings: {} },
  { name: "mysql with GTIDs", flavour: "mysql", settings: {} },
  {
    name: "mysql without GTIDs",
    flavour: "mysql",
    settings: { gtid_mode: "OFF", enforce_gtid_consistency: "OFF" },
  },
  {
    name: "mariadb that encrypts it",
    flavour: "mariadb",
    settings: ENCRYPTED,
  },
] as const;

async function connectTo(server: MysqlServer): Promise<Client> {
  return await connect(server.endpoint(), { side: "source", purpose: "test" }, signal);
}

for (const { name, flavour, settings } of SERVERS) {
  suite(`the log of ${name}`, () => {
    let server: MysqlServer;
    let client: Client;
    let database: string;

    before(async () => {
      server = await startMysql({ flavour, settings });
      client = await connectTo(server);
      database = await server.createDatabase();
      await server.query("create table t (a int primary key auto_increment, b int)", database);
    });

    after(async () => {
      await client?.end();
      await server?.[Symbol.asyncDispose]();
    });

    async function write(): Promise<Position> {
      await server.query("insert into t (b) values (1)", database);
      return await currentPosition(client);
    }

    async function follow(reached: Position | undefined, known?: string): Promise<string> {
      return await followLog(client, { taskId: "T", known, reached }, "here");
    }

    /** MariaDB keeps a file that it might need after a crash a moment longer. */
    async function purgeTo(file: string): Promise<void> {
      await eventually("the log to be purged", async () => {
        await server.query(`purge binary logs to '${file}'`);
        return (await server.query("show binary logs")).length === 1;
      });
    }

    test("positions grow with what is committed, and their texts are read back", async () => {
      const first = await write();
      const second = await write();
      assert.equal(positionCodec.compare(first, second), -1);
      assert.equal(positionCodec.compare(second, await currentPosition(client)), 0);
      assert.deepEqual(positionCodec.parse(second.text), second);
      assert.equal(first.kind, settings === SERVERS[2].settings ? "mysql-binlog" : "mysql-gtid");
    });

    test("the log goes on where it was read to, also after a restart", async () => {
      const reached = await write();
      const log = await follow(undefined);
      assert.equal(await follow(reached, log), log);
      await client.end();
      await server.restart();
      client = await connectTo(server);
      assert.equal(await follow(reached, log), log);
    });

    test("a position in the log is kept until its file is removed", async () => {
      const old = await write();
      await write();
      await server.query("flush binary logs");
      await write();
      assert.equal(await isKept(client, old), true);
      await server.query("flush binary logs", database);
      const now = await write();
      const place = await filePlace(client, now);
      const before = await filePlace(client, old);
      assert.equal(place!.at, place!.files.length - 1);
      assert.equal(before!.at, place!.files.length - 3);
      await purgeTo(place!.files.at(-1)!.name);
      assert.equal(await isKept(client, old), false);
      assert.equal(await filePlace(client, old), undefined);
      assert.equal(await isKept(client, now), true);
    });

    test("a reader of the oldest file is told that its log may be removed, and how much waits for it", async () => {
      await server.query("flush binary logs");
      const files = await server.query("show binary logs");
      await purgeTo(files.at(-1)!["Log_name"]!);
      const old = await write();
      await write();
      const quiet = await streamHealth(client, old);
      assert.deepEqual(quiet?.findings, []);
      for (let i = 0; i < 3; i++) {
        await server.query("flush binary logs");
        await write();
      }
      const health = await streamHealth(client, old);
      assert.deepEqual(health!.findings, []);
      assert.ok(health!.behindBytes > 3 * 200);
      assert.ok(health!.keptBytes >= health!.behindBytes);
      await server.query("set global expire_logs_days = 30");
      const atRisk = await streamHealth(client, old);
      assert.deepEqual(
        atRisk!.findings.map(({ code }) => code),
        ["source.binary_log_at_risk"],
      );
      assert.deepEqual((await streamHealth(client, await currentPosition(client)))!.findings, []);
    });

    test("a time is found before the first transaction that committed then or later", async () => {
      const clock = async (): Promise<number> => {
        const [row] = await server.query("select unix_timestamp() as seconds");
        return Number(row!["seconds"]);
      };
      const nextSecond = async (): Promise<number> => {
        const now = await clock();
        await eventually("the next second", async () => (await clock()) > now);
        return await clock();
      };
      const at = (seconds: number): Promise<Position> =>
        positionAtTime(server.endpoint(), { taskId: "T", timeMs: seconds * 1000 }, signal);
      await write();
      await server.query("flush binary logs");
      const first = await write();
      const between = await nextSecond();
      const second = await write();
      const later = await nextSecond();
      await server.query("flush binary logs");
      const third = await write();
      assert.deepEqual(await at(between), first);
      // In the file before the one in which it lies.
      assert.equal(positionCodec.compare(await at(later), second) !== -1, true);
      assert.equal(positionCodec.compare(await at(later), third), -1);
      await nextSecond();
      assert.deepEqual(await at(await nextSecond()), await currentPosition(client));
      const unavailable = { code: "source.position_unavailable" };
      await assert.rejects(at((await clock()) + 3_600), unavailable);
      const files = await server.query("show binary logs");
      await purgeTo(files.at(-1)!["Log_name"]!);
      await assert.rejects(at(between), unavailable);
    });

    test("a server that was set back is refused", async () => {
      const reached = await write();
      const log = await follow(undefined);
      await server.query("reset master");
      await assert.rejects(follow(reached, log), (error: { code: string }) => {
        return error.code === "source.set_back" || error.code === "source.other_server";
      });
    });
  });
}

test("another MySQL server without GTIDs is another log", async () => {
  const { settings } = SERVERS.find(({ name }) => name === "mysql without GTIDs")!;
  await using one = await startMysql({ flavour: "mysql", settings });
  await using other = await startMysql({ flavour: "mysql", settings });
  const [here, there] = await Promise.all([connectTo(one), connectTo(other)]);
  try {
    const log = await followLog(here, { taskId: "T", known: undefined, reached: undefined }, "here");
    const reached = await currentPosition(here);
    await assert.rejects(followLog(there, { taskId: "T", known: log, reached }, "there"), {
      code: "source.other_server",
    });
    const numbered = gtidPositionOf("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
    await assert.rejects(followLog(here, { taskId: "T", known: log, reached: numbered }, "here"), {
      code: "source.other_server",
    });
  } finally {
    await Promise.all([here.end(), there.end()]);
  }
});

test("a MariaDB server that was promoted too early has numbers again that the target has, and is refused", async () => {
  await using server = await startMysql({ flavour: "mariadb" });
  const client = await connectTo(server);
  try {
    // A log as a replica has it that got 0-1-10 from its primary and went on by itself.
    await server
      .query("set global gtid_binlog_state = '0-1-10,0-2-30'; set global gtid_slave_pos = '0-2-30'")
      .catch(async () => {
        await server.query("reset master; set global gtid_binlog_state = '0-1-10,0-2-30'");
      });
    const follow = (text: string): Promise<string> =>
      followLog(client, { taskId: "T", known: "mysql-gtid", reached: gtidPositionOf(text) }, "here");
    assert.equal(await follow("0-1-9"), "mysql-gtid");
    assert.equal(await follow("0-2-25"), "mysql-gtid");
    await assert.rejects(follow("0-1-12"), { code: "source.set_back" });
    await assert.rejects(follow("0-2-31"), { code: "source.set_back" });
    await assert.rejects(follow("7-1-1"), { code: "source.other_server" });
  } finally {
    await client.end();
  }
});

test("a time is found in an encrypted log, also behind a file whose server went down", async () => {
  await using server = await startMysql({ flavour: "mariadb", settings: ENCRYPTED });
  const file = async (): Promise<string> => (await server.query("show master status"))[0]!["File"]!;
  await server.query("create database d; create table d.t (a text)");
  await server.query("insert into d.t values ('can be read')");
  const first = await file();
  assert.equal((await readFile(join(server.directory, "data", first))).includes("can be read"), false);
  const [row] = await server.query("select unix_timestamp() as seconds");
  await server.restart("SIGKILL");
  assert.notEqual(await file(), first);
  const client = await connectTo(server);
  try {
    await eventually("a later second", async () => {
      const [now] = await server.query("select unix_timestamp() as seconds");
      return Number(now!["seconds"]) > Number(row!["seconds"]) + 1;
    });
    const before = await currentPosition(client);
    const [now] = await server.query("select unix_timestamp() as seconds");
    await server.query("insert into d.t values ('later')");
    const timeMs = Number(now!["seconds"]) * 1000;
    assert.deepEqual(await positionAtTime(server.endpoint(), { taskId: "T", timeMs }, signal), before);
    // Nothing was committed between the end of the one file and that time.
    const between = { taskId: "T", timeMs: (Number(row!["seconds"]) + 1) * 1000 };
    assert.deepEqual(await positionAtTime(server.endpoint(), between, signal), before);
  } finally {
    await client.end();
  }
});
