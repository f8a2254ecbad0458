import type { StreamItem } from "../../../core/change-batch.ts";
import type { Finding } from "../../../core/finding.ts";
import type { Position } from "../../../core/position.ts";
import type { ChangeStream } from "../../../core/source.ts";

/**
 * How far tasks have come: the server keeps its log for nobody and so does not know. Forgotten with the source, whose
 * tasks tell it again when they open their streams.
 */
export class ConfirmedPositions {
  readonly #positions = new Map<string, Position>();

  get(taskId: string): Position | undefined {
    return this.#positions.get(taskId);
  }

  set(taskId: string, position: Position): void {
    this.#positions.set(taskId, position);
  }

  forget(taskId: string): void {
    this.#positions.delete(taskId);
  }

  /** The stream, whose confirmations are heard. */
  follow(taskId: string, stream: ChangeStream): ChangeStream {
    return new FollowedStream(stream, (position) => this.set(taskId, position));
  }
}

class FollowedStream implements ChangeStream {
  readonly #stream: ChangeStream;
  readonly #onConfirmed: (position: Position) => void;

  constructor(stream: ChangeStream, onConfirmed: (position: Position) => void) {
    this.#stream = stream;
    this.#onConfirmed = onConfirmed;
  }

  confirm(position: Position): void {
    this.#onConfirmed(position);
    this.#stream.confirm(position);
  }

  probe(): void {
    this.#stream.probe();
  }

  findings(): readonly Finding[] {
    return this.#stream.findings?.() ?? [];
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamItem> {
    return this.#stream[Symbol.asyncIterator]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]();
  }
}
