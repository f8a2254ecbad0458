import { type ChangeBatch, NULL_CELL, OP_WIDTH, Op } from "../core/change-batch.ts";
import { CopyFrames } from "../core/copy-frames.ts";
import { CopyTextRows } from "../core/copy-text-rows.ts";
import type { RecordedException } from "../core/journal.ts";
import type { TablePlan } from "../core/plan.ts";
import { insertsOf, NOWHERE, sentColumns, type TransactionPart, transactionOf } from "../core/row-inserts.ts";
import type { Snapshot } from "../core/source.ts";
import { readRows } from "./read-rows.ts";
import { filterOf, type KeyColumn, keyValues } from "./row-keys.ts";
import { WHOLE } from "./whole-table.ts";

/** Rows that are looked for in one query, and how much is written at once. */
const KEYS_AT_ONCE = 500;
const GROUP_ROWS = 1_000;
const GROUP_BYTES = 4 << 20;

/** What the target has recorded of a row that is to be brought. */
export interface TriedRecord extends Pick<RecordedException, "id" | "keys" | "leaves"> {
  /** How many records it stands for. */
  readonly records: number;
}

/** How many records there are of rows. */
export function recordsOf(records: readonly TriedRecord[]): number {
  return records.reduce((sum, record) => sum + record.records, 0);
}

interface Wanted {
  readonly values: readonly string[];
  /** Indexes into the records that are about it. */
  readonly records: number[];
  /** When its row may have gone from this key: the key as it is recorded, by which the target finds it. */
  left: readonly string[] | undefined;
}

/** What rows are read from, and which transaction they are part of. */
interface Reading {
  readonly snapshot: Snapshot;
  readonly part: TransactionPart;
  readonly signal: AbortSignal;
}

/** The source's rows of keys that the target has recorded, as they are in a snapshot. */
export class RetryRows<Of extends TriedRecord = TriedRecord> {
  /** What names rows that can be looked for, and what does not. */
  readonly triable: readonly Of[];
  readonly unclear: readonly Of[];
  readonly #plan: TablePlan;
  readonly #columns: readonly KeyColumn[];
  /** By their values as one text. */
  readonly #wanted = new Map<string, Wanted>();
  /** Why the row of a record was refused, by the record. */
  readonly #refused = new Map<number, string>();
  #cuts = 0;

  constructor(plan: TablePlan, columns: readonly KeyColumn[], records: readonly Of[]) {
    this.#plan = plan;
    this.#columns = columns;
    const triable: Of[] = [];
    const unclear: Of[] = [];
    for (const record of records) {
      const keys = record.keys.map((key) => keyValues(columns, ({ name }) => key[name]));
      const isClear = keys.length > 0 && keys.every((values) => values !== undefined);
      if (isClear) {
        for (const [at, values] of keys.entries()) {
          const key = record.keys[at]!;
          const left = record.leaves && at === 0 ? columns.map(({ name }) => key[name]!) : undefined;
          this.#want(values!, { record: triable.length, left });
        }
      }
      (isClear ? triable : unclear).push(record);
    }
    this.triable = triable;
    this.unclear = unclear;
  }

  /**
   * If they `areChanges`, deletes of the keys that a row may have gone from and that none has now, then rows that are there
   * as inserts: one that comes may take the place of one that goes. Else they are rows of a load, which come from nowhere in the
   * log. Some of one transaction, to be applied in its order.
   */
  async *batches(
    snapshot: Snapshot,
    { areChanges, signal }: { readonly areChanges: boolean; readonly signal: AbortSignal },
  ): AsyncGenerator<ChangeBatch> {
    const position = (areChanges ? snapshot.position : undefined) ?? NOWHERE;
    const reading = { snapshot, part: { position, begins: true, commits: true }, signal };
    const wanted = [...this.#wanted.values()];
    const left = areChanges ? wanted.filter((one) => one.left !== undefined) : [];
    const gone = left.length === 0 ? [] : await this.#goneOf(left, reading);
    if (gone.length > 0) yield this.#deletesOf(gone, reading);
    yield* this.#rowsOf(wanted, reading, new Set());
  }

  /** How many values of the rows that were read were cut off. */
  get cuts(): number {
    return this.#cuts;
  }

  /** A change was passed over; `error`: its code and message. */
  refused(batch: ChangeBatch, at: number, error: string): void {
    const row = batch.ops[at] === Op.delete ? batch.ops[at + 2]! : batch.ops[at + 3]!;
    const code = error.split(":", 1)[0]!;
    for (const record of this.#wantedAt(batch, row)?.records ?? []) this.#refused.set(record, code);
  }

  /** How many records are of rows that were refused, by the errors' codes. */
  get refusals(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const [record, code] of this.#refused) {
      counts.set(code, (counts.get(code) ?? 0) + this.triable[record]!.records);
    }
    return counts;
  }

  /** The keys that were looked for, each as the source has it, with the records of it. */
  get tried(): readonly { readonly key: readonly string[]; readonly records: readonly Of[] }[] {
    return Array.from(this.#wanted.values(), ({ values, records }) => ({
      key: values,
      records: records.map((record) => this.triable[record]!),
    }));
  }

  /** How many records came to an end: none of their rows was refused again. */
  get settled(): number {
    return recordsOf(this.triable.filter((_, record) => !this.#refused.has(record)));
  }

  #want(
    values: readonly string[],
    { record, left }: { readonly record: number; readonly left: readonly string[] | undefined },
  ): void {
    const text = JSON.stringify(values);
    const wanted = this.#wanted.get(text) ?? { values, records: [], left: undefined };
    wanted.records.push(record);
    wanted.left ??= left;
    this.#wanted.set(text, wanted);
  }

  /** Those that no row has. */
  async #goneOf(wanted: readonly Wanted[], reading: Reading): Promise<readonly Wanted[]> {
    const found = new Set<Wanted>();
    const cuts = this.#cuts;
    // Rows that are there are read again when they come.
    for await (const _ of this.#rowsOf(wanted, reading, found));
    this.#cuts = cuts;
    return wanted.filter((one) => !found.has(one));
  }

  async *#rowsOf(
    wanted: readonly Wanted[],
    reading: Reading,
    found: Set<Wanted>,
  ): AsyncGenerator<ChangeBatch> {
    let strays = 0;
    for (let from = 0; from < wanted.length; from += KEYS_AT_ONCE) {
      const some = wanted.slice(from, from + KEYS_AT_ONCE);
      for await (const batch of this.#read(some, reading)) {
        const own = this.#ownRows(batch, found);
        strays += (batch.ops.length - own.ops.length) / OP_WIDTH;
        if (own.ops.length > 0) yield own;
      }
    }
    if (strays === 0) return;
    // A row may have its key in another form than it was looked for: then each is looked for by itself.
    for (const one of wanted.filter((other) => !found.has(other))) {
      for await (const batch of this.#read([one], reading)) {
        found.add(one);
        yield batch;
      }
    }
  }

  async *#read(some: readonly Wanted[], { snapshot, part, signal }: Reading): AsyncGenerator<ChangeBatch> {
    const { source } = this.#plan;
    const only = filterOf(
      this.#columns,
      some.map(({ values }) => values),
    );
    const frames = new CopyFrames();
    const rows = new CopyTextRows();
    const columns = sentColumns(source).length;
    const counts = { cuts: 0 };
    const request = { snapshot, partition: WHOLE, format: "pg-copy-text", only, counts } as const;
    for await (const chunk of readRows(this.#plan, request, signal)) {
      frames.walk(chunk.bytes, rows);
      if (rows.rows < GROUP_ROWS && rows.length < GROUP_BYTES) continue;
      if (rows.rows === 0) continue;
      yield insertsOf(source, rows, part);
      rows.clear(columns);
    }
    this.#cuts += counts.cuts;
    if (rows.rows > 0) yield insertsOf(source, rows, part);
  }

  /** Those of a batch's rows that were looked for. */
  #ownRows(batch: ChangeBatch, found: Set<Wanted>): ChangeBatch {
    const ops: number[] = [];
    for (let at = 0; at < batch.ops.length; at += OP_WIDTH) {
      const wanted = this.#wantedAt(batch, batch.ops[at + 3]!);
      if (wanted === undefined) continue;
      found.add(wanted);
      ops.push(...batch.ops.subarray(at, at + OP_WIDTH));
    }
    const transactions = [{ ...batch.transactions[0]!, end: ops.length / OP_WIDTH }];
    return { ...batch, ops: Int32Array.from(ops), transactions };
  }

  #wantedAt({ bytes, cells }: ChangeBatch, row: number): Wanted | undefined {
    const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const values = keyValues(this.#columns, ({ ordinal }) => {
      const start = cells[row + 2 * ordinal]!;
      return start < 0 ? null : texts.toString("utf8", start, cells[row + 2 * ordinal + 1]);
    });
    return values === undefined ? undefined : this.#wanted.get(JSON.stringify(values));
  }

  #deletesOf(gone: readonly Wanted[], { part }: Reading): ChangeBatch {
    const { source } = this.#plan;
    const texts: Buffer[] = [];
    const width = 2 * source.columns.length;
    const cells = new Int32Array(gone.length * width).fill(NULL_CELL);
    let length = 0;
    for (const [row, { left }] of gone.entries()) {
      for (const [i, { ordinal }] of this.#columns.entries()) {
        const text = Buffer.from(left![i]!);
        cells[row * width + 2 * ordinal] = length;
        length += text.length;
        cells[row * width + 2 * ordinal + 1] = length;
        texts.push(text);
      }
    }
    const ops = Int32Array.from(gone.flatMap((_, row) => [Op.delete, 0, row * width, -1]));
    const transactions = [transactionOf(gone.length, part)];
    return { bytes: Buffer.concat(texts), cells, ops, encoding: "text", tables: [source], transactions };
  }
}
