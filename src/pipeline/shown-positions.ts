import type { Position } from "../core/position.ts";
import type { TableRules } from "./apply-modes.ts";

interface Waiting {
  readonly position: Position;
  /** The last transaction that was given to the applier when everything up to the position had been. */
  given: Position | "nothing" | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/** Who waits for the target to show what committed up to a position. */
export class ShownPositions {
  readonly #reaches: TableRules["reaches"];
  #waiting: Waiting[] = [];
  #applied: Position | undefined;

  constructor(rules: TableRules) {
    this.#reaches = (position, goal) => rules.reaches(position, goal);
  }

  /** Somebody waits for more to come of the stream. */
  get awaitsStream(): boolean {
    return this.#waiting.some(({ given }) => given === undefined);
  }

  wait(position: Position): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ position, given: undefined, done });
    return done.promise;
  }

  /** Everything up to a position has been taken, and given to the applier where there was something to apply. */
  taken(received: Position | undefined, given: Position | undefined): void {
    if (this.#waiting.length === 0 || received === undefined) return;
    for (const waiting of this.#waiting) {
      if (waiting.given !== undefined || !this.#reaches(received, waiting.position)) continue;
      waiting.given = given ?? "nothing";
    }
    this.#tell();
  }

  applied(position: Position): void {
    this.#applied = position;
    if (this.#waiting.length > 0) this.#tell();
  }

  fail(error: unknown): void {
    for (const { done } of this.#waiting.splice(0)) done.reject(error);
  }

  #tell(): void {
    const applied = this.#applied;
    const isShown = ({ given }: Waiting): boolean =>
      given === "nothing" || (given !== undefined && applied !== undefined && this.#reaches(applied, given));
    for (const waiting of this.#waiting) if (isShown(waiting)) waiting.done.resolve();
    this.#waiting = this.#waiting.filter((waiting) => !isShown(waiting));
  }
}
