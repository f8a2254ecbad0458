import { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable } from "../../../core/schema.ts";
import type { CascadeTarget, NewValues, ReferringRows } from "../../shared/apply/apply-cascades.ts";
import { EXPECT_WIDTH, Expect } from "../../shared/apply/apply-counts.ts";
import type { RowBytes } from "../../shared/apply/key-index.ts";
import { classify } from "../connection/errors.ts";
import { ApplyColumns } from "./apply-columns.ts";
import type { ApplySession } from "./apply-session.ts";
import { ownRows, type TargetTable } from "./apply-table.ts";

const NO_PARAMS = new Int32Array(0);

/** Values of one statement: more of them save little. */
const MAX_VALUES = 1_000;
/** A statement takes no more values once it has this much. */
const MAX_LENGTH = 1 << 18;

export interface PostgresCascadesParts {
  readonly plans: readonly TablePlan[];
  readonly targets: readonly (TargetTable | undefined)[];
  readonly session: ApplySession;
}

/** A condition on some rows of a list, and where the rest of the list begins. */
interface Condition {
  readonly where: string;
  readonly next: number;
}

/**
 * Does with a session's statements what foreign keys of the source have done by themselves. Values come in the shared text
 * form, in which no other kind of source has such keys.
 */
export class PostgresCascades implements CascadeTarget {
  readonly #parts: PostgresCascadesParts;
  readonly #columns: (ApplyColumns | undefined)[] = [];

  constructor(parts: PostgresCascadesParts) {
    this.#parts = parts;
  }

  async read(
    wanted: ReferringRows,
    columns: readonly number[],
    limit: number | undefined,
  ): Promise<readonly (readonly (string | null)[])[]> {
    const texts = columns.map((ordinal) => `${this.#columnsOf(wanted.plan).name(ordinal)}::text`).join(", ");
    const found: (readonly (string | null)[])[] = [];
    for (let from = 0; from < wanted.rows.length && (limit === undefined || found.length < limit); ) {
      const { where, next } = this.#condition(wanted, from);
      const most = limit === undefined ? "" : ` limit ${limit - found.length}`;
      const rows = `select json_build_array(${texts}) as texts from ${this.#rowsOf(wanted.plan)}${where}${most}`;
      const json = await this.#ask(wanted.plan, `select json_agg(texts) from (${rows}) as found`);
      for (const row of JSON.parse(json ?? "[]") as (string | null)[][]) found.push(row);
      from = next;
    }
    return found;
  }

  async write(rows: ReferringRows): Promise<void> {
    const { plan, gets } = rows;
    const { session } = this.#parts;
    const table = this.#rowsOf(plan);
    const verb =
      gets === undefined ? `delete from ${table}` : `update ${table} set ${this.#assignments(plan, gets)}`;
    const expect = gets === undefined ? Expect.cascadeDelete : Expect.cascadeUpdate;
    for (let from = 0; from < rows.rows.length; ) {
      const { where, next } = this.#condition(rows, from);
      session.executeOnce({ sql: `${verb}${where}`, params: NO_PARAMS }, plan * EXPECT_WIDTH + expect);
      from = next;
      if (session.full) await session.push();
    }
  }

  async #ask(plan: number, sql: string): Promise<string | null | undefined> {
    try {
      return (await this.#parts.session.ask(sql)).row?.[0];
    } catch (error) {
      const table = this.#parts.plans[plan]!.source.id;
      throw classify(error, { side: "target", phase: "apply", table });
    }
  }

  #assignments(plan: number, gets: NewValues): string {
    const columns = this.#columnsOf(plan);
    const list = gets.ordinals
      .map((ordinal) => `${columns.name(ordinal)} = ${cellText(columns, ordinal, gets, gets.row)}`)
      .join(", ");
    if (!list.includes("\0")) return list;
    const { id } = this.#parts.plans[plan]!.source;
    throw new MigrationError("apply.rejected", {
      message:
        "A foreign key of the source has given rows a text with a zero byte in it, which the target has no value for.",
      subject: displayTable(id),
      table: id,
    });
  }

  #condition({ plan, columns, rows }: ReferringRows, from: number): Condition {
    const known = this.#columnsOf(plan);
    const folded = known.foldedOf(columns);
    const exact = (ordinal: number, sql: string): string =>
      folded.includes(ordinal) ? ApplyColumns.identity(sql) : sql;
    const values: string[] = [];
    const exactValues: string[] = [];
    let length = 0;
    let next = from;
    for (; next < rows.length && values.length < MAX_VALUES && length < MAX_LENGTH; next++) {
      const source = rows.source(next);
      const cells = columns.map((ordinal) => cellText(known, ordinal, source, rows.row(next)));
      const value = cells.join(", ");
      // No text here has it, so no row either.
      if (value.includes("\0")) continue;
      length += value.length;
      values.push(value);
      exactValues.push(cells.map((cell, c) => exact(columns[c]!, cell)).join(", "));
    }
    if (values.length === 0) return { where: " where false", next };
    const names = columns.map((ordinal) => known.name(ordinal));
    const where = among(names, values);
    if (folded.length === 0) return { where: ` where ${where}`, next };
    // An index finds rows by the first; of those, only what is the same to the source is meant.
    const exactNames = columns.map((ordinal, c) => exact(ordinal, names[c]!));
    return { where: ` where ${where} and ${among(exactNames, exactValues)}`, next };
  }

  #rowsOf(plan: number): string {
    return ownRows(this.#parts.plans[plan]!.target.id, this.#parts.targets[plan]);
  }

  #columnsOf(plan: number): ApplyColumns {
    this.#columns[plan] ??= new ApplyColumns(this.#parts.plans[plan]!, this.#parts.targets[plan], "text");
    return this.#columns[plan];
  }
}

/** As rows of a list where there are several columns, so that many of them are joined and not compared one after the other. */
function among(names: readonly string[], values: readonly string[]): string {
  if (names.length === 1) return `${names[0]} in (${values.join(", ")})`;
  return `(${names.join(", ")}) in (values ${values.map((value) => `(${value})`).join(", ")})`;
}

function cellText(columns: ApplyColumns, ordinal: number, { bytes, cells }: RowBytes, row: number): string {
  const start = cells[row + 2 * ordinal]!;
  if (start < 0) return "null";
  return columns.literal(ordinal, bytes.toString("utf8", start, cells[row + 2 * ordinal + 1]!));
}
