import { canonicalWriter } from "../../comparison/canonical.ts";
import type { Snapshot } from "../../core/source.ts";
import { type KeyColumn, keyValues } from "../row-keys.ts";
import { type Candidate, NO_ROWS } from "./candidate.ts";
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

  /** Whether rows are compared in all columns whose values the source does not compute. */
  get isWhole(): boolean {
    const { plan, columns } = this.#table;
    return columns.length === plan.source.columns.filter(({ generated }) => generated === undefined).length;
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

  /** Those of which the target has now what the source shows in a snapshot: of a moment that the target shows, too. */
  async equal(
    candidates: readonly Candidate[],
    snapshot: Snapshot,
    context: RereadContext,
  ): Promise<readonly Candidate[]> {
    const reads = this.#reads(context);
    const source = await reads.byKey("source", snapshot, candidates);
    const target = await reads.now("target", (there) => reads.byKey("target", there, candidates));
    return candidates.filter(
      ({ id }) => (source.get(id) ?? NO_ROWS).text === (target.get(id) ?? NO_ROWS).text,
    );
  }

  /** Decides about rows, each as soon as it can be. */
  settle(
    candidates: readonly Candidate[],
    context: RereadContext & { readonly place: TargetPlace },
  ): AsyncGenerator<Settled> {
    const reads = this.#reads(context);
    const { place, signal } = context;
    return settle(candidates, {
      read: (side, some) => reads.now(side, (snapshot) => reads.byKey(side, snapshot, some)),
      ...{ place, signal },
    });
  }

  #reads(context: RereadContext): StateReads {
    const table = this.#table;
    const sides = { source: sourceSide(table, NOTHING), target: targetSide(table, NOTHING) };
    return new StateReads(table, { sides, choice: undefined, rows: 0 }, context);
  }
}
