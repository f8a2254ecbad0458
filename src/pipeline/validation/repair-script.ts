import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { MigrationError } from "../../core/error.ts";

/** In the order in which a table's statements are carried out: what comes may take a place that another row has had. */
export const REPAIR_KINDS = ["delete", "update", "insert"] as const;
export type RepairKind = (typeof REPAIR_KINDS)[number];

/** How many rows are meant by statements of each kind. */
export type RepairCounts = Readonly<Record<RepairKind, number>>;

/** What of one table and one kind lies behind each other in the file, and what is still to be written. */
interface Section {
  readonly pieces: { readonly at: number; readonly length: number }[];
  waiting: Buffer[];
  waitingBytes: number;
  rows: number;
}

/** What waits in memory of each section. */
const PIECE_BYTES = 1 << 16;
const LENGTH_BYTES = 4;

/** What one transaction holds, more or less. */
const GROUP_STATEMENTS = 500;
const GROUP_BYTES = 1 << 20;

/**
 * Statements in the order of their tables and kinds, in which they are not found. They lie in a file that has no name, and is
 * gone with the process: they hold values of rows.
 */
export class RepairScript implements Disposable {
  readonly #file: number;
  readonly #sections = new Map<string, Section>();
  #end = 0;

  /** `directory`: where there is room for the file. */
  constructor(directory: string) {
    const path = join(directory, `.tideway-repair-${process.pid}-${performance.now()}`);
    this.#file = orRefused(() => openSync(path, "wx+", 0o600));
    rmSync(path);
  }

  /** `table`: see tableKey. `rows`: how many are meant. */
  add(
    { table, kind }: { readonly table: string; readonly kind: RepairKind },
    statement: Buffer,
    rows: number,
  ): void {
    const section = this.#section(table, kind);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(statement.length);
    section.waiting.push(length, statement);
    section.waitingBytes += LENGTH_BYTES + statement.length;
    section.rows += rows;
    if (section.waitingBytes >= PIECE_BYTES) this.#write(section);
  }

  /** Rows that statements of other kinds are meant for. */
  count({ table, kind }: { readonly table: string; readonly kind: RepairKind }, rows: number): void {
    this.#section(table, kind).rows += rows;
  }

  counts(table: string): RepairCounts {
    const of = (kind: RepairKind): number => this.#sections.get(keyOf(table, kind))?.rows ?? 0;
    return { delete: of("delete"), update: of("update"), insert: of("insert") };
  }

  /** The statements of a table, some at a time. */
  *groups(table: string, kind: RepairKind): Generator<readonly Buffer[]> {
    const section = this.#section(table, kind);
    this.#write(section);
    let group: Buffer[] = [];
    let bytes = 0;
    for (const { at, length } of section.pieces) {
      const piece = this.#read(at, length);
      for (let from = 0; from < length; ) {
        const start = from + LENGTH_BYTES;
        const end = start + piece.readUInt32LE(from);
        const isFull = group.length === GROUP_STATEMENTS || bytes + end - start > GROUP_BYTES;
        if (isFull && group.length > 0) {
          yield group;
          group = [];
          bytes = 0;
        }
        group.push(piece.subarray(start, end));
        bytes += end - start;
        from = end;
      }
    }
    if (group.length > 0) yield group;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #section(table: string, kind: RepairKind): Section {
    const key = keyOf(table, kind);
    const known = this.#sections.get(key);
    if (known !== undefined) return known;
    const section: Section = { pieces: [], waiting: [], waitingBytes: 0, rows: 0 };
    this.#sections.set(key, section);
    return section;
  }

  #write(section: Section): void {
    if (section.waitingBytes === 0) return;
    const bytes = Buffer.concat(section.waiting);
    orRefused(() => {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.#file, bytes, at, bytes.length - at, this.#end + at);
    });
    section.pieces.push({ at: this.#end, length: bytes.length });
    this.#end += bytes.length;
    section.waiting = [];
    section.waitingBytes = 0;
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let read = 0; read < length; ) {
      const more = readSync(this.#file, bytes, read, length - read, at + read);
      if (more === 0) throw new Error("The file of statements has become shorter.");
      read += more;
    }
    return bytes;
  }
}

function keyOf(table: string, kind: RepairKind): string {
  return `${kind} ${table}`;
}

function orRefused<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    throw new MigrationError("validation.repair_not_written", {
      message: `The statements that repair the target cannot be written to a file (${code}).`,
      cause: error,
    });
  }
}
