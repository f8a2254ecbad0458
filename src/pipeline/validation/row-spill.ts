import { hash } from "node:crypto";
import type { RowTaker } from "./add-rows.ts";
import type { SideName } from "./compared-side.ts";
import { type DigestAmount, DigestParts } from "./digest-parts.ts";
import { RowMatch, type UnmatchedRows } from "./row-match.ts";
import type { ComparedRow } from "./row-reader.ts";

const SOURCE = Buffer.from("s");
const TARGET = Buffer.from("t");

/** Rows of both sides that are more than memory holds: they are matched when all are there, part by part. */
export class RowSpill implements RowTaker, Disposable {
  readonly #rows: DigestParts;

  constructor(amount: DigestAmount) {
    this.#rows = new DigestParts(amount);
  }

  counted(): boolean {
    return false;
  }

  /** All rows of a key come into one part, as all rows of a digest do that have none. */
  add(side: SideName, { digest, id, lookup }: ComparedRow): void {
    const of = side === "source" ? SOURCE : TARGET;
    if (lookup === undefined) this.#rows.add(digest, of);
    else {
      const row = Buffer.from(JSON.stringify([digest, id, lookup]));
      this.#rows.add(hash("md5", id, "binary"), Buffer.concat([of, row]));
    }
  }

  /** What is left over on either side of each part. */
  *unmatched(): Generator<Iterable<UnmatchedRows>> {
    for (let part = 0; part < this.#rows.parts; part++) {
      const match = new RowMatch();
      for (const { digest, payload } of this.#rows.part(part)) {
        const side = payload[0] === SOURCE[0] ? "source" : "target";
        const row = rowOf(digest, payload.subarray(1));
        if (!match.counted(side, row.digest)) match.add(side, row);
      }
      yield match.unmatched();
    }
  }

  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]();
  }
}

function rowOf(first: string, keyed: Buffer): ComparedRow {
  if (keyed.length === 0) return { digest: first, id: first, lookup: undefined };
  const [digest, id, lookup] = JSON.parse(keyed.toString("utf8"));
  return { digest, id, lookup };
}
