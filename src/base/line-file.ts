import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

const CHUNK = 1 << 20;
const NEWLINE = 0x0a;

/**
 * A file of lines that are only ever added to. Whenever the machine stops, it has all lines that were kept, maybe more, and maybe a part
 * of one, which does not count.
 */
export class LineFile implements Disposable {
  readonly #file: number;
  /** Where the next line begins: behind the last whole one. */
  #end: number;

  /** Opens one that is there. */
  constructor(path: string) {
    this.#file = openSync(path, "r+");
    try {
      this.#end = this.#endOfLines();
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** All whole lines. */
  *lines(): Generator<string> {
    const chunk = Buffer.alloc(CHUNK);
    let rest: Buffer[] = [];
    for (let at = 0; at < this.#end; ) {
      const length = readSync(this.#file, chunk, 0, Math.min(CHUNK, this.#end - at), at);
      if (length === 0) break;
      let from = 0;
      for (;;) {
        const newline = chunk.subarray(0, length).indexOf(NEWLINE, from);
        if (newline < 0) break;
        yield Buffer.concat([...rest, chunk.subarray(from, newline)]).toString("utf8");
        rest = [];
        from = newline + 1;
      }
      rest.push(Buffer.from(chunk.subarray(from, length)));
      at += length;
    }
  }

  /** Lines count when they are kept. */
  add(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.#file, bytes, at, bytes.length - at, this.#end + at);
    }
    this.#end += bytes.length;
  }

  /** What is behind the last line goes, and what has been added stays, whatever happens. */
  keep(): void {
    ftruncateSync(this.#file, this.#end);
    fsyncSync(this.#file);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  /** What has been added is whole lines, but for the last where the machine has stopped. */
  #endOfLines(): number {
    const chunk = Buffer.alloc(CHUNK);
    for (let to = fstatSync(this.#file).size; to > 0; ) {
      const from = Math.max(0, to - CHUNK);
      const length = readSync(this.#file, chunk, 0, to - from, from);
      const newline = chunk.subarray(0, length).lastIndexOf(NEWLINE);
      if (newline >= 0) return from + newline + 1;
      to = from;
    }
    return 0;
  }
}
