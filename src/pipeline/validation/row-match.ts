import type { SideName } from "./compared-side.ts";
import type { ComparedRow } from "./row-reader.ts";

/** Rows that one side has and the other has not, all of them the same. */
export interface UnmatchedRows {
  readonly side: SideName;
  readonly count: number;
  readonly row: ComparedRow;
}

interface OpenRow {
  /** Of the source, less those of the target. */
  balance: number;
  readonly row: ComparedRow;
}

/** Matches rows of both sides as multisets: what takes memory is what has found no match yet. */
export class RowMatch {
  readonly #open = new Map<string, OpenRow>();

  add(side: SideName, row: ComparedRow): void {
    const open = this.#open.get(row.digest);
    const by = side === "source" ? 1 : -1;
    if (open === undefined) this.#open.set(row.digest, { balance: by, row });
    else if (open.balance + by === 0) this.#open.delete(row.digest);
    else open.balance += by;
  }

  /** What is left over on either side. */
  *unmatched(): Generator<UnmatchedRows> {
    for (const { balance, row } of this.#open.values()) {
      yield { side: balance > 0 ? "source" : "target", count: Math.abs(balance), row };
    }
  }
}
