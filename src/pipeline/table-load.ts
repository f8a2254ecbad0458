import type { PlannedTable } from "../core/journal.ts";
import { holdsInAnySnapshot, type Partition } from "../core/source.ts";
import type { LoadedTable } from "./table-finisher.ts";

/** What is left to do for one table. */
export interface TableLoad extends LoadedTable {
  /** The table held rows before the task that must stay. */
  readonly keepsRows: boolean;
  /** Partitions still to be read; undefined when the table has not been cut yet. */
  readonly partitions: readonly Partition[] | undefined;
  /** An earlier attempt has begun to read the table and did not come to its end. */
  readonly interrupted: boolean;
}

/** What the journal is to say of a table of which nothing is read yet. */
export function uncut({ plan, created, keepsRows }: TableLoad, state: "planned" | "prepared"): PlannedTable {
  const { id, shape } = plan.source;
  return {
    ...{ id, created, keepsRows, state, shape },
    ...{ clears: plan.target.id, snapshot: undefined, partitions: [] },
  };
}

/**
 * What is read by one scan is read all over again after an interruption. A table that was interrupted once
 * may be every time, so it is read in ranges from then on, each of which stays done. One whose rows must
 * stay cannot be emptied to be read again.
 */
export function mayShare({ interrupted, keepsRows }: TableLoad): boolean {
  return !interrupted && !keepsRows;
}

/**
 * Partitions that mean nothing in another snapshot: after a crash such a table is emptied and read again.
 * Where rows must stay that cannot be done, so the table is one transaction. Nor can rows without a key
 * be told from those that must stay.
 */
export function mustBeWhole({ plan, keepsRows }: TableLoad, partitions: readonly Partition[]): boolean {
  return keepsRows && (plan.source.key.length === 0 || !partitions.every(holdsInAnySnapshot));
}
