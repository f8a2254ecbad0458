import { descendantsOf, readMemory } from "../test/support/process-table.ts";

const SAMPLE_MS = 50;

/**
 * The most memory that processes have held together, looked at 20 times a second. A peak of one
 * process between two looks is known from the kernel (VmHWM), so the figure is never below that.
 */
export class PeakMemory {
  readonly #roots: () => readonly number[];
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  private constructor(roots: () => readonly number[]) {
    this.#roots = roots;
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS);
    this.#look();
  }

  /** A process with all it starts. */
  static ofTree(pid: number): PeakMemory {
    return new PeakMemory(() => [pid, ...descendantsOf(pid)]);
  }

  /** What a process starts, without itself: a shell that only starts others is not part of a tool. */
  static ofDescendants(pid: number): PeakMemory {
    return new PeakMemory(() => descendantsOf(pid));
  }

  stop(): number {
    clearInterval(this.#timer);
    this.#look();
    return this.#bytes;
  }

  #look(): void {
    const memory = this.#roots().map(readMemory);
    const together = memory.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
    this.#bytes = Math.max(this.#bytes, together, ...memory.map(({ peakBytes }) => peakBytes));
  }
}
