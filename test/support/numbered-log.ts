import { type ChangeBatch, Op } from "../../src/core/change-batch.ts";
import type { Position, PositionCodec } from "../../src/core/position.ts";
import type { TableSchema } from "../../src/core/schema.ts";

/* A log of no server, whose positions are numbers; a transaction was committed so many seconds after 1970. */

export const at = (value: number): Position => ({ kind: "test", text: String(value) });
export const codec: PositionCodec = {
  parse: (text) => ({ kind: "test", text }),
  compare: (a, b) => Math.sign(Number(a.text) - Number(b.text)) as -1 | 0 | 1,
};

export function table(name: string): TableSchema {
  return {
    id: { schema: "s", name },
    columns: [],
    key: [],
    rowIdentity: "key",
    indexes: [],
    checks: [],
    foreignKeys: [],
    estimatedRows: 0,
    estimatedBytes: 0,
  };
}

/** Transactions of these positions, each with an insert into the table a and a delete from b. */
export function batch(positions: readonly number[]): ChangeBatch {
  const tables = [table("a"), table("b")];
  const ops = positions.flatMap(() => [Op.insert, 0, -1, 0, Op.delete, 1, 0, -1]);
  const transactions = positions.map((position, index) => ({
    start: index * 2,
    end: index * 2 + 2,
    position: at(position),
    id: String(index),
    committedAtMs: position * 1000,
    begins: true,
    commits: true,
  }));
  const cells = new Int32Array();
  return {
    bytes: new Uint8Array(),
    cells,
    encoding: "text",
    tables,
    ops: Int32Array.from(ops),
    transactions,
  };
}
