import { type ChangeBatch, Op } from "../../src/core/change-batch.ts";
import { lsnPosition } from "../../src/engines/postgres/catalog/lsn.ts";
import type { Replication } from "./replication.ts";
import type { ReplicationAcross } from "./replication-across.ts";

/**
 * Applies one transaction that comes in two pieces, each with a row for the only table, whose only column is an int:
 * 1 in the first, 2 in the second. `between` is called when the first has been taken and what could be applied is.
 */
export async function applyInTwoPieces(
  { applier, plan }: Replication | ReplicationAcross,
  between: () => Promise<unknown>,
): Promise<void> {
  const piece = (part: { readonly begins: boolean; readonly commits: boolean }): ChangeBatch => ({
    bytes: Buffer.from(part.begins ? "1" : "2"),
    cells: Int32Array.of(0, 1),
    encoding: "text",
    tables: plan.tables.map((table) => table.source),
    ops: Int32Array.of(Op.insert, 0, -1, 0),
    transactions: [
      { start: 0, end: 1, position: lsnPosition(1n << 40n), id: "1", committedAtMs: 1, ...part },
    ],
  });
  await applier.apply(piece({ begins: true, commits: false }), undefined);
  await applier.flush();
  await between();
  await applier.apply(piece({ begins: false, commits: true }), undefined);
  await applier.flush();
}
