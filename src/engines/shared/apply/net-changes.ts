import { NULL_CELL, Op, UNCHANGED_CELL } from "../../../core/change-batch.ts";
import { grown, KeyIndex, type RowBytes, roomFor } from "./key-index.ts";

/** What all changes of one key come to, seen from the table as it was before them. */
export const Net = {
  /** The row was not there and is not there. */
  nothing: 0,
  insert: 1,
  update: 2,
  delete: 3,
  /** The row was there, was deleted and was inserted again. */
  replace: 4,
} as const;
export type Net = (typeof Net)[keyof typeof Net];

/** What folding must know of a table. */
export interface FoldOptions {
  readonly columns: number;
  /** Ordinals of the columns that identify a row; none where only inserts fold. */
  readonly key: readonly number[];
  /** Whether a changed key may be a delete and an insert. */
  readonly movesKeys: boolean;
}

/** Which cells of an updated row were sent; a table has few such shapes. */
const MAX_SHAPES = 16;

/**
 * Folds the changes of one table, key by key, into their net effect: however often a row changes, the
 * target writes it once. The effects of different keys do not depend on each other, so they may be
 * applied as sets: first what goes (delete, replace), then updates, then what comes (insert, replace).
 *
 *     so far      insert     update     delete
 *     -           insert     update     delete
 *     nothing     insert     odd        odd
 *     insert      odd        insert     nothing
 *     update      odd        update     delete
 *     delete      replace    odd        odd
 *     replace     odd        replace    delete
 *
 * An update that moves a row to another key is a delete of the old key and an insert of the new one.
 * Odd changes do not fit what came before: the target is not what the source was, or the stream
 * repeats itself. Then, and where a row's values are not all known, folding has failed: the changes have
 * to be applied one by one, which tells what is wrong.
 *
 * Keys are compared by their bytes. Values that are equal to the server but written differently (1.0 and
 * 1.00) are different keys here; as what goes goes first, that makes no difference.
 */
export class NetChanges {
  readonly #columns: number;
  readonly #sources: RowBytes[];
  readonly #index: KeyIndex;
  readonly #hasKey: boolean;
  readonly #movesKeys: boolean;
  #net: Uint8Array;
  #shapeOf: Uint8Array;
  /** The row as it ends up: source and row in it. */
  #sourceOf: Int32Array<ArrayBuffer>;
  #rowOf: Int32Array<ArrayBuffer>;
  /** For each shape one byte a column: 1 when it was not sent. The first is that of a whole row. */
  readonly #shapes: Uint8Array[];
  readonly counts = { inserts: 0, updates: 0, deletes: 0 };
  /** A change did not fold: what is here is of no use. */
  failed = false;

  /** `sources` is where rows lie; merged rows are added to it. `expected`: about so many changes will come. */
  constructor(options: FoldOptions, sources: RowBytes[], expected = 0) {
    this.#columns = options.columns;
    this.#sources = sources;
    this.#hasKey = options.key.length > 0;
    this.#movesKeys = options.movesKeys;
    this.#index = new KeyIndex(options.key, sources, expected);
    const room = roomFor(expected);
    this.#net = new Uint8Array(room);
    this.#shapeOf = new Uint8Array(room);
    this.#sourceOf = new Int32Array(room);
    this.#rowOf = new Int32Array(room);
    this.#shapes = [new Uint8Array(options.columns)];
  }

  get size(): number {
    return this.#index.size;
  }

  get shapes(): readonly Uint8Array[] {
    return this.#shapes;
  }

  net(entry: number): Net {
    return this.#net[entry] as Net;
  }

  /** Index into `shapes` of an entry that is an update. */
  shape(entry: number): number {
    return this.#shapeOf[entry]!;
  }

  /** The row as it ends up. */
  source(entry: number): number {
    return this.#sourceOf[entry]!;
  }

  row(entry: number): number {
    return this.#rowOf[entry]!;
  }

  /** A row that holds the entry's key, whatever has become of it. */
  keySource(entry: number): number {
    return this.#index.source(entry);
  }

  keyRow(entry: number): number {
    return this.#index.row(entry);
  }

  /** Takes one change with its rows in `source`. */
  add(op: Op, source: number, before: number, after: number): void {
    if (!this.#fold(op, source, before, after)) this.failed = true;
  }

  #fold(op: Op, source: number, before: number, after: number): boolean {
    switch (op) {
      case Op.insert:
        this.counts.inserts++;
        return this.#insert(source, after);
      case Op.update:
        this.counts.updates++;
        return this.#update(source, before, after);
      case Op.delete:
        this.counts.deletes++;
        return this.#delete(source, before);
      default:
        return false;
    }
  }

  #insert(source: number, row: number): boolean {
    if (!this.#hasKey) {
      const entry = this.#index.add(source, row);
      this.#room(entry);
      this.#set(entry, Net.insert, 0, source, row);
      return true;
    }
    const known = this.#index.size;
    const entry = this.#index.entry(source, row);
    if (entry < 0) return false;
    if (entry === known) this.#room(entry);
    else if (this.#net[entry] !== Net.nothing && this.#net[entry] !== Net.delete) return false;
    const net = entry !== known && this.#net[entry] === Net.delete ? Net.replace : Net.insert;
    this.#set(entry, net, 0, source, row);
    return true;
  }

  #delete(source: number, row: number): boolean {
    if (!this.#hasKey) return false;
    const known = this.#index.size;
    const entry = this.#index.entry(source, row);
    if (entry < 0) return false;
    if (entry === known) {
      this.#room(entry);
      this.#net[entry] = Net.delete;
      return true;
    }
    const before = this.#net[entry];
    if (before === Net.nothing || before === Net.delete) return false;
    this.#net[entry] = before === Net.insert ? Net.nothing : Net.delete;
    return true;
  }

  #update(source: number, before: number, after: number): boolean {
    if (!this.#hasKey) return false;
    const known = this.#index.size;
    // The old key is that of the row before, where one was sent.
    const entry = this.#index.entry(source, before >= 0 ? before : after);
    if (entry < 0) return false;
    if (before >= 0 && !this.#index.hasKeyOf(entry, source, after)) {
      if (entry === known) this.#room(entry);
      return this.#move(entry, { isNew: entry === known, source, after });
    }
    const shape = this.#shapeIn(source, after);
    if (shape < 0) return false;
    if (entry === known) {
      this.#room(entry);
      this.#set(entry, Net.update, shape, source, after);
      return true;
    }
    const net = this.#net[entry] as Net;
    if (net === Net.nothing || net === Net.delete) return false;
    return this.#overwrite(entry, { net, shape, source, row: after });
  }

  /** A row whose key changes leaves one entry and enters another, with all its values. */
  #move(
    from: number,
    to: { readonly isNew: boolean; readonly source: number; readonly after: number },
  ): boolean {
    if (!this.#movesKeys) return false;
    let { source, after: row } = to;
    const was = to.isNew ? Net.update : (this.#net[from] as Net);
    if (was === Net.nothing || was === Net.delete) return false;
    const shape = this.#shapeIn(source, row);
    if (shape < 0) return false;
    if (shape > 0) {
      if (to.isNew || !this.#isWhole(from)) return false;
      row = this.#merge(from, source, row);
      source = this.#sources.length - 1;
    }
    this.#net[from] = was === Net.insert ? Net.nothing : Net.delete;
    return this.#insert(source, row);
  }

  /** Whether all values of an entry's row are at hand. */
  #isWhole(entry: number): boolean {
    return this.#shapeOf[entry] === 0;
  }

  /** The later row stands for both unless it lacks a value that the earlier one has. */
  #overwrite(
    entry: number,
    later: { readonly net: Net; readonly shape: number; readonly source: number; readonly row: number },
  ): boolean {
    const { net, shape, source, row } = later;
    if (shape === 0 || shape === this.#shapeOf[entry]) {
      this.#set(entry, net, shape, source, row);
      return true;
    }
    const merged = this.#merge(entry, source, row);
    const mergedSource = this.#sources.length - 1;
    const mergedShape = this.#shapeIn(mergedSource, merged);
    if (mergedShape < 0) return false;
    this.#set(entry, net, mergedShape, mergedSource, merged);
    return true;
  }

  /** A row of its own whose values are the later one's, and where those were not sent the earlier one's. */
  #merge(entry: number, source: number, row: number): number {
    const earlier = this.#sources[this.#sourceOf[entry]!]!;
    const later = this.#sources[source]!;
    const earlierRow = this.#rowOf[entry]!;
    const cells = new Int32Array(2 * this.#columns);
    const parts: Uint8Array[] = [];
    let length = 0;
    for (let i = 0; i < cells.length; i += 2) {
      const isSent = later.cells[row + i] !== UNCHANGED_CELL;
      const from = isSent ? later : earlier;
      const at = (isSent ? row : earlierRow) + i;
      const start = from.cells[at]!;
      cells[i] = start;
      cells[i + 1] = NULL_CELL;
      if (start === NULL_CELL || start === UNCHANGED_CELL) continue;
      const part = from.bytes.subarray(start, from.cells[at + 1]!);
      parts.push(part);
      cells[i] = length;
      length += part.length;
      cells[i + 1] = length;
    }
    this.#sources.push({ bytes: Buffer.concat(parts, length), cells });
    return 0;
  }

  /** The shape of a row; -1 when there are too many of them. */
  #shapeIn(source: number, row: number): number {
    const { cells } = this.#sources[source]!;
    const shapes = this.#shapes;
    for (let s = 0; s < shapes.length; s++) {
      const shape = shapes[s]!;
      let i = 0;
      while (i < shape.length && (cells[row + 2 * i] === UNCHANGED_CELL) === (shape[i] === 1)) i++;
      if (i === shape.length) return s;
    }
    if (shapes.length === MAX_SHAPES) return -1;
    const shape = new Uint8Array(this.#columns);
    for (let i = 0; i < shape.length; i++) shape[i] = cells[row + 2 * i] === UNCHANGED_CELL ? 1 : 0;
    return shapes.push(shape) - 1;
  }

  #set(entry: number, net: Net, shape: number, source: number, row: number): void {
    this.#net[entry] = net;
    this.#shapeOf[entry] = shape;
    this.#sourceOf[entry] = source;
    this.#rowOf[entry] = row;
  }

  #room(entry: number): void {
    if (entry < this.#net.length) return;
    const net = new Uint8Array(2 * this.#net.length);
    net.set(this.#net);
    this.#net = net;
    const shapeOf = new Uint8Array(2 * this.#shapeOf.length);
    shapeOf.set(this.#shapeOf);
    this.#shapeOf = shapeOf;
    this.#sourceOf = grown(this.#sourceOf);
    this.#rowOf = grown(this.#rowOf);
  }
}
