import { Limiter } from "../../../base/limiter.ts";
import type { BulkFormat, RowChunk } from "../../../core/row-chunk.ts";
import type { TableCopy } from "./table-copy.ts";

/** What a COPY in binary begins and ends with, in frames of their own (SQL reference, "COPY", "Binary Format"). */
const HEADER: RowChunk = {
  rows: 0,
  bytes: Buffer.from("64000000175047434f50590aff0d0a000000000000000000", "hex"),
};
const TRAILER: RowChunk = { rows: 0, bytes: Buffer.from("6400000006ffff", "hex") };

const PATIENCE_MS = 30_000;

/**
 * One scan of a table for several readers: the rows that come go whole to whichever reader asks next, and
 * the rows of all readers together are the table's. Each reader's bytes are a complete COPY of their own.
 * In binary the first reader may be told a row too few and the last one too many: the trailer is a frame.
 *
 * Readers' transactions on the target may wait for each other, by a trigger or a unique index that was there.
 * So nobody waits for ever: a reader whose turn does not come, because another one passes a row on that is
 * longer than two chunks and cannot get rid of it, takes its share for all that it gets.
 *
 * When a reader is left before its rows have ended, some are lost for good. The others' then end, too, and
 * look complete. Its partition is not done, and that is what makes the caller empty the table and read it all.
 */
export class SharedRows {
  readonly #open: () => Promise<TableCopy>;
  readonly #binary: boolean;
  readonly #patienceMs: number;
  readonly #turns = new Limiter(1);
  #copy: TableCopy | undefined;
  /** Nobody gets a row any more; one that has been begun goes on to its end. */
  #ended = false;
  #inRow = false;
  /** The readers that the server's own header and trailer went to. */
  #first: symbol | undefined;
  #last: symbol | undefined;

  /** `open` starts a COPY whose chunks stop at rows; it is called when the first reader asks. */
  constructor(format: BulkFormat, open: () => Promise<TableCopy>, patienceMs = PATIENCE_MS) {
    this.#binary = format === "pg-copy-binary";
    this.#open = open;
    this.#patienceMs = patienceMs;
  }

  /** The rows of one reader. Throws what opening and reading throw, to the reader whose turn it was. */
  async *read(): AsyncGenerator<RowChunk> {
    const reader = Symbol();
    let begun = false;
    let holdsTurn = false;
    let whole = false;
    try {
      for (;;) {
        holdsTurn ||= await this.#turns.enter(this.#patienceMs);
        const chunks = holdsTurn ? await this.#take(reader) : [];
        // The rest of a row that is longer than that is this reader's, too.
        if (holdsTurn && !this.#inRow) {
          holdsTurn = false;
          this.#leave();
        }
        if (!begun && this.#binary && this.#first !== reader) yield HEADER;
        begun = true;
        if (chunks.length === 0) break;
        yield* chunks;
      }
      if (this.#binary && this.#last !== reader) yield TRAILER;
      whole = true;
    } finally {
      if (!whole) this.#ended = true;
      if (holdsTurn) this.#inRow = false;
      // Whoever has the turn ends the scan when it leaves.
      if (holdsTurn || (!whole && (await this.#turns.enter(0)))) this.#leave();
    }
  }

  /** A chunk and, where that ends inside a row, what comes next: most often no more than that row's end. */
  async #take(reader: symbol): Promise<readonly RowChunk[]> {
    const chunks: RowChunk[] = [];
    do {
      if (this.#ended && !this.#inRow) break;
      this.#copy ??= await this.#open();
      const chunk = await this.#copy.next();
      this.#inRow = chunk?.cut === true;
      if (chunk === undefined) {
        this.#ended = true;
        break;
      }
      this.#first ??= reader;
      this.#last = reader;
      chunks.push(chunk);
    } while (this.#inRow && chunks.length < 2);
    return chunks;
  }

  #leave(): void {
    if (this.#ended) this.#copy?.discard();
    this.#turns.leave();
  }
}
