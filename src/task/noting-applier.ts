import type { ChangeBatch } from "../core/change-batch.ts";
import { MigrationError } from "../core/error.ts";
import type { Position } from "../core/position.ts";
import type { AppliedProgress, Applier } from "../core/target.ts";

/** How often a position is recorded at most: what lies between two is only told once more after a crash. */
const SAVE_INTERVAL_MS = 1_000;

const NOTHING: AppliedProgress["tables"] = new Map();

/**
 * Takes changes of which nothing is to be done any more, and records how far they have come: in intervals, and at flush().
 * Which rows they concern has to be noted before.
 */
export class NotingApplier implements Applier {
  onApplied: Applier["onApplied"];
  onDurable: Applier["onDurable"];
  onFailure: Applier["onFailure"];
  readonly #save: (position: Position) => Promise<void>;
  /** Taken last, and not recorded yet. */
  #position: Position | undefined;
  #saved: Promise<void> = Promise.resolve();
  #due: NodeJS.Timeout | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** `save` resolves when the position is recorded for good. */
  constructor(save: (position: Position) => Promise<void>) {
    this.#save = save;
  }

  async apply({ transactions }: ChangeBatch): Promise<void> {
    this.#throwFailure();
    const whole = transactions.filter(({ commits }) => commits);
    const last = whole.at(-1);
    if (last === undefined) return;
    const committedAtMs = whole.map((transaction) => transaction.committedAtMs);
    this.#position = last.position;
    this.onApplied?.({ position: last.position, committedAtMs, tables: NOTHING });
    this.#due ??= setTimeout(() => {
      this.#saveNow().catch((error) => this.onFailure?.(error));
    }, SAVE_INTERVAL_MS);
  }

  async flush(): Promise<void> {
    this.#throwFailure();
    await this.#saveNow();
  }

  /** Nothing is passed over by it, so that nothing can be tried again. */
  async retry(): Promise<void> {
    throw new MigrationError("usage.invalid", { message: "A task that only compares applies no rows." });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#due);
    await this.#saved.catch(() => undefined);
  }

  /** One after another: a position never goes back. */
  #saveNow(): Promise<void> {
    clearTimeout(this.#due);
    this.#due = undefined;
    this.#saved = this.#saved.then(async () => {
      const position = this.#position;
      if (position === undefined) return;
      this.#position = undefined;
      await this.#save(position);
      this.onDurable?.(position);
    });
    this.#saved.catch((error) => {
      this.#failure ??= { error };
    });
    return this.#saved;
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
