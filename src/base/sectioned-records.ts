import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

interface Section {
  readonly pieces: { readonly at: number; readonly length: number }[];
  waiting: Buffer;
  waitingBytes: number;
}

export interface RecordPlace {
  /** Where there is room for the file. */
  readonly directory: string;
  /** What waits in memory of each section, more or less. */
  readonly pieceBytes: number;
  /** What is thrown when the file cannot be made, written or read. */
  readonly failure: (cause: unknown) => Error;
}

/** What waits in memory of all sections, more or less. */
const MOST_BYTES = 64 << 20;
const LENGTH_BYTES = 4;
const LEAST_BYTES = 1 << 10;

/**
 * Records of some sections, in whose order they are not found. What is more than waits in memory lies in a file that has no name, is its
 * owner's only, and is gone with the process: it may hold values of rows. Nothing is added while records are read.
 */
export class SectionedRecords implements Disposable {
  readonly #place: RecordPlace;
  readonly #sections: (Section | undefined)[] = [];
  /** Of the memory that sections have for what waits. */
  #bytes = 0;
  #file: number | undefined;
  #end = 0;

  constructor(place: RecordPlace) {
    this.#place = place;
  }

  /** Makes the file, which else is made when it is first needed. */
  open(): number {
    const path = join(this.#place.directory, `.tideway-rows-${process.pid}-${performance.now()}`);
    return this.#orFailed(() => {
      this.#file = openSync(path, "wx+", 0o600);
      rmSync(path);
      return this.#file;
    });
  }

  /** Adds the first bytes of a buffer, all of them by default. */
  add(number: number, record: Buffer, length = record.length): void {
    this.#sections[number] ??= { pieces: [], waiting: EMPTY, waitingBytes: 0 };
    const section = this.#sections[number];
    if (section.waitingBytes + LENGTH_BYTES + length > section.waiting.length)
      this.#makeRoom(section, LENGTH_BYTES + length);
    const { waiting } = section;
    waiting.writeUInt32LE(length, section.waitingBytes);
    record.copy(waiting, section.waitingBytes + LENGTH_BYTES, 0, length);
    section.waitingBytes += LENGTH_BYTES + length;
  }

  /** In the order in which they were added. */
  *records(number: number): Generator<Buffer> {
    const section = this.#sections[number];
    if (section === undefined) return;
    for (const { at, length } of section.pieces) yield* recordsOf(this.#read(at, length));
    yield* recordsOf(section.waiting.subarray(0, section.waitingBytes));
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #makeRoom(section: Section, bytes: number): void {
    const { pieceBytes } = this.#place;
    if (this.#bytes > MOST_BYTES) this.#writeAll();
    else if (section.waitingBytes + bytes > pieceBytes) this.#write(section);
    const needed = section.waitingBytes + bytes;
    if (needed <= section.waiting.length) return;
    const doubled = Math.min(pieceBytes, Math.max(LEAST_BYTES, 2 * section.waiting.length));
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, doubled));
    section.waiting.copy(larger, 0, 0, section.waitingBytes);
    this.#bytes += larger.length - section.waiting.length;
    section.waiting = larger;
  }

  /** Where there are many sections, most of them get nothing more for long. */
  #writeAll(): void {
    for (const section of this.#sections) {
      if (section === undefined) continue;
      this.#write(section);
      section.waiting = EMPTY;
    }
    this.#bytes = 0;
  }

  #write(section: Section): void {
    const { waiting, waitingBytes: length } = section;
    if (length === 0) return;
    const file = this.#file ?? this.open();
    this.#orFailed(() => {
      for (let at = 0; at < length; ) at += writeSync(file, waiting, at, length - at, this.#end + at);
    });
    section.pieces.push({ at: this.#end, length });
    this.#end += length;
    section.waitingBytes = 0;
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length);
    return this.#orFailed(() => {
      for (let read = 0; read < length; ) {
        const more = readSync(this.#file!, bytes, read, length - read, at + read);
        if (more === 0) throw new Error("The file has become shorter.");
        read += more;
      }
      return bytes;
    });
  }

  #orFailed<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw this.#place.failure(error);
    }
  }
}

const EMPTY = Buffer.alloc(0);

function* recordsOf(piece: Buffer): Generator<Buffer> {
  for (let from = 0; from < piece.length; ) {
    const start = from + LENGTH_BYTES;
    from = start + piece.readUInt32LE(from);
    yield piece.subarray(start, from);
  }
}
