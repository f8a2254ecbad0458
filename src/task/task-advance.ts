import type { TaskProgress } from "./task.ts";

interface Mark {
  readonly rows: number;
  readonly checkpoint: string | undefined;
}

/**
 * Tells a task that gets somewhere from one that kills its worker at the same place again and again:
 * it advances when more rows have arrived than ever before, or its checkpoint has moved.
 */
export class TaskAdvance {
  readonly #marks = new Map<string, Mark>();

  advanced(arn: string, progress: TaskProgress): boolean {
    let rows = 0;
    for (const table of progress.tables) {
      rows += table.fullLoadRows + table.appliedInserts + table.appliedUpdates + table.appliedDeletes;
    }
    const checkpoint = progress.recoveryCheckpoint;
    const mark = this.#marks.get(arn);
    if (mark !== undefined && rows <= mark.rows && checkpoint === mark.checkpoint) return false;
    this.#marks.set(arn, { rows: Math.max(rows, mark?.rows ?? 0), checkpoint });
    return mark !== undefined;
  }

  forget(arn: string): void {
    this.#marks.delete(arn);
  }
}
