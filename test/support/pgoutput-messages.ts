import { type ChangeBatch, OP_WIDTH } from "../../src/core/change-batch.ts";
import type { Column, TableSchema } from "../../src/core/schema.ts";
import { lsnCodec } from "../../src/engines/postgres/catalog/lsn.ts";
import { PgoutputDecoder } from "../../src/engines/postgres/log/pgoutput.ts";

/*
 * Messages of pgoutput as a server sends them (protocol manual, "Logical Replication Message Formats"), and what a
 * decoder makes of them.
 */

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value | 0);
  return bytes;
};
export const int16 = (value: number): Buffer => int32(value).subarray(2);
export const text = (value: string): Buffer => Buffer.from(`${value}\0`);
export const tag = (letter: string, ...parts: Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from(letter), ...parts]);

export const begin = (low: number, xid = 7): Buffer =>
  tag("B", int32(0x16), int32(low), int32(0), int32(2_000_000), int32(xid));
export const commit = (): Buffer => tag("C", Buffer.alloc(25));
export type Cell = string | null | undefined;
export const tuple = (...cells: Cell[]): Buffer =>
  Buffer.concat([
    int16(cells.length),
    ...cells.map((cell) =>
      cell === null
        ? Buffer.from("n")
        : cell === undefined
          ? Buffer.from("u")
          : tag("t", int32(Buffer.byteLength(cell)), Buffer.from(cell)),
    ),
  ]);
export interface RelationOptions {
  readonly id?: number;
  readonly name?: string;
  readonly identity?: string;
  readonly columns?: readonly (readonly [name: string, inKey: number])[];
}
export const relation = (options: RelationOptions = {}): Buffer => {
  const { id = 1, name = "t", identity = "d" } = options;
  const columns = options.columns ?? [
    ["id", 1],
    ["v", 0],
    ["w", 0],
  ];
  return tag(
    "R",
    int32(id),
    text("s"),
    text(name),
    Buffer.from(identity),
    int16(columns.length),
    ...columns.map(([column, inKey]) =>
      Buffer.concat([Buffer.from([inKey]), text(column), int32(25), int32(-1)]),
    ),
  );
};
export const insert = (id: number, ...cells: Cell[]): Buffer =>
  tag("I", int32(id), Buffer.from("N"), tuple(...cells));

export function column(name: string, more: Partial<Column> = {}): Column {
  return { name, nativeType: "text", type: { kind: "string", fixed: false }, nullable: true, ...more };
}

export function table(more: Partial<TableSchema> = {}): TableSchema {
  return {
    id: { schema: "s", name: "t" },
    columns: [column("id"), column("v"), column("w")],
    key: [0],
    rowIdentity: "key",
    indexes: [],
    checks: [],
    foreignKeys: [],
    estimatedRows: -1,
    estimatedBytes: -1,
    ...more,
  };
}

export function decoder(tables: readonly TableSchema[] = [table()], after = "0/0"): PgoutputDecoder {
  return new PgoutputDecoder({ tables, encoding: "text", after: lsnCodec.parse(after) });
}

export function decode(messages: readonly Buffer[], into = decoder()): ChangeBatch | undefined {
  // In one buffer with strange bytes around, as messages lie in a chunk from the socket.
  const bytes = Buffer.concat(messages.flatMap((message) => [Buffer.from("\xff\xff", "latin1"), message]));
  let at = 0;
  for (const message of messages) {
    into.decode(bytes, at + 2, at + 2 + message.length);
    at += 2 + message.length;
  }
  return into.take(bytes);
}

export function row(batch: ChangeBatch, index: number, columns = 3): Cell[] | undefined {
  if (index < 0) return undefined;
  return Array.from({ length: columns }, (_, i) => {
    const start = batch.cells[index + 2 * i]!;
    if (start === -1) return null;
    if (start === -2) return undefined;
    return Buffer.from(batch.bytes).toString("utf8", start, batch.cells[index + 2 * i + 1]);
  });
}

export function ops(batch: ChangeBatch, columns = 3): unknown[] {
  return Array.from({ length: batch.ops.length / OP_WIDTH }, (_, i) => {
    const [op, index, before, after] = batch.ops.subarray(i * OP_WIDTH) as unknown as number[];
    return [op, batch.tables[index!]!.id.name, row(batch, before!, columns), row(batch, after!, columns)];
  });
}
