import type { TablePlan } from "../../../core/plan.ts";
import type { NewValues, ReferringRows } from "../../shared/apply/apply-cascades.ts";
import { qualified } from "../catalog/identifier.ts";
import { CellForm, writeLiteral } from "../values/cell-text.ts";
import type { SqlText } from "../values/sql-text.ts";
import { ApplyColumns, type Comparison } from "./apply-columns.ts";
import type { ApplyTable } from "./apply-table.ts";

/** Values of one statement: more of them save little, and make the server slow. */
const MAX_VALUES = 500;
/** A statement takes no more values once it has this much. */
const MAX_BYTES = 1 << 18;

const OPEN = Buffer.from("(");
const CLOSE = Buffer.from(")");
const COMMA = Buffer.from(",");
const EQUALS = Buffer.from("=");

/** Writes the statements about all rows of a table that hold the same in some columns as one of a list does. */
export class CascadeSql {
  readonly #columns: ApplyColumns;
  readonly #name: string;
  readonly #comparisons: (Comparison | undefined)[] = [];

  constructor(plan: TablePlan, table: ApplyTable | undefined) {
    this.#columns = new ApplyColumns(plan, table);
    this.#name = qualified(plan.target.id);
  }

  delete(out: SqlText): void {
    out.append(Buffer.from(`delete from ${this.#name}`));
  }

  update(out: SqlText, { ordinals, bytes, cells, row }: NewValues): void {
    out.append(Buffer.from(`update ${this.#name} set `));
    for (const [i, ordinal] of ordinals.entries()) {
      const cell = row + 2 * ordinal;
      if (i > 0) out.append(COMMA);
      out.append(this.#columns.names[ordinal]!);
      out.append(EQUALS);
      writeLiteral(out, this.#columns.forms[ordinal]!, bytes, cells[cell]!, cells[cell + 1]!);
    }
  }

  /** Values in the text form of their logical types. */
  select(out: SqlText, ordinals: readonly number[]): void {
    const values = ordinals.map((ordinal) => this.#text(ordinal)).join(", ");
    out.append(Buffer.from(`select ${values} from ${this.#name}`));
  }

  /** The condition, for rows of the list from `from` on; returns the first that is left for another statement. */
  where(out: SqlText, { columns, rows }: ReferringRows, from: number): number {
    const names = columns.map((ordinal) => String(this.#columns.names[ordinal]!)).join(",");
    const isTuple = columns.length > 1;
    out.append(Buffer.from(` where ${isTuple ? `(${names})` : names} in (`));
    const start = out.length;
    let i = from;
    for (; i < rows.length && i - from < MAX_VALUES && out.length - start < MAX_BYTES; i++) {
      if (i > from) out.append(COMMA);
      const { bytes, cells } = rows.source(i);
      if (isTuple) out.append(OPEN);
      for (let c = 0; c < columns.length; c++) {
        const { item, close, form } = this.#comparison(columns[c]!);
        const cell = rows.row(i) + 2 * columns[c]!;
        if (c > 0) out.append(COMMA);
        out.append(item);
        writeLiteral(out, form, bytes, cells[cell]!, cells[cell + 1]!);
        out.append(close);
      }
      if (isTuple) out.append(CLOSE);
    }
    out.append(CLOSE);
    return i;
  }

  #comparison(ordinal: number): Comparison {
    this.#comparisons[ordinal] ??= this.#columns.isKey(ordinal);
    return this.#comparisons[ordinal];
  }

  /** What the client protocol sends is that form but for bytes, bits and booleans. */
  #text(ordinal: number): string {
    const name = String(this.#columns.names[ordinal]!);
    switch (this.#columns.forms[ordinal]) {
      case CellForm.truth:
        return `if(${name}, 't', 'f')`;
      case CellForm.truthText:
        return `if(${name} = 'true', 't', 'f')`;
      case CellForm.bytes:
        return `concat('\\\\x', lower(hex(${name})))`;
      case CellForm.bits:
        return `bin(${name} + 0)`;
      default:
        return name;
    }
  }
}
