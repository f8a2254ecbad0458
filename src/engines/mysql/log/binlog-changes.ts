import type { Beginning } from "../../../core/batch-parts.ts";
import { type ChangeBatch, Op } from "../../../core/change-batch.ts";
import { MigrationError } from "../../../core/error.ts";
import { displayTable, type TableId, type TableSchema } from "../../../core/schema.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { ChangeBatchBuilder } from "../../shared/log/change-batch-builder.ts";
import { CellBuffer } from "../values/cell-buffer.ts";
import { EventCursor, malformed } from "./binlog-bytes.ts";
import { inflateRows } from "./binlog-compression.ts";
import { EventKind } from "./binlog-event.ts";
import { wholeRows } from "./binlog-partial-rows.ts";
import type { KeptEvent } from "./binlog-prepared.ts";
import type { RowFacts, RowPlan } from "./binlog-row-plan.ts";
import { RowsReader } from "./binlog-rows.ts";
import type { DefinitionStatement, Statement } from "./binlog-statement.ts";
import { NO_TABLE } from "./binlog-table-map.ts";
import { isMisfit, LogTables, type RowMisfit } from "./binlog-tables.ts";
import { statementLogged } from "./statement-reach.ts";
import { type NoteOptions, TableNotes } from "./table-notes.ts";

/** What an event with rows is: what they are for, and in which form. */
interface RowsKind {
  readonly op: Op;
  readonly version: 1 | 2;
  readonly form: "plain" | "compressed" | "partial";
}

const { insert, update, delete: remove } = Op;
const kinds: readonly (RowsKind | undefined)[] = byNumber([
  [EventKind.writeRows1, { op: insert, version: 1, form: "plain" }],
  [EventKind.updateRows1, { op: update, version: 1, form: "plain" }],
  [EventKind.deleteRows1, { op: remove, version: 1, form: "plain" }],
  [EventKind.writeRows2, { op: insert, version: 2, form: "plain" }],
  [EventKind.updateRows2, { op: update, version: 2, form: "plain" }],
  [EventKind.deleteRows2, { op: remove, version: 2, form: "plain" }],
  [EventKind.partialUpdateRows, { op: update, version: 2, form: "partial" }],
  [EventKind.writeRows1Compressed, { op: insert, version: 1, form: "compressed" }],
  [EventKind.updateRows1Compressed, { op: update, version: 1, form: "compressed" }],
  [EventKind.deleteRows1Compressed, { op: remove, version: 1, form: "compressed" }],
  [EventKind.writeRows2Compressed, { op: insert, version: 2, form: "compressed" }],
  [EventKind.updateRows2Compressed, { op: update, version: 2, form: "compressed" }],
  [EventKind.deleteRows2Compressed, { op: remove, version: 2, form: "compressed" }],
]);

function byNumber(entries: readonly (readonly [number, RowsKind])[]): (RowsKind | undefined)[] {
  const list: (RowsKind | undefined)[] = new Array(256).fill(undefined);
  for (const [number, kind] of entries) list[number] = kind;
  return list;
}

/** Flag of the last event with rows of a statement (STMT_END_F). */
const STATEMENT_ENDS = 0x01;

const NONE: ReadonlySet<number> = new Set();
const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * Flags of an event with rows: the session had foreign_key_checks = 0 (NO_FOREIGN_KEY_CHECKS_F), or MySQL from 9.6 on
 * has logged what foreign keys did as rows before these (USE_SQL_FOREIGN_KEY_F).
 */
const KEYS_DO_NOT_ACT = 0x02 | 0x10;

/**
 * A batch is full with so many bytes of cells: the first soon, as the target waits for it, each that follows with twice
 * as many up to a limit.
 */
const FIRST_BYTES = 1 << 14;
const FULL_BYTES = 1 << 18;

/** What the log's transactions do to the stream's tables, as batches. */
export class LogChanges {
  readonly #out = new CellBuffer();
  readonly #builder: ChangeBatchBuilder;
  readonly #tables: LogTables;
  readonly #rows: RowsReader;
  /** Events that were made of others. */
  readonly #made = new EventCursor();
  /** The transaction in progress. */
  #open: Beginning | undefined;
  /** Something of the transaction in progress has been told. */
  #hasChanges = false;
  /** A note of the transaction in progress was taken: what else it holds is left out. */
  #isNoted = false;
  readonly #notes: TableNotes | undefined;
  #fullBytes = FIRST_BYTES;

  /** `notes`: how statements are followed that alter tables; they are not where it is left out. */
  constructor(tables: readonly TableSchema[], facts: RowFacts, notes?: NoteOptions) {
    this.#builder = new ChangeBatchBuilder(tables, "text");
    this.#tables = new LogTables(tables, facts);
    this.#notes = notes === undefined ? undefined : new TableNotes(this.#tables, notes);
    this.#rows = new RowsReader(this.#builder, this.#out, tables);
  }

  /** Whether the batch is to be taken before more is read. */
  get isFull(): boolean {
    return this.#out.length >= this.#fullBytes;
  }

  get hasChanges(): boolean {
    return this.#hasChanges;
  }

  take(): ChangeBatch | undefined {
    this.#fullBytes = Math.min(2 * this.#fullBytes, FULL_BYTES);
    const bytes = this.#out.take();
    return this.#builder.take(bytes);
  }

  begin(beginning: Beginning): void {
    this.#open = beginning;
    this.#hasChanges = false;
    this.#isNoted = false;
    this.#builder.begin(beginning);
  }

  commit(): void {
    this.#open = undefined;
    this.#builder.commit();
  }

  /** See ChangeBatchBuilder.drop. */
  drop(): void {
    this.#open = undefined;
    this.#builder.drop();
  }

  tableMap(cursor: EventCursor): void {
    this.#tables.map(cursor, this.#inTransaction());
  }

  /** An event with rows; false for one that is none. */
  rows(kind: number, cursor: EventCursor): boolean {
    const rows = kinds[kind];
    if (rows === undefined) return false;
    this.#inTransaction();
    const number = cursor.uint48();
    const flags = cursor.uint16();
    if (rows.version === 2) cursor.advance(cursor.uint16() - 2);
    if (number !== NO_TABLE && !this.#isNoted) this.#rowsOf(rows, this.#tables.mapped(number), flags, cursor);
    if ((flags & STATEMENT_ENDS) !== 0) this.#tables.statementEnds();
    return true;
  }

  /** What was kept of a transaction until it commits. */
  replay(events: readonly KeptEvent[]): void {
    const cursor = new EventCursor();
    for (const { kind, body } of events) {
      cursor.reset(body, 0, body.length);
      if (kind === EventKind.tableMap) this.tableMap(cursor);
      else this.rows(kind, cursor);
    }
  }

  #rowsOf(rows: RowsKind, fit: RowPlan | RowMisfit | undefined, flags: number, cursor: EventCursor): void {
    if (fit === undefined) return;
    this.#hasChanges = true;
    if (isMisfit(fit)) {
      this.#misfit(fit.table, fit.error);
      return;
    }
    try {
      const keysAct = (flags & KEYS_DO_NOT_ACT) === 0;
      this.#rows.read(rows.op, fit, this.#plain(rows, fit, cursor), keysAct);
    } catch (error) {
      this.#misfit(fit.table, error);
    }
  }

  /** What a statement does to the stream's tables. Throws when that cannot be told. */
  statement(statement: Statement): void {
    if (statement.kind === "definition") {
      const settled = this.#note(statement);
      for (const effect of statement.effects) {
        const { schema, name } = effect.table;
        const index = this.#tables.indexOf(schema, name);
        if (index !== undefined && effect.kind !== "truncated" && settled.has(index)) continue;
        const found = this.#tables.effect(effect, this.#inTransaction());
        if (found === undefined) continue;
        this.#hasChanges = true;
        if (found !== "truncated") this.#misfit(found.table, found.error);
        else this.#builder.op(Op.truncate, index!, -1, -1);
      }
    } else if (statement.kind === "database-dropped") {
      this.#dropped(statement.database);
    } else if (statement.kind === "rows") {
      const table = this.#tables.writtenBy(statement);
      if (table !== undefined) throw statementLogged(table);
    }
  }

  /** Tables of which the statement is noted, or known to do nothing. */
  #note(statement: DefinitionStatement): ReadonlySet<number> {
    const commit = this.#inTransaction();
    const read = this.#notes?.read(statement, commit);
    if (read === undefined) return NONE;
    for (const { table, error } of read.misfits) this.#misfit(table, error);
    for (const note of read.notes) {
      this.#hasChanges = true;
      this.#isNoted = true;
      this.#builder.note(note);
    }
    return read.settled;
  }

  /** Whether there is a table that a statement may change without naming it: through a view, a trigger or a function. */
  get hasTables(): boolean {
    return this.#tables.all.length > 0;
  }

  #dropped(database: string): void {
    for (const { id } of this.#tables.inDatabase(database)) {
      this.statement({
        ...{
          kind: "definition",
          isStrict: false,
          effects: [{ kind: "replaced", table: id, how: "was dropped" }],
        },
        read: () => ({ kind: "drop", tables: [id] }),
        names: () => NO_NAMES,
      });
    }
  }

  /** Rows as an ordinary event has them. */
  #plain({ op, form }: RowsKind, plan: RowPlan, cursor: EventCursor): EventCursor {
    if (form === "plain") return cursor;
    const bytes =
      form === "partial" ? wholeRows(plan, cursor) : inflateRows(cursor, op === Op.update ? 2 : 1);
    this.#made.reset(bytes, 0, bytes.length);
    return this.#made;
  }

  #misfit(table: number, error: unknown): void {
    if (!(error instanceof MigrationError) || error.scope !== "table") throw error;
    this.#hasChanges = true;
    for (const told of this.#tables.toldOf(table)) {
      const { id } = this.#tables.all[told]!;
      const isItself = told === table;
      this.#builder.misfit(
        told,
        isItself ? ofTable(error, id) : referredChanged(id, this.#tables.all[table]!.id),
      );
    }
  }

  #inTransaction(): Beginning {
    if (this.#open === undefined) throw malformed("a change outside a transaction");
    return this.#open;
  }
}

function ofTable(error: MigrationError, id: TableId): MigrationError {
  if (error.table !== undefined) return error;
  return new MigrationError(error.code, { ...error.toJSON(), subject: displayTable(id), table: id });
}

/** The table that a foreign key refers to is none of the task's: what it did is not known once that cannot be read. */
function referredChanged(id: TableId, referred: TableId): MigrationError {
  return tableChanged(
    id,
    `has a foreign key that acts by itself, to ${displayTable(referred)}, which is another table than when the task described it`,
  );
}
