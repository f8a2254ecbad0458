import type { ChangeBatch, StreamItem } from "../core/change-batch.ts";
import type { Finding } from "../core/finding.ts";
import type { Position } from "../core/position.ts";
import type { TableId } from "../core/schema.ts";
import type { ChangeStream } from "../core/source.ts";

/**
 * A stream of which only is to be known which rows its changes concern: a change that does not fit its table is one of a row
 * that is not known. `misses` resolves when that is noted.
 */
export class ComparedStream implements ChangeStream {
  readonly #stream: ChangeStream;
  readonly #misses: (table: TableId) => Promise<void>;

  constructor(stream: ChangeStream, misses: (table: TableId) => Promise<void>) {
    this.#stream = stream;
    this.#misses = misses;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem> {
    for await (const item of this.#stream) {
      yield item.kind === "changes" ? { ...item, batch: await this.#fitting(item.batch) } : item;
    }
  }

  async #fitting(batch: ChangeBatch): Promise<ChangeBatch> {
    const { misfits = [], ...fitting } = batch;
    if (misfits.length === 0) return batch;
    for (const table of new Set(misfits.map((misfit) => misfit.table))) {
      await this.#misses(batch.tables[table]!.id);
    }
    return fitting;
  }

  confirm(position: Position): void {
    this.#stream.confirm(position);
  }

  probe(): void {
    this.#stream.probe();
  }

  findings(): readonly Finding[] {
    return this.#stream.findings?.() ?? [];
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#stream[Symbol.asyncDispose]();
  }
}
