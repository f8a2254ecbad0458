import type { TablePlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import type { ErrorTally } from "../apply/row-errors.ts";

/** A load's part in what is counted of its table. */
export interface LoadTally {
  /** `recorded`: asks the target how much earlier transactions have left there. */
  of(recorded: () => Promise<ErrorTally | undefined>): Promise<ErrorTally>;
  /** The load has ended, and what it had not committed does not count any more. */
  leave(): void;
}

interface Counted {
  loads: number;
  tally: ErrorTally | undefined;
}

/**
 * How many rows of each table are passed over by loads that write it beside each other: none of them sees in the target
 * what another one has not committed yet. The first of them begins with what is recorded there, and all others go on from
 * that, because none of them can have committed before it. When no load of a table is left the target knows it all.
 */
export class LoadTallies {
  readonly #tables = new Map<string, Counted>();

  enter({ target }: TablePlan): LoadTally {
    const key = tableKey(target.id);
    const counted = this.#tables.get(key) ?? { loads: 0, tally: undefined };
    this.#tables.set(key, counted);
    counted.loads++;
    let isLeft = false;
    return {
      of: async (recorded) => {
        if (counted.tally === undefined) {
          const found = await recorded();
          // Another load may have been faster, and have counted since.
          counted.tally ??= found ?? { conflicts: 0, refused: 0 };
        }
        return counted.tally;
      },
      leave: () => {
        if (isLeft) return;
        isLeft = true;
        if (--counted.loads === 0) this.#tables.delete(key);
      },
    };
  }
}
