import { type ChangeBatch, NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import type { Position } from "../../../core/position.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";
import { ChangeBatchBuilder } from "../../shared/log/change-batch-builder.ts";
import { Beginning, lsnValue } from "../catalog/lsn.ts";
import { MessageCursor, malformed, unknownTag } from "./pgoutput-cursor.ts";
import { readLogicalMessage, readRelation, Tag } from "./pgoutput-messages.ts";
import { readNote } from "./pgoutput-note.ts";
import type { ColumnTypes, RelationMap, RelationMisfit } from "./pgoutput-relation.ts";
import { StreamTables } from "./pgoutput-tables.ts";

/** What Begin has told already, and the end of the commit record: flags, two positions, a time. */
const COMMIT_BODY = 1 + 8 + 8 + 8;

/** Parts of a change. */
const KEY = 0x4b;
const OLD = 0x4f;
const NEW = 0x4e;

/** Kinds of a column in a tuple. */
const CELL_BINARY = 0x62;
const CELL_NULL = 0x6e;
const CELL_TEXT = 0x74;
const CELL_UNCHANGED = 0x75;

/** 2000-01-01 in milliseconds since 1970: where the server's clock starts. */
export const SERVER_EPOCH_MS = 946_684_800_000;

export interface DecoderOptions {
  readonly tables: readonly TableSchema[];
  readonly encoding: ChangeBatch["encoding"];
  /** Transactions at or before this position are skipped. */
  readonly after: Position;
  /** Per table key; tables without an entry are checked by column names alone. */
  readonly types?: ReadonlyMap<string, ColumnTypes>;
  /** Per table key; see RelationTable. */
  readonly laterValues?: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;
  /** Transactions that replication has brought to the source come without their changes. False when left out. */
  readonly ownOnly?: boolean;
  /** Prefix of the messages that are notes; without it none is. */
  readonly notePrefix?: string | undefined;
  /** See ChangeStreamRequest. */
  readonly takes?: ((note: SchemaNote, position: Position) => boolean) | undefined;
}

/**
 * Decodes pgoutput, protocol version 1, into change batches. Nothing is copied: cells are ranges of
 * the buffer that the messages came in, so all messages between two calls of take() must lie in one
 * buffer. A generated column is not sent: its cell is NULL_CELL. A column that came later gets what the rows
 * from before show in it. Relations that are not among the
 * tables are ignored; changes of one that does not fit its table are told as misfits, because only the
 * consumer knows whether they matter. After a note that the task takes, the rest of its transaction is left out: the
 * notes in it come with its commit. Any malformed message throws `source.protocol`.
 *
 *     B (  R | Y | I | U | D | T | O | M )* C     whole transactions, in commit order
 */
export class PgoutputDecoder {
  readonly #builder: ChangeBatchBuilder;
  readonly #tables: StreamTables;
  readonly #notePrefix: string | undefined;
  readonly #takes: DecoderOptions["takes"];
  readonly #cellKind: number;
  readonly #afterHigh: number;
  readonly #afterLow: number;
  /** By the relation's number; undefined for one that is not among the tables. */
  readonly #relations = new Map<number, RelationMap | RelationMisfit | undefined>();
  /** Inside a transaction that `after` holds already. */
  #skipping = false;
  readonly #ownOnly: boolean;
  /** Inside a transaction whose changes are left out, because it has an origin. */
  #foreign = false;
  /** Inside a transaction whose further changes are left out, because tables are others from here on. */
  #noting = false;
  readonly #in = new MessageCursor();

  constructor(options: DecoderOptions) {
    this.#builder = new ChangeBatchBuilder(options.tables, options.encoding);
    this.#tables = new StreamTables(options);
    this.#notePrefix = options.notePrefix;
    this.#takes = options.takes;
    this.#ownOnly = options.ownOnly === true;
    this.#cellKind = options.encoding === "text" ? CELL_TEXT : CELL_BINARY;
    const after = lsnValue(options.after);
    this.#afterHigh = Number(after >> 32n);
    this.#afterLow = Number(after & 0xffffffffn);
  }

  /** Between a Begin and its Commit. */
  get inTransaction(): boolean {
    return this.#skipping || this.#builder.inTransaction;
  }

  /** The changes decoded since the last call; `bytes` is the buffer their messages lie in. */
  take(bytes: Uint8Array): ChangeBatch | undefined {
    return this.#builder.take(bytes);
  }

  /** Decodes the message that is [start, end) of `bytes`. */
  decode(bytes: Buffer, start: number, end: number): void {
    this.#in.reset(bytes, start, end);
    const tag = this.#in.byte();
    switch (tag) {
      case Tag.insert:
        this.#insert();
        break;
      case Tag.update:
        this.#update();
        break;
      case Tag.delete:
        this.#delete();
        break;
      case Tag.begin:
        this.#begin();
        break;
      case Tag.commit:
        this.#commit();
        break;
      case Tag.relation:
        this.#relation();
        break;
      case Tag.truncate:
        this.#truncate();
        break;
      case Tag.origin:
        // It comes before the transaction's changes.
        if (!this.inTransaction) throw malformed("an origin outside a transaction");
        this.#foreign = this.#ownOnly;
        break;
      case Tag.message:
        this.#message();
        break;
      case Tag.type:
        break;
      default:
        throw unknownTag(tag);
    }
  }

  #begin(): void {
    const high = this.#in.uint32();
    const low = this.#in.uint32();
    const committedAtMs = SERVER_EPOCH_MS + Math.floor(this.#in.int64() / 1000);
    const xid = this.#in.uint32();
    if (this.inTransaction) throw malformed("a transaction begins inside another");
    if (high < this.#afterHigh || (high === this.#afterHigh && low < this.#afterLow)) {
      this.#skipping = true;
    } else {
      this.#foreign = false;
      this.#builder.begin(new Beginning(high, low, { xid, committedAtMs }));
    }
  }

  #commit(): void {
    this.#in.advance(COMMIT_BODY);
    if (!this.inTransaction) throw malformed("a commit without a transaction");
    this.#foreign = false;
    this.#noting = false;
    if (this.#skipping) this.#skipping = false;
    else this.#builder.commit();
  }

  #message(): void {
    const contents = readLogicalMessage(this.#in, this.#notePrefix);
    if (contents === undefined || this.#skipping || this.#foreign) return;
    const note = readNote(contents);
    const position = this.#builder.position;
    if (note === undefined || position === undefined) return;
    this.#tables.note(note);
    if (this.#takes?.(note, position) !== true) return;
    this.#noting = true;
    this.#builder.note(note);
  }

  #insert(): void {
    const relation = this.#changedRelation();
    if (this.#in.byte() !== NEW) throw malformed("an insert without its row");
    if (relation === undefined) return;
    const after = this.#tuple(relation, NULL_CELL);
    this.#addLater(relation, after);
    this.#in.expectEnd();
    this.#builder.op(Op.insert, relation.table, -1, after);
  }

  #update(): void {
    const relation = this.#changedRelation();
    if (relation === undefined) return;
    let part = this.#in.byte();
    let before = -1;
    const isFull = part === OLD;
    if (part === KEY || part === OLD) {
      before = this.#tuple(relation, NULL_CELL);
      if (isFull) this.#addLater(relation, before);
      part = this.#in.byte();
    }
    if (part !== NEW) throw malformed("an update without its row");
    const after = this.#tuple(relation, UNCHANGED_CELL);
    this.#addLater(relation, after);
    if (isFull) this.#fillUnchanged(relation, before, after);
    this.#in.expectEnd();
    this.#builder.op(Op.update, relation.table, before, after);
  }

  #delete(): void {
    const relation = this.#changedRelation();
    const part = this.#in.byte();
    if (part !== KEY && part !== OLD) throw malformed("a delete without its key");
    if (relation === undefined) return;
    const before = this.#tuple(relation, NULL_CELL);
    if (part === OLD) this.#addLater(relation, before);
    this.#in.expectEnd();
    this.#builder.op(Op.delete, relation.table, before, -1);
  }

  #truncate(): void {
    const count = this.#in.uint32();
    // CASCADE and RESTART IDENTITY: the tables that CASCADE reaches are listed too, and sequences are set at the end.
    this.#in.advance(1);
    this.#in.need(4 * count);
    if (!this.inTransaction) throw malformed("a change outside a transaction");
    for (let i = 0; i < count; i++) {
      const relation = this.#known(this.#in.uint32());
      if (relation !== undefined && !this.#leavesOut) this.#builder.op(Op.truncate, relation.table, -1, -1);
    }
  }

  /** The relation that a change is about; undefined when the change is of no interest. */
  #changedRelation(): RelationMap | undefined {
    const relation = this.#known(this.#in.uint32());
    if (!this.inTransaction) throw malformed("a change outside a transaction");
    if (this.#leavesOut || relation === undefined) return undefined;
    if (relation.error === undefined) return relation;
    this.#builder.misfit(relation.table, relation.error);
    return undefined;
  }

  get #leavesOut(): boolean {
    return this.#skipping || this.#foreign || this.#noting;
  }

  #known(id: number): RelationMap | RelationMisfit | undefined {
    const relation = this.#relations.get(id);
    if (relation === undefined && !this.#relations.has(id))
      throw malformed("a change of an unnamed relation");
    return relation;
  }

  /**
   * Reads a tuple into a new row; returns the row. `unchanged` is what a column becomes that was not
   * sent: only the row after an update may have such.
   */
  #tuple(relation: RelationMap, unchanged: number): number {
    const { cellOf } = relation;
    const { bytes, end } = this.#in;
    let at = this.#in.at;
    if (at + 2 > end) throw malformed("cut short");
    if (((bytes[at]! << 8) | bytes[at + 1]!) !== cellOf.length) throw malformed("a row of other columns");
    at += 2;
    const row = this.#builder.row(relation.width);
    const cells = this.#builder.cells;
    for (let i = 0; i < cellOf.length; i++) {
      if (at >= end) throw malformed("cut short");
      const kind = bytes[at++]!;
      // A column that is left out may be of a type without a binary form.
      if (kind === this.#cellKind || (kind === CELL_TEXT && cellOf[i]! >= 2 * relation.columns)) {
        if (at + 4 > end) throw malformed("cut short");
        const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
        at += 4;
        if (length < 0 || length > end - at) throw malformed("a value beyond its message");
        const cell = row + cellOf[i]!;
        cells[cell] = at;
        at += length;
        cells[cell + 1] = at;
      } else if (kind === CELL_UNCHANGED && unchanged === UNCHANGED_CELL) {
        cells[row + cellOf[i]!] = UNCHANGED_CELL;
      } else if (kind !== CELL_NULL) {
        throw malformed("a value of unexpected form");
      }
    }
    this.#in.at = at;
    return row;
  }

  /** At the time of the change every row held the same in a column that was not there yet. */
  #addLater({ later }: RelationMap, row: number): void {
    for (let i = 0; i < later.length; i++) this.#builder.append(row + later[i]!.cell, later[i]!.bytes);
  }

  /** With the whole old row at hand, what has not changed is known. */
  #fillUnchanged(relation: RelationMap, before: number, after: number): void {
    const cells = this.#builder.cells;
    for (let cell = 0; cell < 2 * relation.columns; cell += 2) {
      if (cells[after + cell] !== UNCHANGED_CELL) continue;
      cells[after + cell] = cells[before + cell]!;
      cells[after + cell + 1] = cells[before + cell + 1]!;
    }
  }

  #relation(): void {
    const id = this.#in.uint32();
    const message = readRelation(this.#in);
    const position = this.#builder.position;
    const commit = position === undefined ? undefined : lsnValue(position);
    this.#relations.set(id, this.#tables.fit(id, message, commit));
  }
}
