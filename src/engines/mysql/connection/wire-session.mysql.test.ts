import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { openWire } from "./connection.ts";
import { isEof, type Ok, readTextRow } from "./result-head.ts";
import type { WireSession } from "./wire-session.ts";

const signal = new AbortController().signal;
const options = { side: "target", purpose: "tideway test", infileLocal: true } as const;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`wire sessions with ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour, settings: { max_allowed_packet: "64M" } });
    });
    after(() => server[Symbol.asyncDispose]());

    test("statements answer with the last rows", async () => {
      await using wire = await openWire(server.endpoint(), options, signal);
      assert.deepEqual(await wire.query("set @x = 5; select @x, null, 'é'; set @x = 6"), [["5", null, "é"]]);
      assert.deepEqual(await wire.query("select @x"), [["6"]]);
    });

    test("an error leaves the session usable", async () => {
      await using wire = await openWire(server.endpoint(), options, signal);
      await assert.rejects(wire.query("select * from no_such.table_here"), (error) => {
        assert.ok(error instanceof Error && "fields" in error);
        assert.deepEqual((error.fields as { number: number }).number, 1146);
        return true;
      });
      assert.deepEqual(await wire.query("select 1"), [["1"]]);
    });

    test("rows are walked where they lie", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (id int primary key, v varchar(20))", database);
      const values = Array.from({ length: 20_000 }, (_, index) => `(${index}, 'value ${index}')`);
      await server.query(`insert into t values ${values.join(", ")}`, database);
      await using wire = await openWire(server.endpoint(database), options, signal);
      await wire.ask("select id, v from t order by id");
      const head = await wire.head();
      assert.ok(Array.isArray(head));
      assert.deepEqual(
        head.map(({ name }) => name),
        ["id", "v"],
      );
      assert.deepEqual(await readAll(wire), { rows: 20_000, last: ["19999", "value 19999"] });
      assert.deepEqual(await wire.query("select 1"), [["1"]]);
    });

    test("a value of more than one packet is put together, in both directions", async () => {
      await using wire = await openWire(server.endpoint(), options, signal);
      const length = 0xffffff * 2 + 17;
      const [row] = await wire.query(`select repeat('x', ${length}) as v, length('${"y".repeat(0xffffff)}')`);
      assert.equal(row?.[0]?.length, length);
      assert.equal(row?.[1], String(0xffffff));
      // A payload of exactly as much as a packet holds is followed by an empty packet.
      const exact = 0xffffff - 4;
      assert.equal((await wire.query(`select repeat('z', ${exact})`))[0]?.[0]?.length, exact);
    });

    test("LOAD DATA LOCAL takes its file from the session", async () => {
      const database = await server.createDatabase();
      await server.query("create table t (id int primary key, v varchar(20))", database);
      await using wire = await openWire(server.endpoint(database), options, signal);
      await wire.ask("load data local infile 'rows' into table t character set binary");
      assert.equal(await wire.head(), "infile");
      for (let start = 0; start < 300; start++) await wire.answer(Buffer.from(`${start}\tvalue\n`));
      await wire.answer(new Uint8Array(0));
      const { affectedRows, warnings, info }: Ok = await wire.ok();
      assert.deepEqual({ affectedRows, warnings }, { affectedRows: 300, warnings: 0 });
      assert.match(info, /Records: 300/);
      assert.deepEqual(await wire.query("select count(*) from t"), [["300"]]);
    });

    test("a server lets its rows wait for whoever does not read", async () => {
      await using wire = await openWire(server.endpoint(), options, signal);
      const before = process.memoryUsage().arrayBuffers;
      const digits = "(select 0 as d union select 1 union select 2 union select 3 union select 4) as";
      await wire.ask(`select repeat('x', 1000000) from ${digits} a, ${digits} b, ${digits} c`);
      const state = `select state as s from information_schema.processlist where id = ${wire.threadId}`;
      const waits = /writing to net|sending to client|sending data/i;
      await eventually("the server to wait", async () =>
        waits.test((await server.query(state))[0]?.["s"] ?? ""),
      );
      assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000);
      await wire.head();
      assert.equal((await readAll(wire)).rows, 125);
    });

    test("preparing runs on the driver's connection, which is the same session", async () => {
      const prepare = {
        ...options,
        prepare: async (client: { execute(sql: string): Promise<unknown> }) => {
          await client.execute("set @prepared = 7");
        },
      };
      await using wire = await openWire(server.endpoint(), prepare, signal);
      assert.deepEqual(await wire.query("select @prepared, connection_id()"), [["7", String(wire.threadId)]]);
    });

    test("whoever reads hears that the session was aborted, and the server stops what it ran", async () => {
      const controller = new AbortController();
      const wire = await openWire(server.endpoint(), options, controller.signal);
      await wire.ask("select sleep(3600)");
      const reading = assert.rejects(wire.head(), { code: "connect.lost" });
      controller.abort();
      await reading;
      const there = `select 1 from information_schema.processlist where id = ${wire.threadId}`;
      await eventually("the session to end", async () => (await server.query(there)).length === 0);
    });

    test("a session that is closed while its statement goes on is ended on the server", async () => {
      const wire = await openWire(server.endpoint(), options, signal);
      await wire.ask("select sleep(3600)");
      await wire.close();
      const there = `select 1 from information_schema.processlist where id = ${wire.threadId}`;
      await eventually("the session to end", async () => (await server.query(there)).length === 0);
    });
  });
}

async function readAll(wire: WireSession): Promise<{ readonly rows: number; readonly last: unknown }> {
  const { packets } = wire;
  let rows = 0;
  let last: unknown;
  for (;;) {
    while (packets.next()) {
      if (isEof(packets)) return { rows, last };
      rows++;
      if (rows % 20_000 === 0) last = readTextRow(packets);
    }
    await packets.fill();
  }
}
