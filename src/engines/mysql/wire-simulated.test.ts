import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { MAP, row, TABLE, UUID } from "../../../test/support/binlog-decoding.ts";
import {
  event,
  formatDescription,
  gtid,
  logged,
  payload,
  query,
  rows,
  tableMap,
  taggedGtid,
  uint,
  xid,
} from "../../../test/support/binlog-events.ts";
import { ReadLog } from "../../../test/support/binlog-source.ts";
import { makeCertificates } from "../../../test/support/certificates.ts";
import { jsonDiff, jsonDocument } from "../../../test/support/json-document.ts";
import { type ReplayOptions, ReplayServer } from "../../../test/support/replay-server.ts";
import { never } from "../../../test/support/replication.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import type { TableSchema } from "../../core/schema.ts";
import type { SourceAssessment } from "../../core/source.ts";
import { assessLog } from "./assess/assess-log.ts";
import { connect } from "./connection/connection.ts";
import { EventKind } from "./log/binlog-event.ts";
import { gtidPositionOf, placePosition } from "./log/binlog-position.ts";
import { ColumnKind } from "./log/binlog-table-map.ts";
import { openChangeStream } from "./log/change-stream.ts";

/*
 * MySQL 8.4, of which there is no server here, as its documentation says that it speaks: see ReplayServer. What this shows
 * is that both sides of the wire have understood the documentation in the same way.
 */

const PASSWORD = "sécret 'word'";
const VARIABLES = {
  ...{
    version: "8.4.0",
    server_id: "1",
    server_uuid: UUID,
    hostname: "replayed",
    port: "3306",
    gtid_mode: "ON",
  },
  ...{ lower_case_table_names: "0", max_allowed_packet: "67108864", local_infile: "OFF" },
  ...{ character_set_server: "utf8mb4", binlog_row_image: "FULL" },
};
const scriptOf = (variables: Readonly<Record<string, string>>): NonNullable<ReplayOptions["script"]> => [
  [
    /show global variables where variable_name in \('version'/,
    ["Variable_name", "Value"],
    Object.entries(variables).map(([name, value]) => ({ Variable_name: name, Value: value })),
  ],
  [
    /show global variables/,
    ["Variable_name", "Value"],
    [{ Variable_name: "binlog_row_metadata", Value: "MINIMAL" }],
  ],
  [/information_schema.collations/, ["id", "name"], [{ id: "255", name: "utf8mb4" }]],
  [/@@global.binlog_row_image/, ["image"], [{ image: "FULL" }]],
  [/select @master_binlog_checksum/, ["checksum"], [{ checksum: "CRC32" }]],
];

function endpointOf(server: ReplayServer, parts: Partial<EndpointConfig> = {}): EndpointConfig {
  return {
    ...{ engine: "mysql", host: "127.0.0.1", port: server.port, database: "", username: "tideway" },
    ...{ password: PASSWORD, sslMode: "none", caCertificate: undefined, settings: {} },
    ...parts,
  };
}

const start = (options: Partial<ReplayOptions> = {}): Promise<ReplayServer> =>
  ReplayServer.start({ user: "tideway", password: PASSWORD, script: scriptOf(VARIABLES), ...options });

async function version(endpoint: EndpointConfig): Promise<string> {
  await using client = await connect(endpoint, { side: "source", purpose: "test" }, never);
  return client.facts.text;
}

suite("MySQL 8.4, wire-simulated: caching_sha2_password", () => {
  const { ca, otherCa, certificate, key } = makeCertificates(["IP:127.0.0.1"]);

  test("without TLS the password goes encrypted by the server's key, and is remembered", async () => {
    await using server = await start();
    assert.equal(await version(endpointOf(server)), "MySQL 8.4.0");
    await version(endpointOf(server));
    assert.deepEqual(server.logins, ["by key", "fast"]);
  });

  for (const sslMode of ["require", "verify-ca", "verify-full"] as const) {
    test(`over TLS (${sslMode}) the password goes as it is, and is remembered`, async () => {
      await using server = await start({ tls: { certificate, key } });
      const endpoint = endpointOf(server, {
        sslMode,
        ...(sslMode === "require" ? {} : { caCertificate: ca }),
      });
      await version(endpoint);
      await version(endpoint);
      assert.deepEqual(server.logins, ["by TLS", "fast"]);
    });
  }

  test("no password goes to a server that another authority has signed", async () => {
    await using server = await start({ tls: { certificate, key } });
    const endpoint = endpointOf(server, { sslMode: "verify-ca", caCertificate: otherCa });
    await assert.rejects(version(endpoint), { code: "tls.untrusted" });
    assert.deepEqual(server.logins, []);
  });

  test("a wrong password is refused, whatever the server remembers", async () => {
    for (const tls of [undefined, { certificate, key }]) {
      await using server = await start(tls === undefined ? {} : { tls });
      const endpoint = endpointOf(server, { sslMode: tls === undefined ? "none" : "require" });
      const wrong = { ...endpoint, password: "wrong" };
      await assert.rejects(version(wrong), { code: "auth.failed" });
      await version(endpoint);
      await assert.rejects(version(wrong), { code: "auth.failed" });
      assert.equal(server.logins.at(-1), "refused");
    }
  });
});

const DOCUMENTS: TableSchema = {
  ...TABLE,
  id: { schema: "shop", name: "documents" },
  columns: [TABLE.columns[0]!, { name: "d", type: { kind: "json" }, nativeType: "json", nullable: true }],
};
const DOCUMENTS_MAP = {
  ...{ table: 10, schema: "shop", name: "documents" },
  columns: [
    [ColumnKind.long, []],
    [ColumnKind.json, [4]],
  ],
} as const;

const sized = (bytes: Buffer): Buffer => Buffer.concat([uint(bytes.length, 4), bytes]);
const image = (document: Buffer): Buffer => Buffer.concat([uint(0, 1), uint(1, 4), sized(document)]);

const checksum = true;
/** A transaction that changes parts of a document. */
const INNER = Buffer.concat([
  query("BEGIN", "shop"),
  tableMap(DOCUMENTS_MAP),
  rows(
    EventKind.partialUpdateRows,
    { table: 10, width: 2 },
    Buffer.concat([
      image(jsonDocument({ n: 1, list: [] })),
      ...[
        uint(1, 1),
        uint(1, 1),
        image(Buffer.concat([jsonDiff(0, "$.n", 2), jsonDiff(1, "$.list[0]", "x")])),
      ],
    ]),
  ),
  xid(),
]);
const COMPRESSED = payload(zstdCompressSync(INNER), { type: 0, size: INNER.length }, { checksum });
/** The server makes it up for each reader. */
const ROTATE = event(EventKind.rotate, Buffer.concat([uint(4, 8), Buffer.from("binlog.000007")]), {
  flags: 0x20,
  checksum,
});

test("MySQL 8.4, wire-simulated: a stream of compressed transactions, parts of JSON and GTIDs with tags", async () => {
  const log = [
    ROTATE,
    ...logged(
      [
        formatDescription(true),
        event(EventKind.previousGtids, uint(0, 8), { checksum }),
        gtid({ uuid: UUID, number: 6 }, { checksum }),
        COMPRESSED,
        taggedGtid({ uuid: UUID, tag: "batch", number: 4 }, { checksum }),
        query("BEGIN", "shop", { checksum }),
        tableMap(MAP, { checksum }),
        rows(EventKind.writeRows2, { table: 9, width: 3 }, row(5, 2, "tagged"), { checksum }),
        xid({ checksum }),
      ],
      { checksum },
    ),
  ];
  await using server = await start({ log });
  const tables = [TABLE, DOCUMENTS];
  const after = gtidPositionOf(`${UUID}:1-5:batch:1-3`);
  await using stream = await openChangeStream(endpointOf(server), { taskId: "t", tables, after }, never);
  const read = new ReadLog();
  await read.read(stream, gtidPositionOf(`${UUID}:1-6:batch:1-4`));
  assert.deepEqual(read.misfits, []);
  assert.deepEqual(
    read.ops.map((op) => op.after),
    [
      ["1", '{"n": 2, "list": ["x"]}'],
      ["5", "old", "tagged"],
    ],
  );
  assert.deepEqual(
    read.transactions.map(({ id }) => id),
    [`${UUID}:6`, `${UUID}:batch:4`],
  );
  // The set that is not to be sent, in the form that has tags: 1 as its kind, two entries, each with its tag.
  const uuid = UUID.replaceAll("-", "");
  const [dump] = server.dumps;
  assert.equal(
    dump!.subarray(23).toString("hex"),
    [
      "0102000000000001",
      uuid,
      "00",
      one(1, 6),
      uuid,
      "0a",
      Buffer.from("batch").toString("hex"),
      one(1, 4),
    ].join(""),
  );
});

test("MySQL 8.4, wire-simulated: a log without GTIDs is read to the end of a compressed transaction", async () => {
  const anonymous = event(EventKind.anonymousGtid, Buffer.concat([uint(1, 1), Buffer.alloc(24)]), {
    checksum,
  });
  const file = logged([formatDescription(true), anonymous, COMPRESSED], { checksum });
  const script = scriptOf({ ...VARIABLES, gtid_mode: "OFF" });
  await using server = await start({ script, log: [ROTATE, ...file] });
  const after = placePosition({ file: "binlog.000007", byte: 4 });
  const tables = [DOCUMENTS];
  await using stream = await openChangeStream(endpointOf(server), { taskId: "t", tables, after }, never);
  const read = new ReadLog();
  await read.read(stream, placePosition({ file: "binlog.000007", byte: 4 + Buffer.concat(file).length }));
  assert.deepEqual(read.ops[0]!.after, ["1", '{"n": 2, "list": ["x"]}']);
});

const ASSESSMENT: SourceAssessment = {
  taskId: "t",
  type: "cdc",
  tables: [TABLE, DOCUMENTS],
  movesWhole: undefined,
  movesRights: false,
  movesLargeObjects: false,
  resumes: false,
};

test("MySQL 8.4, wire-simulated: parts of JSON without whole rows are told before the start", async () => {
  for (const [image, found] of [
    ["FULL", []],
    ["MINIMAL", [["source.row_image", "error", "documents"]]],
    ["NOBLOB", [["source.row_image", "error", "documents"]]],
  ] as const) {
    const settings = { log_bin: "ON", binlog_format: "ROW", binlog_row_value_options: "PARTIAL_JSON" };
    const rows = Object.entries(settings).map(([name, Value]) => ({ Variable_name: name, Value }));
    const script = scriptOf({ ...VARIABLES, binlog_row_image: image });
    const asked = [/variable_name in \('log_bin'/, ["Variable_name", "Value"], rows] as const;
    await using server = await start({ script: [asked, ...script] });
    await using client = await connect(endpointOf(server), { side: "source", purpose: "test" }, never);
    const account = {
      user: "u",
      sql: "'u'@'%'",
      grantee: "'u'@'%'",
      hasRole: false,
      privileges: new Set<string>(),
    };
    const findings = await assessLog(client, ASSESSMENT, account);
    assert.deepEqual(
      findings.map(({ code, severity, table }) => [code, severity, table?.name]),
      found,
      image,
    );
  }
});

/** One interval, whose end is the first number that is not in it. */
function one(first: number, end: number): string {
  return Buffer.concat([uint(1, 8), uint(first, 8), uint(end, 8)]).toString("hex");
}
