import mysql from "mysql2";
import { openBulkSession } from "../../src/engines/postgres/connection/bulk-session.ts";

/*
 * A table from MariaDB into PostgreSQL by the driver mysql2 at its fastest: a stream of rows as arrays of bytes, written
 * as COPY's text. `node mysql2-copy.ts TABLE`, with URLs in $SOURCE and $TARGET. The session that it copies into is
 * Tideway's own, so that what is compared is how rows are read.
 */

const CHUNK = 1 << 18;
const HEADER = 5;
const BLOB_TYPES = new Set(["TINY_BLOB", "MEDIUM_BLOB", "LONG_BLOB", "BLOB"]);
const BINARY = 63;

const [, , table] = process.argv;
const source = new URL(process.env["SOURCE"]!);
const target = new URL(process.env["TARGET"]!);

const ESCAPES = new Map([
  [0x08, "b"],
  [0x09, "t"],
  [0x0a, "n"],
  [0x0b, "v"],
  [0x0c, "f"],
  [0x0d, "r"],
  [0x5c, "\\"],
]);
const letters = new Uint8Array(256);
for (const [byte, letter] of ESCAPES) letters[byte] = letter.charCodeAt(0);

const connection = mysql.createConnection({
  host: source.hostname,
  port: Number(source.port),
  user: decodeURIComponent(source.username),
  password: decodeURIComponent(source.password),
  database: source.pathname.slice(1),
  charset: "utf8mb4",
});
const wire = await openBulkSession(
  {
    engine: "postgres",
    host: target.hostname,
    port: Number(target.port),
    database: target.pathname.slice(1),
    username: decodeURIComponent(target.username),
    password: decodeURIComponent(target.password),
    sslMode: "none",
    caCertificate: undefined,
    settings: {},
  },
  "target",
  new AbortController().signal,
);

let frame: Buffer = Buffer.allocUnsafe(2 * CHUNK);
let end = HEADER;
let isHex: readonly boolean[] = [];
// First, because rows that come before stream() is called are nowhere.
await wire.copyIn(`copy bench.${table} from stdin`);
const query = connection.query({
  sql: `select * from ${table}`,
  rowsAsArray: true,
  typeCast: (field) => field.buffer() as unknown as string,
});
query.on("fields", (fields: mysql.FieldPacket[]) => {
  isHex = fields.map(({ columnType, characterSet }) => isBlob(columnType) && characterSet === BINARY);
});
for await (const row of query.stream({ highWaterMark: 1000 }) as AsyncIterable<(Buffer | null)[]>) {
  writeRow(row);
  if (end >= CHUNK) await send();
}
await send();
await wire.copyInEnd();
await wire[Symbol.asyncDispose]();
connection.end();

function isBlob(type: number | undefined): boolean {
  return type !== undefined && BLOB_TYPES.has((mysql.Types as unknown as Record<number, string>)[type] ?? "");
}

function writeRow(row: readonly (Buffer | null)[]): void {
  let most = 2 * row.length + 1;
  for (const cell of row) most += 2 * (cell?.length ?? 1) + 3;
  if (frame.length - end < most) frame = grown(most);
  for (let i = 0; i < row.length; i++) {
    if (i > 0) frame[end++] = 0x09;
    const cell = row[i];
    if (cell === null || cell === undefined) end += frame.write("\\N", end, "latin1");
    else if (isHex[i] === true) end += frame.write(`\\\\x${cell.toString("hex")}`, end, "latin1");
    else writeText(cell);
  }
  frame[end++] = 0x0a;
}

function writeText(cell: Buffer): void {
  for (let i = 0; i < cell.length; i++) {
    const byte = cell[i]!;
    const letter = letters[byte]!;
    if (letter !== 0) {
      frame[end++] = 0x5c;
      frame[end++] = letter;
    } else frame[end++] = byte;
  }
}

function grown(by: number): Buffer {
  const larger = Buffer.allocUnsafe(end + by + CHUNK);
  frame.copy(larger, 0, 0, end);
  return larger;
}

async function send(): Promise<void> {
  if (end === HEADER) return;
  frame[0] = 0x64;
  frame.writeUInt32BE(end - 1, 1);
  await wire.send(frame.subarray(0, end));
  frame = Buffer.allocUnsafe(2 * CHUNK);
  end = HEADER;
}
