import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../../../test/support/eventually.ts";
import { type MysqlFlavour, type MysqlServer, startMysql } from "../../../../test/support/mysql-server.ts";
import { partitionsOf, read, rowsOf } from "../../../../test/support/mysql-snapshot.ts";
import {
  askForStatus,
  FILLED_SUM,
  type FilledSource,
  filledSource,
  writeFilled,
} from "../../../../test/support/mysql-writers.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Snapshot, SnapshotRequest } from "../../../core/source.ts";
import { gtidsOf } from "../log/binlog-position.ts";
import { openSnapshot } from "./snapshot.ts";

const signal = new AbortController().signal;
/** So small that a table of 5,000 rows has many partitions. */
const SMALL = { rowsPerPartition: 300, bytesPerPartition: 100_000 };

/** Rows of p take those of c that refer to them along. */
const CASCADE = `create table p (id int primary key); create table c (id int primary key, p int not null,
    foreign key (p) references p (id) on delete cascade);
  insert into p values (1), (2); insert into c values (10, 1), (11, 1), (20, 2)`;

for (const flavour of ["mariadb", "mysql"] as const satisfies readonly MysqlFlavour[]) {
  suite(`the moment of snapshots of ${flavour}`, () => {
    let server: MysqlServer;
    before(async () => {
      server = await startMysql({ flavour });
    });
    after(() => server?.[Symbol.asyncDispose]());

    const filled = (ddl?: string, name?: string): Promise<FilledSource> => filledSource(server, ddl, name);

    /** Transactions in a position, of a server whose log nobody else writes. */
    function transactions(position: { kind: string; text: string } | undefined): number {
      const set = gtidsOf(position!);
      if (set.flavour === "mariadb") return [...set.domains.values()][0]!.sequence;
      return [...set.servers.values()]
        .flat()
        .reduce((sum, value, i) => sum + (i % 2 === 0 ? 1 - value : value), 0);
    }

    async function assertConsistent(
      endpoint: EndpointConfig,
      { schema, table, request }: FilledSource,
    ): Promise<void> {
      const before = { rows: 5000, position: await emptySnapshot(endpoint, request) };
      const writers = writeFilled(server, schema, 3);
      const stopAsking = flavour === "mariadb" ? askForStatus(server) : undefined;
      try {
        for (let round = 1; round <= 3; round++) {
          await eventually("writes", async () => writers.written() > 50 * round);
          await using snapshot = await openSnapshot(endpoint, request, signal);
          const partitions = await partitionsOf(snapshot, table, SMALL);
          assert(partitions.length > 5);
          const parts = await Promise.all(
            partitions.map(async (partition) => {
              let text = "";
              for await (const { bytes } of read(snapshot, table, partition)) {
                text += Buffer.from(bytes.subarray(5)).toString("latin1");
              }
              return text;
            }),
          );
          const rows = parts
            .join("")
            .split("\n")
            .slice(0, -1)
            .map((line) => line.split("\t"));
          const ids = new Set(rows.map(([id]) => id));
          assert.equal(ids.size, rows.length, "no row twice");
          assert.equal(
            rows.reduce((sum, [, v]) => sum + Number(v), 0),
            FILLED_SUM,
            "no transaction in part",
          );
          const later = transactions(snapshot.position) - transactions(before.position);
          assert.equal(
            rows.length,
            before.rows + later,
            "the rows show what the position holds, and nothing else",
          );
        }
      } finally {
        await writers.stop();
        await stopAsking?.();
      }
    }

    async function emptySnapshot(endpoint: EndpointConfig, request: SnapshotRequest) {
      await using snapshot = await openSnapshot(endpoint, request, signal);
      return snapshot.position;
    }

    /** A user who may read everything, and what else is granted. */
    async function userWith(name: string, grants: string): Promise<EndpointConfig> {
      await server.query(
        `create user ${name} identified by 'secret'; grant select, replication client, replication slave ${grants} on *.* to ${name}`,
      );
      return { ...server.endpoint(), username: name, password: "secret" };
    }

    interface Opening {
      readonly opened: Promise<Snapshot>;
      readonly isOpen: () => boolean;
    }

    function open(endpoint: EndpointConfig, request: SnapshotRequest): Opening {
      let isOpen = false;
      const opened = openSnapshot(endpoint, request, signal).finally(() => {
        isOpen = true;
      });
      opened.catch(() => undefined);
      return { opened, isOpen: () => isOpen };
    }

    async function waitsForTables({ isOpen }: Opening): Promise<void> {
      await eventually("the tables' locks are waited for", async () => {
        const rows = await server.query("show processlist");
        return rows.some(({ Info }) => Info?.startsWith("lock tables"));
      });
      assert.equal(isOpen(), false);
    }

    async function isAskedOften(counter: string): Promise<void> {
      const asked = async (): Promise<number> =>
        Number((await server.query(`show global status like '${counter}'`))[0]!["Value"]);
      const before = await asked();
      await eventually("the server is asked again and again", async () => (await asked()) > before + 10);
    }

    test("while others write, all sessions show the one moment that the position names", async () => {
      await assertConsistent(server.endpoint(), await filled());
    });

    if (flavour === "mysql") {
      test("who wants a snapshot promptly gets one though others keep the locks", async () => {
        const endpoint = await userWith("prompters", ", lock tables");
        const { schema, table, request } = await filled(CASCADE, "c");
        await server.queryAndLeave(
          "xa start 'p'; delete from c where id = 20; xa end 'p'; xa prepare 'p'",
          schema,
        );
        try {
          const prompt = { ...request, anchor: "none", prompt: true } as const;
          await using snapshot = await openSnapshot(endpoint, prompt, signal);
          assert.equal(await rowsOf(snapshot, table), 3);
        } finally {
          await server.query("xa rollback 'p'");
        }
      });
    }

    test("a user who may only lock tables gets the same, after whatever may still commit to them", async () => {
      const endpoint = await userWith("lockers", ", lock tables");
      await assertConsistent(endpoint, await filled());
      const { schema, table, request } = await filled(CASCADE, "c");
      await server.queryAndLeave(
        "xa start 'x'; delete from c where id = 20; xa end 'x'; xa prepare 'x'",
        schema,
      );
      const opening = open(endpoint, request);
      await waitsForTables(opening);
      await server.query("xa commit 'x'");
      await using snapshot = await opening.opened;
      assert.equal(await rowsOf(snapshot, table), 2);
      if (flavour === "mariadb") return;
      // Foreign keys of a table that is not locked change rows of one that is.
      const parent = await server.connect(schema);
      await parent.query("begin; delete from p where id = 1");
      const later = open(endpoint, request);
      await waitsForTables(later);
      await parent.query("commit");
      await using after = await later.opened;
      assert.equal(await rowsOf(after, table), 0);
      await parent.end();
    });

    test("a user who may not lock anything gets the same, where it waits for it or the log needs no place", async () => {
      const source = await filled();
      const endpoint = await userWith("readers", "");
      await assertConsistent(endpoint, { ...source, request: { ...source.request, exact: true } });
      if (flavour === "mariadb") return;
      const { table, request } = await filled();
      await using snapshot = await openSnapshot(endpoint, { ...request, anchor: "none" }, signal);
      const partitions = await partitionsOf(snapshot, table, SMALL);
      const counts = await Promise.all(partitions.map((partition) => rowsOf(snapshot, table, partition)));
      assert.equal(
        counts.reduce((sum, count) => sum + count),
        5000,
      );
    });

    if (flavour === "mysql") return;

    test("without a lock, what may be in the log and not committed is waited for", async () => {
      const { schema, table, request } = await filled();
      const endpoint = await userWith("waiters", "");
      await server.queryAndLeave(
        "xa start 'y'; delete from t where id = 1; xa end 'y'; xa prepare 'y'",
        schema,
      );
      const afterPrepared = open(endpoint, request);
      await isAskedOften("com_xa_recover");
      assert.equal(afterPrepared.isOpen(), false);
      await server.query("xa commit 'y'");
      await using withPrepared = await afterPrepared.opened;
      assert.equal(await rowsOf(withPrepared, table), 4999);
      // What stands at the end of the old file may not have committed when the log is in the new one.
      await server.query("flush binary logs");
      const afterRotation = open(endpoint, request);
      await isAskedOften("com_show_status");
      assert.equal(afterRotation.isOpen(), false);
      const writers = writeFilled(server, schema, 1);
      await using withRotation = await afterRotation.opened;
      await writers.stop();
      const later = transactions(withRotation.position) - transactions(withPrepared.position);
      assert.equal(await rowsOf(withRotation, table), 4999 + later);
    });
  });
}
