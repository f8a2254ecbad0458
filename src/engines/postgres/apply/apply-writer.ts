import type { ChangePlace } from "../../shared/apply/change-ring.ts";

/** Messages that the client sends (protocol manual, "Message Formats"). */
const PARSE = 0x50;
const BIND = 0x42;
const EXECUTE = 0x45;
const CLOSE = 0x43;
const FLUSH = 0x48;
const COPY_DATA = 0x64;
const COPY_DONE = 0x63;

/** What a binary COPY starts with: signature, flags, no extension; and the count that ends it. */
const COPY_HEADER = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
const COPY_TRAILER = Buffer.from([0xff, 0xff]);

const CHUNK = 1 << 16;
/** A cell from this size on goes to the socket as it is; a smaller one is copied. */
const BIG_CELL = 1 << 14;
/** Up to here a loop is quicker than a call. */
const SHORT_CELL = 32;

/** A statement the server knows by name once it is `prepared`. */
export interface PreparedStatement {
  readonly name: string;
  readonly sql: string;
  /** Where each parameter comes from: 2 * column of the row after, or ~(2 * column) of the row before. */
  readonly params: Int32Array;
  prepared: boolean;
  /** For eviction: the session's clock when it was used last. */
  usedAt: number;
}

/** Where a change's cells are. */
export interface CellSource extends ChangePlace {
  /** The batch's bytes. */
  bytes: Buffer;
  /** Index of the row before in the batch's cells, -1 for none. */
  before: number;
  after: number;
}

/** Some cells of one row. Reused from row to row. */
export interface RowCells {
  /** Where in a row the cells stand: 2 * column. */
  cellsOf: Int32Array;
  cells: Int32Array;
  bytes: Buffer;
  row: number;
}

/** What the cells take in a COPY row, each with its length in front. */
function cellsLength({ cellsOf, cells, row }: RowCells): number {
  let length = 4 * cellsOf.length;
  for (let i = 0; i < cellsOf.length; i++) {
    const cell = row + cellsOf[i]!;
    if (cells[cell]! >= 0) length += cells[cell + 1]! - cells[cell]!;
  }
  return length;
}

/**
 * Writes extended-protocol messages into chunks for the socket. Cells go from the batch's buffer into
 * the chunk in one copy; big ones are handed to the socket where they lie.
 */
export class ApplyWriter {
  /** Filled chunks and big cells in their order, not yet handed over. */
  #filled: Uint8Array[] = [];
  #chunk = Buffer.allocUnsafeSlow(CHUNK);
  #length = 0;
  /** Bytes written in all. */
  written = 0;

  /** True when enough has gathered to be worth a call of the socket. */
  get full(): boolean {
    return this.#filled.length > 0;
  }

  /** True when everything written has been taken. */
  get empty(): boolean {
    return this.#filled.length === 0 && this.#length === 0;
  }

  /** Everything written so far, for the socket. */
  take(): readonly Uint8Array[] {
    this.#seal(0);
    const filled = this.#filled;
    this.#filled = [];
    return filled;
  }

  parse(statement: PreparedStatement): void {
    const sqlLength = Buffer.byteLength(statement.sql);
    const at = this.#open(PARSE, statement.name.length + 1 + sqlLength + 1 + 2);
    let end = this.#text(statement.name, at);
    end += this.#chunk.write(statement.sql, end, "utf8");
    this.#chunk[end++] = 0;
    // No parameter types: the server infers them from where they stand.
    this.#length = this.#chunk.writeInt16BE(0, end);
  }

  bind(statement: PreparedStatement, source: CellSource): void {
    const { params, name } = statement;
    const { batch, bytes, before, after } = source;
    const { cells } = batch;
    let body = 1 + name.length + 1 + 4 + 2 + 4 * params.length + 2;
    for (let i = 0; i < params.length; i++) {
      const param = params[i]!;
      const cell = param >= 0 ? after + param : before + ~param;
      if (cells[cell]! >= 0) body += cells[cell + 1]! - cells[cell]!;
    }
    // Only the fixed part is reserved; cells make room for themselves.
    let at = this.#open(BIND, 1 + name.length + 1 + 4 + 2, body);
    this.#chunk[at++] = 0;
    at = this.#text(name, at);
    at = this.#chunk.writeInt16BE(1, at);
    at = this.#chunk.writeInt16BE(batch.encoding === "text" ? 0 : 1, at);
    this.#length = this.#chunk.writeInt16BE(params.length, at);
    for (let i = 0; i < params.length; i++) {
      const param = params[i]!;
      const cell = param >= 0 ? after + param : before + ~param;
      this.#cell(bytes, cells[cell]!, cells[cell + 1]!);
    }
    this.#reserve(2);
    this.#length = this.#chunk.writeInt16BE(0, this.#length);
  }

  execute(): void {
    const at = this.#open(EXECUTE, 5);
    this.#chunk[at] = 0;
    this.#length = this.#chunk.writeInt32BE(0, at + 1);
  }

  /** Starts the rows of a binary COPY. */
  copyHeader(): void {
    this.#raw(COPY_DATA, COPY_HEADER);
  }

  /** One row of a COPY, made of some cells of one row and some of another; each in a frame of its own. */
  copyRow(key: RowCells, rest: RowCells): void {
    const body = 2 + cellsLength(key) + cellsLength(rest);
    const at = this.#open(COPY_DATA, 2, body);
    this.#length = this.#chunk.writeInt16BE(key.cellsOf.length + rest.cellsOf.length, at);
    this.#cells(key);
    this.#cells(rest);
  }

  copyDone(): void {
    this.#raw(COPY_DATA, COPY_TRAILER);
    this.#open(COPY_DONE, 0);
  }

  closeStatement(name: string): void {
    const at = this.#open(CLOSE, 1 + name.length + 1);
    this.#chunk[at] = 0x53;
    this.#length = this.#text(name, at + 1);
  }

  flush(): void {
    this.#open(FLUSH, 0);
  }

  /** A whole message that was made elsewhere. */
  message(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#chunk.set(bytes, this.#length);
    this.#length += bytes.length;
    this.written += bytes.length;
  }

  /** Type and length of a message, with room for `size` bytes of its body; returns where they start. */
  #open(type: number, size: number, body = size): number {
    this.#reserve(5 + size);
    const at = this.#length;
    this.#chunk[at] = type;
    this.#chunk.writeInt32BE(4 + body, at + 1);
    this.#length = at + 5;
    this.written += 5 + body;
    return at + 5;
  }

  #raw(type: number, body: Buffer): void {
    const at = this.#open(type, body.length);
    this.#chunk.set(body, at);
    this.#length = at + body.length;
  }

  #cells({ cellsOf, cells, bytes, row }: RowCells): void {
    for (let i = 0; i < cellsOf.length; i++) {
      const cell = row + cellsOf[i]!;
      this.#cell(bytes, cells[cell]!, cells[cell + 1]!);
    }
  }

  #cell(bytes: Buffer, start: number, end: number): void {
    const isNull = start < 0;
    const length = isNull ? 0 : end - start;
    this.#reserve(length < BIG_CELL ? 4 + length : 4);
    const chunk = this.#chunk;
    let at = this.#length;
    chunk.writeInt32BE(isNull ? -1 : length, at);
    at += 4;
    if (isNull) {
      this.#length = at;
      return;
    }
    if (length >= BIG_CELL) {
      this.#length = at;
      this.#seal(0);
      this.#filled.push(bytes.subarray(start, end));
      return;
    }
    if (length <= SHORT_CELL) {
      for (let i = start; i < end; i++) chunk[at++] = bytes[i]!;
      this.#length = at;
    } else {
      bytes.copy(chunk, at, start, end);
      this.#length = at + length;
    }
  }

  /** An ASCII text with its zero; returns where it ends. */
  #text(text: string, at: number): number {
    const end = at + this.#chunk.write(text, at, "latin1");
    this.#chunk[end] = 0;
    this.#length = end + 1;
    return end + 1;
  }

  #reserve(size: number): void {
    if (this.#chunk.length - this.#length < size) this.#seal(size);
  }

  /** Hands over the chunk and starts another with room for at least `size`. */
  #seal(size: number): void {
    if (this.#length > 0) this.#filled.push(this.#chunk.subarray(0, this.#length));
    this.#chunk =
      size > this.#chunk.length - this.#length
        ? Buffer.allocUnsafeSlow(Math.max(CHUNK, size))
        : this.#chunk.subarray(this.#length);
    this.#length = 0;
  }
}
