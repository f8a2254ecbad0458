import type { RowTaker } from "./add-rows.ts";
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
export class RowMatch implements RowTaker {
  readonly #open = new Map<string, OpenRow>();

  counted(side: SideName, digest: string): boolean {
    const open = this.#open.get(digest);
    if (open === undefined) return false;
    open.balance += byOf(side);
    if (open.balance === 0) this.#open.delete(digest);
    return true;
  }

  add(side: SideName, row: ComparedRow): void {
    this.#open.set(row.digest, { balance: byOf(side), row });
  }

  /** What is left over on either side. */
  *unmatched(): Generator<UnmatchedRows> {
    for (const { balance, row } of this.#open.values()) {
      yield { side: balance > 0 ? "source" : "target", count: Math.abs(balance), row };
    }
  }
}

function byOf(side: SideName): number {
  return side === "source" ? 1 : -1;
}
