/**
 * log, ignore: the row is passed over, and an exception says so (`awsdms_apply_exceptions`); for the first, the task's
 * log, too.
 */
export type RowErrorAction = "log" | "ignore" | "suspend-table" | "stop-task";

/** Whether a row is passed over. */
export function passesOver(action: string): action is "log" | "ignore" {
  return action === "log" || action === "ignore";
}

/** From so many exceptions of a table on, those of earlier runs included, another one leads to this. */
export interface RowErrorLimit {
  /** 0 for never. */
  readonly count: number;
  readonly action: RowErrorAction;
}

/** What is done about single rows that do not go into the target as they should. */
export interface RowErrorPolicies {
  /** The target takes everything but this row: a value does not fit, a constraint stands against it. */
  readonly refused: RowErrorAction;
  readonly refusedLimit: RowErrorLimit;
  /** overwrite: the row that is there gets the values of the source's. */
  readonly insertPresent: RowErrorAction | "overwrite";
  /** insert: the row comes, if the source has sent all of it. */
  readonly updateMissing: RowErrorAction | "insert";
  readonly deleteMissing: RowErrorAction;
  /** For changes that found another row than they should. */
  readonly conflictLimit: RowErrorLimit;
  /** Exceptions of changes hold all values that were sent, not the key alone. */
  readonly withValues: boolean;
}

/** Whether it matters how many exceptions a table has. */
export function hasLimits({ refusedLimit, conflictLimit }: RowErrorPolicies): boolean {
  return refusedLimit.count > 0 || conflictLimit.count > 0;
}
