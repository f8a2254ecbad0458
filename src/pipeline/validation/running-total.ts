import { ExactSum } from "../../base/exact-sum.ts";
import { canonicalWriter } from "../../comparison/canonical.ts";
import { compareMoments } from "../../comparison/moment-order.ts";
import { type ColumnTotal, isSummed, type TotalForm } from "../../core/row-totals.ts";
import type { Column } from "../../core/schema.ts";

/** What a column of one side has come to so far. */
export class RunningTotal {
  readonly #write: (text: string) => string;
  readonly #sum = new ExactSum();
  #range: readonly [first: string, last: string] | undefined;
  readonly #isSummed: boolean;

  constructor(column: Pick<Column, "type">, form: TotalForm) {
    // A sum of whole numbers may be told with a point.
    const type = isSummed(form) ? ({ kind: "decimal" } as const) : column.type;
    const write = canonicalWriter({ type }, form);
    this.#write = (text) => write(Buffer.from(text, "latin1")).toString("latin1");
    this.#isSummed = isSummed(form);
  }

  add(total: ColumnTotal): void {
    if (total.kind === "sum") this.#sum.add(total.sum);
    if (total.kind === "sum" || total.first === null || total.last === null) return;
    const both = [this.#write(total.first), this.#write(total.last), ...(this.#range ?? [])];
    both.sort(compareMoments);
    this.#range = [both[0]!, both.at(-1)!];
  }

  /** The sum, or the first and the last; null where there are none. */
  get words(): readonly (string | null)[] {
    if (!this.#isSummed) return this.#range ?? [null, null];
    const sum = this.#sum.text;
    return [sum === null ? null : this.#write(sum)];
  }
}
