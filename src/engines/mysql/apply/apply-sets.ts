import type { TablePlan } from "../../../core/plan.ts";
import { type ApplyCounts, EXPECT_WIDTH } from "../../shared/apply/apply-counts.ts";
import type { FoldedGroup } from "../../shared/apply/apply-group.ts";
import type { GroupSets } from "../../shared/apply/apply-group-writer.ts";
import { type FoldOptions, Net, type NetChanges } from "../../shared/apply/net-changes.ts";
import { StatementFailure } from "./apply-failure.ts";
import { type ApplySession, SetExpect } from "./apply-session.ts";
import type { TableSql } from "./apply-sql.ts";
import type { RowAt } from "./fitting-rows.ts";
import { isOwnRow } from "./statement-error.ts";

/** From so many changes on, what sets need beside them is worth it: a savepoint and its release. */
const LEAST_FOR_SETS = 8;
/** Rows of one statement: more of them save little, and a condition over many keys makes the server slow. */
const MAX_ROWS = 500;
/** A statement takes no more rows once it has this much. */
const MAX_BYTES = 1 << 18;

const SAVEPOINT = "tideway_sets";

export interface ApplySetsParts {
  readonly plans: readonly TablePlan[];
  readonly tables: {
    of(plan: number): TableSql;
    /** Whether nothing on the target sees single changes of the table, and changes can be taken back. */
    isPlain(plan: number): boolean;
    /** See ApplyTables. */
    readonly replaced: readonly number[];
    setBack(replaced: readonly number[]): void;
  };
  readonly session: ApplySession;
  readonly counts: ApplyCounts;
}

/**
 * Applies net changes as sets: statements of many rows, first what goes, then what changes, then what comes. All of it
 * is written without waiting, inside a savepoint. It stands only if every statement touched exactly the rows it
 * should: anything else means that the target is not as the source was, and which change that is about shows only one
 * by one.
 */
export class ApplySets implements GroupSets {
  readonly least = LEAST_FOR_SETS;
  readonly #parts: ApplySetsParts;
  readonly #row: RowAt = { bytes: Buffer.alloc(0), cells: new Int32Array(0), row: 0 };
  readonly #key: RowAt = { bytes: Buffer.alloc(0), cells: new Int32Array(0), row: 0 };

  constructor(parts: ApplySetsParts) {
    this.#parts = parts;
  }

  /** Every batch is text. */
  use(): void {}

  ended(): void {}

  rolledBack(): void {}

  foldOptions(plan: number): FoldOptions | undefined {
    const { plans, tables } = this.#parts;
    if (!tables.isPlain(plan)) return undefined;
    const sql = tables.of(plan);
    if (sql.isExact || sql.written.length === 0) return undefined;
    const { columns, key } = plans[plan]!.source;
    // A key that moves may be a delete and an insert unless the target's row holds more than the source's.
    return { columns: columns.length, key, movesKeys: !sql.hasOthers };
  }

  async apply(folded: FoldedGroup): Promise<ReadonlySet<number>> {
    const { session, counts, tables } = this.#parts;
    const { replaced } = tables;
    // What was written before is no set's: its errors are to be told as they are.
    await session.drain();
    session.statements(`savepoint ${SAVEPOINT}`);
    const failed = await this.#failures(folded);
    if (failed.size > 0) {
      session.statements(`rollback to savepoint ${SAVEPOINT}`, `release savepoint ${SAVEPOINT}`);
      await session.drain();
      tables.setBack(replaced);
      return failed;
    }
    session.statements(`release savepoint ${SAVEPOINT}`);
    for (const [plan, net] of folded.tables) counts.folded(plan, net.counts);
    return failed;
  }

  /** Tables whose statements failed or touched other rows than they should. Throws what is no table's own error. */
  async #failures(folded: FoldedGroup): Promise<ReadonlySet<number>> {
    const { session } = this.#parts;
    try {
      for (const [plan, net] of folded.tables) await this.#write(plan, net, folded);
      await session.drain();
    } catch (error) {
      if (!(error instanceof StatementFailure) || !isOwnRow(error)) throw error;
      // What follows may have failed because this did.
      session.takeMismatched();
      return new Set([error.table]);
    }
    return session.takeMismatched();
  }

  async #write(plan: number, net: NetChanges, folded: FoldedGroup): Promise<void> {
    await this.#deletes(plan, net, folded);
    await this.#updates(plan, net, folded);
    await this.#rows({ plan, net, folded, kind: "insert" });
  }

  /** Deletes the rows of the keys that go. Those that came and went again are named, too: none may be there. */
  async #deletes(plan: number, net: NetChanges, folded: FoldedGroup): Promise<void> {
    const { session, tables } = this.#parts;
    const sql = tables.of(plan);
    const expectation = plan * EXPECT_WIDTH + SetExpect.rows;
    let named = 0;
    let deletes = 0;
    let from = 0;
    for (let entry = 0; entry < net.size; entry++) {
      const kind = net.net(entry);
      if (GOES[kind] === 0 && kind !== Net.nothing) continue;
      if (named === 0) {
        sql.deleteKeys(session.begin());
        from = session.length;
      } else sql.comma(session.text);
      this.#keyOf(net, entry, folded);
      sql.key(session.text, this.#key);
      named++;
      deletes += GOES[kind]!;
      if (named < MAX_ROWS && session.length - from < MAX_BYTES) continue;
      sql.endKeys(session.text);
      session.end(expectation, deletes);
      named = 0;
      deletes = 0;
      if (session.full) await session.push();
    }
    if (named === 0) return;
    sql.endKeys(session.text);
    session.end(expectation, deletes);
  }

  /** Rows whose values are all known are written over where that can mean no other row, others one by one. */
  async #updates(plan: number, net: NetChanges, folded: FoldedGroup): Promise<void> {
    const { session, tables } = this.#parts;
    const sql = tables.of(plan);
    if (sql.overwrites) await this.#rows({ plan, net, folded, kind: "update" });
    for (let entry = 0; entry < net.size; entry++) {
      if (net.net(entry) !== Net.update || (sql.overwrites && net.shape(entry) === 0)) continue;
      this.#keyOf(net, entry, folded);
      this.#rowOf(net, entry, folded);
      sql.update(session.begin(), this.#key, this.#row, false);
      session.end(plan * EXPECT_WIDTH + SetExpect.matched, 1);
      if (session.full) await session.push();
    }
  }

  async #rows(options: {
    readonly plan: number;
    readonly net: NetChanges;
    readonly folded: FoldedGroup;
    readonly kind: "insert" | "update";
  }): Promise<void> {
    const { plan, net, folded, kind } = options;
    const { session, tables } = this.#parts;
    const sql = tables.of(plan);
    const inserts = kind === "insert";
    let rows = 0;
    let from = 0;
    const end = (): void => {
      if (!inserts) sql.overwrite(session.text);
      session.end(plan * EXPECT_WIDTH + (inserts ? SetExpect.rows : SetExpect.overwritten), rows);
      rows = 0;
    };
    for (let entry = 0; entry < net.size; entry++) {
      const net1 = net.net(entry);
      const isWanted = inserts ? COMES[net1] === 1 : net1 === Net.update && net.shape(entry) === 0;
      if (!isWanted) continue;
      if (rows === 0) {
        sql.insertRows(session.begin());
        from = session.length;
      } else sql.comma(session.text);
      this.#rowOf(net, entry, folded);
      sql.values(session.text, this.#row);
      rows++;
      if (rows < MAX_ROWS && session.length - from < MAX_BYTES) continue;
      end();
      if (session.full) await session.push();
    }
    if (rows > 0) end();
  }

  #keyOf(net: NetChanges, entry: number, { sources }: FoldedGroup): void {
    const source = sources[net.keySource(entry)]!;
    this.#key.bytes = source.bytes;
    this.#key.cells = source.cells;
    this.#key.row = net.keyRow(entry);
  }

  #rowOf(net: NetChanges, entry: number, { sources }: FoldedGroup): void {
    const source = sources[net.source(entry)]!;
    this.#row.bytes = source.bytes;
    this.#row.cells = source.cells;
    this.#row.row = net.row(entry);
  }
}

/** 1 for each Net after whose deletes no row has the key, and for each whose new row comes. */
const GOES = Uint8Array.of(0, 0, 0, 1, 1);
const COMES = Uint8Array.of(0, 1, 0, 0, 1);
