import { canonicalWriter } from "../../comparison/canonical.ts";
import { type KeyColumn, keyValues } from "../row-keys.ts";
import type { Candidate } from "./candidate.ts";
import { printOf } from "./canonical-rows.ts";
import { type Digesting, sourceSide, targetSide } from "./compared-side.ts";
import type { ComparedKey, ComparedTable } from "./compared-table.ts";
import type { Settled } from "./followed-row.ts";
import { settle } from "./settle.ts";
import { type RereadContext, StateReads } from "./state-reads.ts";
import type { TargetPlace } from "./target-place.ts";

/** Rows are looked up by their keys and compared here. */
const NOTHING: Digesting = { digestsAs: () => false };

/** A table whose rows are compared by their keys. */
export class KeyedRows {
  readonly #table: ComparedTable;
  readonly #key: ComparedKey;
  readonly #writers: readonly ((cell: Buffer) => Buffer)[];

  constructor(table: ComparedTable, key: ComparedKey) {
    this.#table = table;
    this.#key = key;
    this.#writers = key.columns.map((place) => {
      const { source, form } = table.columns[place]!;
      return canonicalWriter(source, form);
    });
  }

  /** The row whose key has these values, in the order of the key; undefined where no side can be asked for them. */
  candidate(texts: readonly string[]): Candidate | undefined {
    const of = (columns: readonly KeyColumn[]): readonly string[] | undefined =>
      keyValues(columns, (_, at) => texts[at]);
    const [source, target] = [of(this.#key.source), of(this.#key.target)];
    if (source === undefined || target === undefined) return undefined;
    const prints = texts.map((text, i) => printOf(Buffer.from(text), this.#writers[i]!));
    return { id: JSON.stringify(prints), lookup: { source, target } };
  }

  /** Decides about rows, each as soon as it can be. */
  settle(
    candidates: readonly Candidate[],
    context: RereadContext & { readonly place: TargetPlace },
  ): AsyncGenerator<Settled> {
    const table = this.#table;
    const sides = { source: sourceSide(table, NOTHING), target: targetSide(table, NOTHING) };
    const reads = new StateReads(table, { sides, choice: undefined, rows: 0 }, context);
    const { place, signal } = context;
    return settle(candidates, {
      read: (side, some) => reads.now(side, (snapshot) => reads.byKey(side, snapshot, some)),
      ...{ place, signal },
    });
  }
}
