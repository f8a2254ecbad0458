import { OP_WIDTH } from "../../src/core/change-batch.ts";
import type { EndpointConfig } from "../../src/core/engine.ts";
import { describe, listTables } from "../../src/engines/mysql/catalog/catalog.ts";
import { connect } from "../../src/engines/mysql/connection/connection.ts";
import { positionCodec } from "../../src/engines/mysql/log/binlog-position.ts";
import { openChangeStream } from "../../src/engines/mysql/log/change-stream.ts";

/*
 * Reads row changes of a binary log by Tideway's change stream, values and all, and does nothing with them:
 * `node binlog-read.ts`, with a URL in $SOURCE, the position in $GTIDS, and in $ROWS how many there are.
 */

const url = new URL(process.env["SOURCE"]!);
const wanted = Number(process.env["ROWS"]);
const endpoint: EndpointConfig = {
  engine: "mysql",
  host: url.hostname,
  port: Number(url.port),
  database: url.pathname.slice(1),
  username: decodeURIComponent(url.username),
  password: decodeURIComponent(url.password),
  sslMode: "none",
  caCertificate: undefined,
  settings: {},
};
const cancel = new AbortController();
const client = await connect(endpoint, { side: "source", purpose: "bench" }, cancel.signal);
const ids = await listTables(client, endpoint);
const { tables } = await describe(client, ids, { booleans: false, timesOfDay: false });
await client.end();

const after = positionCodec.parse(process.env["GTIDS"]!);
let rows = 0;
await using stream = await openChangeStream(endpoint, { taskId: "bench", tables, after }, cancel.signal);
for await (const item of stream) {
  if (item.kind === "changes") rows += item.batch.ops.length / OP_WIDTH;
  if (rows >= wanted) break;
}
if (rows !== wanted) throw new Error(`${rows} changes came instead of ${wanted}.`);
