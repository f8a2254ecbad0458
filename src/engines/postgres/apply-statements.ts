import { UNCHANGED_CELL } from "../../core/change-batch.ts";
import type { TablePlan } from "../../core/plan.ts";
import { qualified } from "../shared/identifier.ts";
import { ApplyColumns } from "./apply-columns.ts";
import type { TargetTable } from "./apply-table.ts";
import type { PreparedStatement } from "./apply-writer.ts";

export interface StatementsOptions {
  readonly plan: TablePlan;
  /** undefined when the table is not there; then the server will say so. */
  readonly target: TargetTable | undefined;
  readonly encoding: "pg-binary" | "text";
  /** Unique in the session, for the statements' names. */
  readonly prefix: string;
}

/** A statement for one combination of cells that an update's row may lack. */
interface UpdateShape {
  readonly hasBefore: boolean;
  /** 1 for each ordinal that was not sent. */
  readonly unchanged: Uint8Array;
  readonly statement: PreparedStatement;
}

/** Parameters in the order in which the text names them. */
class Parameters {
  readonly cells: number[] = [];

  /** From the row before or after. */
  of(ordinal: number, hasBefore: boolean): string {
    return `$${this.cells.push(hasBefore ? ~(2 * ordinal) : 2 * ordinal)}`;
  }
}

/** The statements that apply one table's changes, made when first needed. */
export class TableStatements {
  readonly hasKey: boolean;
  readonly #name: string;
  readonly #plan: TablePlan;
  readonly #target: TargetTable | undefined;
  readonly #columns: ApplyColumns;
  readonly #key: readonly number[];
  readonly #prefix: string;
  #count = 0;
  #insert: PreparedStatement | undefined;
  #upsert: PreparedStatement | undefined;
  #delete: PreparedStatement | undefined;
  readonly #updates: UpdateShape[] = [];
  readonly #moves: UpdateShape[] = [];

  constructor(options: StatementsOptions) {
    const { plan, target } = options;
    this.#plan = plan;
    this.#target = target;
    this.#prefix = options.prefix;
    this.#name = qualified(plan.target.id);
    this.#columns = new ApplyColumns(plan, target, options.encoding);
    this.#key = plan.source.key;
    this.hasKey = this.#key.length > 0;
  }

  /** A row in the way is left as it is, and shows as a command that changed nothing. */
  insert(): PreparedStatement {
    this.#insert ??= this.#makeInsert(this.#mayIgnoreConflicts() ? " on conflict do nothing" : "");
    return this.#insert;
  }

  /** Insert that overwrites the row of the same key. */
  upsert(): PreparedStatement {
    if (this.#upsert !== undefined) return this.#upsert;
    const columns = this.#columns;
    const set = columns.written.filter((o) => columns.isSettable(o) && !this.#key.includes(o));
    const key = this.#key.map((o) => columns.name(o)).join(", ");
    const values = set.map((o) => `${columns.name(o)} = excluded.${columns.name(o)}`).join(", ");
    const action = values === "" ? "nothing" : `update set ${values}`;
    this.#upsert = this.#makeInsert(` on conflict (${key}) do ${action}`);
    return this.#upsert;
  }

  delete(): PreparedStatement {
    if (this.#delete !== undefined) return this.#delete;
    const parameters = new Parameters();
    const where = this.#where(parameters, true);
    this.#delete = this.#statement(`delete from ${this.#name} where ${where}`, parameters);
    return this.#delete;
  }

  /** The update for what this change's row holds; without a row before, the key has not changed. */
  update(cells: Int32Array, after: number, hasBefore: boolean): PreparedStatement {
    const known = find(this.#updates, cells, { after, hasBefore });
    if (known !== undefined) return known;
    const unchanged = maskOf(this.#plan, cells, after);
    const parameters = new Parameters();
    const set = this.#set(parameters, unchanged, hasBefore);
    const where = this.#where(parameters, hasBefore);
    const statement = this.#statement(`update ${this.#name} set ${set} where ${where}`, parameters);
    remember(this.#updates, { hasBefore, unchanged, statement });
    return statement;
  }

  /** Like update() of a row whose key changed, but nothing when the new key is there already. */
  moveUnlessThere(cells: Int32Array, after: number): PreparedStatement {
    const known = find(this.#moves, cells, { after, hasBefore: true });
    if (known !== undefined) return known;
    const unchanged = maskOf(this.#plan, cells, after);
    const parameters = new Parameters();
    const set = this.#set(parameters, unchanged, true);
    const where = this.#where(parameters, true);
    const taken = `select from ${this.#name} where ${this.#where(parameters, false)}`;
    const sql = `update ${this.#name} set ${set} where ${where} and not exists (${taken})`;
    const statement = this.#statement(sql, parameters);
    remember(this.#moves, { hasBefore: true, unchanged, statement });
    return statement;
  }

  #makeInsert(conflict: string): PreparedStatement {
    const columns = this.#columns;
    const parameters = new Parameters();
    const names = columns.written.map((o) => columns.name(o)).join(", ");
    const values = columns.written.map((o) => columns.value(o, parameters.of(o, false))).join(", ");
    const row = names === "" ? "default values" : `(${names}) overriding system value values (${values})`;
    return this.#statement(`insert into ${this.#name} ${row}${conflict}`, parameters);
  }

  /** ON CONFLICT without a target looks at every unique index, and is refused when one is deferrable. */
  #mayIgnoreConflicts(): boolean {
    const { indexes } = this.#plan.target;
    const isDeferrable = (native: string): boolean => /(?<!not )\bdeferrable\b/i.test(native);
    return this.#target?.deferrable !== true && !indexes.some((index) => isDeferrable(index.native));
  }

  #set(parameters: Parameters, unchanged: Uint8Array, hasBefore: boolean): string {
    const columns = this.#columns;
    const sent = columns.written.filter((o) => unchanged[o] === 0);
    const settable = sent.filter((o) => columns.isSettable(o));
    const keyMayChange = hasBefore || !this.hasKey;
    const wanted = settable.filter((o) => keyMayChange || !this.#key.includes(o));
    if (wanted.length > 0) return this.#assign(parameters, wanted);
    // A change that says nothing new must still find its row: a column is set to what it is.
    const any = columns.written.find((o) => columns.isSettable(o));
    if (any !== undefined) return `${columns.name(any)} = ${columns.name(any)}`;
    return this.#assign(parameters, sent);
  }

  #assign(parameters: Parameters, ordinals: readonly number[]): string {
    const columns = this.#columns;
    return ordinals
      .map((o) => `${columns.name(o)} = ${columns.value(o, parameters.of(o, false))}`)
      .join(", ");
  }

  /** One row: by key, or the first that has all the values. */
  #where(parameters: Parameters, hasBefore: boolean): string {
    const columns = this.#columns;
    if (this.hasKey) {
      return this.#key.map((o) => columns.equals(o, parameters.of(o, hasBefore))).join(" and ");
    }
    const same = columns.written.map((o) => columns.isSame(o, parameters.of(o, hasBefore))).join(" and ");
    const from = `from ${this.#name}${same === "" ? "" : ` where ${same}`} limit 1`;
    return this.#target?.partitioned === true
      ? `(tableoid, ctid) = (select tableoid, ctid ${from})`
      : `ctid = (select ctid ${from})`;
  }

  #statement(sql: string, parameters: Parameters): PreparedStatement {
    const name = `${this.#prefix}_${this.#count++}`;
    return { name, sql, params: Int32Array.from(parameters.cells), prepared: false, usedAt: 0 };
  }
}

/** Whether the rows before and after have the same values in the key's columns. */
export function hasSameKey(
  plan: TablePlan,
  batch: { readonly bytes: Uint8Array; readonly cells: Int32Array },
  rows: { readonly before: number; readonly after: number },
): boolean {
  const { bytes, cells } = batch;
  for (const ordinal of plan.source.key) {
    const a = rows.before + 2 * ordinal;
    const b = rows.after + 2 * ordinal;
    if (cells[b] === UNCHANGED_CELL) continue;
    const length = cells[a + 1]! - cells[a]!;
    if (cells[a]! < 0 || cells[b]! < 0 || cells[b + 1]! - cells[b]! !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[cells[a]! + i] !== bytes[cells[b]! + i]) return false;
  }
  return true;
}

/** Whether the source has sent every value of the row. */
export function isComplete(plan: TablePlan, cells: Int32Array, row: number): boolean {
  const end = row + 2 * plan.source.columns.length;
  for (let cell = row; cell < end; cell += 2) if (cells[cell] === UNCHANGED_CELL) return false;
  return true;
}

/** Tables have few shapes; beyond this many the oldest is forgotten. */
const MAX_SHAPES = 64;

function remember(shapes: UpdateShape[], shape: UpdateShape): void {
  if (shapes.length === MAX_SHAPES) shapes.shift();
  shapes.push(shape);
}

function find(
  shapes: readonly UpdateShape[],
  cells: Int32Array,
  change: { readonly after: number; readonly hasBefore: boolean },
): PreparedStatement | undefined {
  for (let i = 0; i < shapes.length; i++) {
    const shape = shapes[i]!;
    if (shape.hasBefore === change.hasBefore && fits(shape.unchanged, cells, change.after))
      return shape.statement;
  }
  return undefined;
}

function fits(unchanged: Uint8Array, cells: Int32Array, after: number): boolean {
  for (let i = 0; i < unchanged.length; i++) {
    if ((cells[after + 2 * i] === UNCHANGED_CELL) !== (unchanged[i] === 1)) return false;
  }
  return true;
}

function maskOf(plan: TablePlan, cells: Int32Array, after: number): Uint8Array {
  const mask = new Uint8Array(plan.source.columns.length);
  for (let i = 0; i < mask.length; i++) mask[i] = cells[after + 2 * i] === UNCHANGED_CELL ? 1 : 0;
  return mask;
}
