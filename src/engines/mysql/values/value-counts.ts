import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import { finding } from "../../shared/finding.ts";

/** Counts, for each table, values that came as others. */
export class ValueCounts {
  readonly #counts = new Map<string, { readonly table: TableId; count: number }>();

  add(table: TableId, count: number): void {
    if (count === 0) return;
    const key = tableKey(table);
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { table, count });
    else known.count += count;
  }

  /** A warning for each table; `message` says what became of so many. */
  findings(
    code: "source.zero_date" | "target.value_out_of_range",
    message: (count: number) => string,
  ): readonly Finding[] {
    return [...this.#counts.values()].map(({ table, count }) =>
      finding(code, "warning", { subject: displayTable(table), table, message: message(count) }),
    );
  }
}
