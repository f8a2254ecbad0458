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

  add(side: SideName, { digest, id, lookup }: ComparedRow): void {
    const of = side === "source" ? SOURCE : TARGET;
    const key = lookup === undefined ? undefined : Buffer.from(JSON.stringify([id, lookup]));
    this.#rows.add(digest, key === undefined ? of : Buffer.concat([of, key]));
  }

  /** What is left over on either side of each part. */
  *unmatched(): Generator<Iterable<UnmatchedRows>> {
    for (let part = 0; part < this.#rows.parts; part++) {
      const match = new RowMatch();
      for (const { digest, payload } of this.#rows.part(part)) {
        const side = payload[0] === SOURCE[0] ? "source" : "target";
        if (!match.counted(side, digest)) match.add(side, rowOf(digest, payload.subarray(1)));
      }
      yield match.unmatched();
    }
  }

  [Symbol.dispose](): void {
    this.#rows[Symbol.dispose]();
  }
}

function rowOf(digest: string, key: Buffer): ComparedRow {
  if (key.length === 0) return { digest, id: digest, lookup: undefined };
  const [id, lookup] = JSON.parse(key.toString("utf8"));
  return { digest, id, lookup };
}
