/** What is done beside the changes of a task that runs. */
export class BesideChanges {
  readonly #signal: AbortSignal;
  readonly #failed: (error: unknown) => void;
  #turns: Promise<unknown>;
  #ended: Promise<unknown>;

  /** Nothing has its turn before `start`; `failed` is told of what goes wrong before `signal` ends all of it. */
  constructor(start: Promise<void>, signal: AbortSignal, failed: (error: unknown) => void) {
    this.#turns = start;
    this.#ended = start;
    this.#signal = signal;
    this.#failed = failed;
  }

  /** Resolves when all that was begun has ended. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Does things one after another. */
  inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turns.then(() => {
      this.#signal.throwIfAborted();
      return work();
    });
    this.#turns = done.catch(() => undefined);
    return done;
  }

  /** Takes over what may be in turn or has turns of its own; resolves when it has ended. */
  do(work: Promise<void>): Promise<void> {
    const ended = work.catch((error) => {
      if (!this.#signal.aborted) this.#failed(error);
    });
    const before = this.#ended;
    this.#ended = ended.then(() => before);
    return ended;
  }
}
