import assert from "node:assert/strict";
import { test } from "node:test";
import { clientDigests, serverDigests } from "../../../../test/support/digested-rows.ts";
import { startMysql } from "../../../../test/support/mysql-server.ts";
import { describeTables, digestsOf, whole } from "../../../../test/support/mysql-snapshot.ts";
import { openSnapshot } from "./snapshot.ts";

const signal = new AbortController().signal;

for (const flavour of ["mariadb", "mysql"] as const) {
  test(`rows that the server comes to no digest of are not passed over: ${flavour}`, async () => {
    await using server = await startMysql({ flavour });
    const schema = await server.createDatabase("source");
    const names = Array.from({ length: 5 }, (_, at) => `c${at}`);
    await server.query(
      `create table t (id int primary key, ${names.map((name) => `${name} text`).join(", ")});
       insert into t values (1, ${names.map(() => "'a'").join(", ")}), (2, ${names.map(() => "repeat('a', 999)").join(", ")});
       create table l (id int primary key, c mediumtext character set latin1);
       insert into l values (1, repeat('é', 5000)), (2, repeat('e', 5000)); set global max_allowed_packet = 4096`,
      schema,
    );
    const [long, table] = await describeTables(server, schema, ["l", "t"]);
    const request = { taskId: "task", tables: [table!, long!], anchor: "none" } as const;
    await using snapshot = await openSnapshot(server.endpoint(), request, signal);
    const columns = names.map((_, at) => ({ ordinal: at + 1, form: { kind: "text" } as const }));
    const digesting = snapshot.digests(
      { table: table!, partition: whole, columns, hash: "md5", buckets: 8 },
      signal,
    );
    await assert.rejects(digesting, { code: "validation.digest_failed", table: table!.id });
    // A single value may be longer, also where it is converted.
    const cells = ["é", "e"].map((char, at) => [Buffer.from(String(at + 1)), Buffer.from(char.repeat(5000))]);
    const ofLong = [
      { ordinal: 0, form: { kind: "int" } },
      { ordinal: 1, form: { kind: "text" } },
    ] as const;
    const expected = clientDigests(long!, cells, ofLong);
    assert.deepEqual((await serverDigests(snapshot, long!, ofLong)).toSorted(), expected.toSorted());
    // The session is as good as before.
    assert.equal((await digestsOf(snapshot, table!))[0]!.rows, 2);
  });
}
