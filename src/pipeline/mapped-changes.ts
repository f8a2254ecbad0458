import type { StreamItem } from "../core/change-batch.ts";
import type { Finding } from "../core/finding.ts";
import type { TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import type { ChangeStream } from "../core/source.ts";
import { ChangeRows } from "../mapping/rows/change-rows.ts";

/** A stream's changes as the rules of the plans leave them; the stream itself where there are no such rules. */
export function mappedChanges(stream: ChangeStream, plans: readonly TablePlan[]): ChangeStream {
  return plans.some(({ rows }) => rows !== undefined) ? new MappedChanges(stream, plans) : stream;
}

class MappedChanges implements ChangeStream {
  readonly #stream: ChangeStream;
  readonly #rows: ChangeRows;

  constructor(stream: ChangeStream, plans: readonly TablePlan[]) {
    this.#stream = stream;
    this.#rows = new ChangeRows(plans);
  }

  get lacksNotes(): boolean {
    return this.#stream.lacksNotes === true;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem> {
    for await (const item of this.#stream) {
      yield item.kind === "changes" ? { ...item, batch: this.#rows.map(item.batch) } : item;
    }
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
