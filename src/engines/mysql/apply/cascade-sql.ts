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
const WHERE = Buffer.from(" where ");
const AND = Buffer.from(" and ");
const IN = Buffer.from(" in (");

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
    const keys = columns.map((ordinal) => this.#isKey(ordinal));
    out.append(WHERE);
    const to = among(out, keys, { columns, rows, from, to: rows.length });
    const isFolded = columns.map((ordinal) => this.#columns.foldsTexts(ordinal));
    if (!isFolded.includes(true)) return to;
    // An index finds rows by what is above; of those, only what is the same to the source is meant.
    const exact = columns.map((ordinal, c) => (isFolded[c] ? this.#columns.isReferred(ordinal) : keys[c]!));
    out.append(AND);
    return among(out, exact, { columns, rows, from, to });
  }

  #isKey(ordinal: number): Comparison {
    this.#comparisons[ordinal] ??= this.#columns.isKey(ordinal);
    return this.#comparisons[ordinal];
  }

  /** What the client protocol sends is that form but for bytes, bits and booleans. NULL stays NULL. */
  #text(ordinal: number): string {
    const name = String(this.#columns.names[ordinal]!);
    switch (this.#columns.forms[ordinal]) {
      case CellForm.truth:
        return `elt(1 + (${name} <> 0), 'f', 't')`;
      case CellForm.truthText:
        return `elt(1 + (${name} = 'true'), 'f', 't')`;
      case CellForm.bytes:
        return `concat('\\\\x', lower(hex(${name})))`;
      case CellForm.bits:
        return `bin(${name} + 0)`;
      default:
        return name;
    }
  }
}

interface Listed extends Pick<ReferringRows, "columns" | "rows"> {
  readonly from: number;
  readonly to: number;
}

/** Columns among the values of some rows, as far as one statement takes them; returns the first that is left. */
function among(
  out: SqlText,
  comparisons: readonly Comparison[],
  { columns, rows, from, to }: Listed,
): number {
  const isTuple = columns.length > 1;
  if (isTuple) out.append(OPEN);
  for (const [c, { column }] of comparisons.entries()) {
    if (c > 0) out.append(COMMA);
    out.append(column);
  }
  if (isTuple) out.append(CLOSE);
  out.append(IN);
  const start = out.length;
  let i = from;
  for (; i < to && i - from < MAX_VALUES && out.length - start < MAX_BYTES; i++) {
    if (i > from) out.append(COMMA);
    const { bytes, cells } = rows.source(i);
    if (isTuple) out.append(OPEN);
    for (const [c, { item, close, form }] of comparisons.entries()) {
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
