import { UNCHANGED_CELL } from "../../core/change-batch.ts";
import { ordinaryColumn, type TablePlan } from "../../core/plan.ts";
import { cellRowOf } from "../../core/row-inserts.ts";
import type { RepairStatements, RowRepair } from "../../core/row-repair.ts";
import { tableKey } from "../../core/schema.ts";
import type { SideName } from "./compared-side.ts";
import { type ComparedTable, readOrdinals } from "./compared-table.ts";
import { type DigestAmount, DigestParts, numbersPayload, sumsOf } from "./digest-parts.ts";
import { type DigestSieve, sieveOf } from "./digest-sieve.ts";
import type { Settled } from "./followed-row.ts";
import { packedRow, type ReadCells, unpackedRow } from "./packed-row.ts";
import type { RepairKind, RepairScript } from "./repair-script.ts";
import { forRowsOfKeys, KEYS_AT_ONCE, type SideRow } from "./rows-of-keys.ts";
import { type Rereads, StateReads } from "./state-reads.ts";
import { rowsAtOnce, type ValidationContext } from "./validation-context.ts";

/** What is needed to write statements that make the target's rows those of the source. */
export interface Repairs {
  readonly writer: RowRepair;
  readonly script: RepairScript;
}

interface DigestedRows {
  /** How many more of each the source has. */
  readonly digested: DigestParts;
  readonly sieve: DigestSieve;
  readonly name: SideName;
}

/**
 * Writes the statements for rows of one table that have been decided to differ: with the source's values as they are read then,
 * and with the target's own values where one of its rows has to go. What is written is held nowhere.
 */
export class TableRepair implements Disposable {
  readonly #table: ComparedTable;
  readonly #rereads: Rereads;
  readonly #repairs: Repairs;
  readonly #reads: StateReads;
  readonly #signal: AbortSignal;
  readonly #statements: TableStatements;
  readonly #keyed = new Map<string, Settled>();
  /** How many more the source has of rows that are told by their digests; undefined while there are none. */
  #digested: DigestParts | undefined;
  readonly #amount: DigestAmount;

  constructor(
    table: ComparedTable,
    { rereads, repairs }: { readonly rereads: Rereads; readonly repairs: Repairs },
    context: ValidationContext,
  ) {
    this.#table = table;
    this.#rereads = rereads;
    this.#repairs = repairs;
    this.#signal = context.signal;
    this.#amount = { records: rereads.rows, atOnce: rowsAtOnce(context) };
    this.#reads = new StateReads(table, rereads, context);
    this.#statements = new TableStatements(table, repairs.writer);
  }

  async add(settled: Settled): Promise<void> {
    const { candidate, source, target } = settled;
    if (candidate.lookup === undefined) {
      this.#digested ??= new DigestParts(this.#amount);
      this.#digested.add(candidate.id, numbersPayload([source.rows - target.rows]));
      return;
    }
    this.#keyed.set(candidate.id, settled);
    if (this.#keyed.size >= KEYS_AT_ONCE) await this.#writeKeyed();
  }

  /** Writes what is still held. */
  async flush(): Promise<void> {
    if (this.#keyed.size > 0) await this.#writeKeyed();
    if (this.#digested !== undefined) await this.#writeDigested(this.#digested);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#digested?.[Symbol.dispose]();
    this.#digested = undefined;
  }

  async #writeKeyed(): Promise<void> {
    const all = [...this.#keyed.values()];
    const going = all.filter((row) => row.target.rows > 0 && !isUpdate(row));
    const coming = all.filter(({ source }) => source.rows > 0);
    const gone = new Set<string>();
    await this.#eachOf("target", going, (id, { rows, row }) => {
      // One statement takes all rows of a key.
      if (gone.has(id)) return;
      gone.add(id);
      const statement = this.#statements.gone.delete(cellRowOf(this.#statements.there, rows, row));
      this.#write("delete", statement, this.#keyed.get(id)!.target.rows);
    });
    await this.#eachOf("source", coming, (id, { rows, row, canonical }) => {
      const settled = this.#keyed.get(id)!;
      if (isUpdate(settled)) this.#update(settled, { rows, row, canonical });
      else this.#insert(settled.source.rows === 1, rows, row);
    });
    this.#keyed.clear();
  }

  /** Rows of one side by their keys. */
  async #eachOf(
    name: SideName,
    settled: readonly Settled[],
    see: (id: string, read: SideRow) => void,
  ): Promise<void> {
    if (settled.length === 0) return;
    const side = this.#rereads.sides[name];
    const candidates = settled.map(({ candidate }) => candidate);
    // What has been seen is written.
    await this.#reads.once(name, (snapshot) =>
      forRowsOfKeys({ table: this.#table, see }, { side, snapshot, candidates }, this.#signal),
    );
  }

  async #writeDigested(digested: DigestParts): Promise<void> {
    const sieve = sieveOf(digested);
    const { there, goneByValues } = this.#statements;
    await this.#eachDigested({ digested, sieve, name: "target" }, (read) =>
      this.#write("delete", goneByValues.delete(cellRowOf(there, read, 0))),
    );
    await this.#eachDigested({ digested, sieve, name: "source" }, (read) => this.#insert(false, read, 0));
  }

  /** So many rows of a side as it has too many. */
  async #eachDigested(
    { digested, sieve, name }: DigestedRows,
    work: (read: ReadCells) => void,
  ): Promise<void> {
    const sign = name === "source" ? 1 : -1;
    const { width } = this.#rereads.sides[name];
    const payload = ({ rows, row }: SideRow): Buffer => packedRow(rows, row, width);
    using read = await this.#reads.rows(name, { sieve, amount: this.#amount, payload });
    for (let part = 0; part < read.parts; part++) {
      const more = new Map(sumsOf(digested, part));
      for (const { digest, payload: packed } of read.part(part)) {
        const left = (more.get(digest) ?? 0) * sign;
        if (left <= 0) continue;
        more.set(digest, (left - 1) * sign);
        work(unpackedRow(packed, width));
      }
    }
  }

  #insert(hasKey: boolean, rows: ReadCells, row: number): void {
    const { keyed, byValues } = this.#statements;
    const cells = cellRowOf(this.#table.plan.source, rows, row);
    this.#write("insert", (hasKey ? keyed : byValues).insert(cells));
  }

  /** Sets the columns in which the target's row is another one than the source's. */
  #update({ target }: Settled, { rows, row, canonical }: SideRow): void {
    const { plan, columns } = this.#table;
    const differing = new Set(
      columns.flatMap(({ ordinal }, place) =>
        canonical.print(rows, row, place) === target.prints?.[place] ? [] : [ordinal],
      ),
    );
    const cells = cellRowOf(plan.source, rows, row);
    const { keyed, replaces } = this.#statements;
    if (replaces(differing)) {
      this.#write("delete", keyed.delete(cells), 0);
      this.#write("insert", keyed.insert(cells), 0);
      this.#repairs.script.count({ table: tableKey(plan.source.id), kind: "update" }, 1);
      return;
    }
    for (const ordinal of plan.source.columns.keys()) {
      if (differing.has(ordinal) || plan.source.key.includes(ordinal)) continue;
      cells.cells[2 * ordinal] = UNCHANGED_CELL;
    }
    const statements = keyed.update(cells);
    for (const [i, statement] of statements.entries()) this.#write("update", statement, i === 0 ? 1 : 0);
  }

  #write(kind: RepairKind, statement: Buffer, rows = 1): void {
    this.#repairs.script.add({ table: tableKey(this.#table.plan.source.id), kind }, statement, rows);
  }
}

function isUpdate({ source, target }: Settled): boolean {
  return source.rows === 1 && target.rows === 1;
}

/** A table's statements, made when they are first needed, about the source's rows and about those that the target has. */
class TableStatements {
  /** The target's table as its rows are read. */
  readonly there: TablePlan["source"];
  readonly #writer: RowRepair;
  readonly #plan: TablePlan;
  readonly #made = new Map<string, RepairStatements>();
  /** Ordinals of the plan's columns that are in a unique index of the target's. */
  readonly #unique: ReadonlySet<number>;

  constructor(table: ComparedTable, writer: RowRepair) {
    const { plan, target, columns, key, missing } = table;
    this.#unique = isWhole(table) && !writer.keysAct ? uniqueOrdinals(table) : new Set();
    this.#writer = writer;
    this.#plan = withoutColumns(plan, new Set(missing));
    const read = readOrdinals(columns);
    this.there = {
      ...target,
      id: plan.target.id,
      columns: read.map((ordinal) => ordinaryColumn(target.columns[ordinal]!)),
      key: key === undefined ? [] : key.target.map(({ ordinal }) => read.indexOf(ordinal)),
    };
  }

  /**
   * Whether a row is rather written anew, after all others have gone: it gets a value that is unique, which another row may
   * still have that is going to get another one itself.
   */
  readonly replaces = (ordinals: ReadonlySet<number>): boolean => !this.#unique.isDisjointFrom(ordinals);

  get keyed(): RepairStatements {
    return this.#of("keyed", this.#plan);
  }

  get byValues(): RepairStatements {
    return this.#of("by values", withoutKey(this.#plan));
  }

  get gone(): RepairStatements {
    return this.#of("gone", planOf(this.there));
  }

  get goneByValues(): RepairStatements {
    return this.#of("gone by values", withoutKey(planOf(this.there)));
  }

  #of(name: string, plan: TablePlan): RepairStatements {
    let made = this.#made.get(name);
    if (made === undefined) {
      made = this.#writer.statements(plan);
      this.#made.set(name, made);
    }
    return made;
  }
}

/** All that a row of the target holds is compared, but for what the target computes: nothing is lost when it is written anew. */
function isWhole({ plan, target, columns, missing }: ComparedTable): boolean {
  const here = new Set(columns.map(({ ordinal }) => ordinal));
  const there = new Set(columns.map(({ targetOrdinal }) => targetOrdinal));
  return (
    missing.length === 0 &&
    plan.source.columns.every(({ generated }, i) => generated !== undefined || here.has(i)) &&
    target.columns.every(({ generated }, i) => generated !== undefined || there.has(i))
  );
}

function uniqueOrdinals({ plan, target, columns }: ComparedTable): ReadonlySet<number> {
  const { key } = plan.source;
  const names = new Set<string | undefined>();
  for (const { unique, columns: own } of target.indexes) {
    if (!unique) continue;
    for (const name of own ?? columns.map((column) => column.target.name)) names.add(name);
  }
  const found = columns.filter((column) => names.has(column.target.name) && !key.includes(column.ordinal));
  return new Set(found.map(({ ordinal }) => ordinal));
}

function planOf(table: TablePlan["source"]): TablePlan {
  return { source: table, target: table, loadOrder: 0 };
}

function withoutKey(plan: TablePlan): TablePlan {
  return { ...plan, source: { ...plan.source, key: [] } };
}

/** Columns that the target lacks are written as little as those that it computes. */
function withoutColumns(plan: TablePlan, missing: ReadonlySet<string>): TablePlan {
  if (missing.size === 0) return plan;
  const columns = plan.source.columns.map((column, i) =>
    missing.has(plan.target.columns[i]!.name) ? { ...column, generated: "" } : column,
  );
  return { ...plan, source: { ...plan.source, columns } };
}
