import type { ChangeBatch } from "../../src/core/change-batch.ts";
import type { Column, TableSchema } from "../../src/core/schema.ts";
import { BinlogDecoder } from "../../src/engines/mysql/log/binlog-decoder.ts";
import { EventKind } from "../../src/engines/mysql/log/binlog-event.ts";
import type { BinlogOptions } from "../../src/engines/mysql/log/binlog-options.ts";
import { gtidPositionOf } from "../../src/engines/mysql/log/binlog-position.ts";
import { ColumnKind } from "../../src/engines/mysql/log/binlog-table-map.ts";
import { ValueCounts } from "../../src/engines/mysql/values/value-counts.ts";
import { rows, uint } from "./binlog-events.ts";

/* A table, and what a decoder makes of hand-made events about it. */

export const UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

const column = (name: string, type: Column["type"]): Column => ({
  name,
  type,
  nativeType: "",
  nullable: true,
});
export const TABLE: TableSchema = {
  id: { schema: "shop", name: "t" },
  columns: [
    column("id", { kind: "int", bits: 32, unsigned: true }),
    column("label", { kind: "enum", values: ["?", "old"] }),
    column("text", { kind: "string", fixed: false }),
  ],
  key: [0],
  rowIdentity: "key",
  indexes: [],
  checks: [],
  foreignKeys: [],
  estimatedRows: 0,
  estimatedBytes: 0,
};
export const MAP = {
  ...{ table: 9, schema: "shop", name: "t" },
  columns: [
    [ColumnKind.long, []],
    [ColumnKind.string, [ColumnKind.enum, 1]],
    [ColumnKind.varchar, [200, 0]],
  ],
} as const;

export function decoder(options: Partial<BinlogOptions> = {}): BinlogDecoder {
  return new BinlogDecoder({
    tables: [TABLE],
    after: gtidPositionOf(`${UUID}:1-5`),
    hasChecksum: false,
    facts: {
      foldsNames: false,
      zeroDates: "null",
      zeroDateCounts: new ValueCounts(),
      charsets: new Map(),
      collations: new Map([[255, "utf8mb4"]]),
      defaults: new Map(),
      outside: [],
    },
    ...options,
  });
}

export function row(id: number, label: number, text: string): Buffer {
  return Buffer.concat([
    uint(0, 1),
    uint(id, 4),
    uint(label, 1),
    uint(Buffer.byteLength(text), 1),
    Buffer.from(text),
  ]);
}

export async function decodeAll(into: BinlogDecoder, events: readonly Buffer[]): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = [];
  const take = (): void => {
    const batch = into.take();
    if (batch !== undefined) batches.push(batch);
  };
  for (const one of events) {
    // Behind the byte that says that an event follows.
    into.decode(Buffer.concat([uint(0, 1), one]), 1, 1 + one.length);
    for (; into.isFull || into.pause !== undefined; into.resume()) {
      if (into.pause?.kind === "payload") await into.pause.fill();
      if (into.isFull) take();
    }
  }
  take();
  return batches;
}

/** Rows as they have become. */
export function textsOf({ bytes, cells, ops, tables }: ChangeBatch): (string | null)[][] {
  const texts: (string | null)[][] = [];
  for (let at = 3; at < ops.length; at += 4) {
    const first = ops[at]!;
    if (first < 0) continue;
    texts.push(
      tables[ops[at - 2]!]!.columns.map((_, i) => {
        const start = cells[first + 2 * i]!;
        return start < 0 ? null : Buffer.from(bytes.subarray(start, cells[first + 2 * i + 1]!)).toString();
      }),
    );
  }
  return texts;
}

export const write = (...images: readonly Buffer[]): Buffer =>
  rows(EventKind.writeRows2, { table: 9, width: 3 }, Buffer.concat(images));
