import { type ApplyGroup, type FoldedGroup, foldGroup, type GroupTables } from "../shared/apply-group.ts";
import type { ApplyChanges } from "./apply-changes.ts";
import type { ApplySession } from "./apply-session.ts";
import type { ApplySets } from "./apply-sets.ts";

/** From so many changes of one table on, sets cost less than single rows: they need some statements more. */
const LEAST_FOR_SETS = 64;
/** After sets of a table have failed, its changes are applied one by one for so many groups, doubled each time. */
const FIRST_PENALTY = 4;
const MAX_PENALTY = 1_024;

export interface GroupWriterParts {
  readonly session: ApplySession;
  readonly changes: ApplyChanges;
  /** undefined where the order of changes between tables may matter, or the session may not have temporary tables. */
  readonly sets: ApplySets | undefined;
}

interface Penalty {
  readonly until: number;
  readonly groups: number;
}

/**
 * Applies a group within the transaction at work: tables that change much by the net effect of their
 * changes, the others change by change. Tables do not depend on each other: nothing on the target acts on
 * their rows while they are replicated. Where sets fail, the same changes are applied one by one.
 */
export class GroupWriter {
  readonly #parts: GroupWriterParts;
  readonly #penalties = new Map<number, Penalty>();
  readonly #tables: GroupTables;
  #groups = 0;

  constructor(parts: GroupWriterParts) {
    this.#parts = parts;
    const { changes, sets } = parts;
    this.#tables = {
      planOf: (batch) => changes.planOf(batch),
      foldOptions: (plan) => {
        const stages =
          this.#groups < (this.#penalties.get(plan)?.until ?? 0) ? undefined : sets?.stages(plan);
        return stages?.foldOptions;
      },
    };
  }

  /** Resolves when the target has carried out the whole group. */
  async write(group: ApplyGroup): Promise<void> {
    const { session, sets } = this.#parts;
    this.#groups++;
    let folded = this.#fold(group);
    if (folded.leavesSome) await this.#oneByOne(group, (plan) => !folded.tables.has(plan));
    while (sets !== undefined && folded.tables.size > 0) {
      const failed = await sets.apply(folded);
      if (failed.size === 0) return;
      for (const plan of failed) this.#penalize(plan);
      await this.#oneByOne(group, (plan) => failed.has(plan));
      folded = { ...folded, tables: new Map([...folded.tables].filter(([plan]) => !failed.has(plan))) };
    }
    await session.drain();
  }

  /** The transaction at work has ended. */
  ended(): void {
    this.#parts.sets?.ended();
  }

  #fold(group: ApplyGroup): FoldedGroup {
    const { sets } = this.#parts;
    const first = group.pieces[0];
    if (sets === undefined || first === undefined || group.ops < LEAST_FOR_SETS) {
      return { sources: [], tables: new Map(), leavesSome: true };
    }
    sets.use(first.batch.encoding);
    return foldGroup(group, this.#tables, LEAST_FOR_SETS);
  }

  async #oneByOne(group: ApplyGroup, isWanted: (plan: number) => boolean): Promise<void> {
    for (const piece of group.pieces) await this.#parts.changes.write(piece, isWanted);
  }

  #penalize(plan: number): void {
    const groups = Math.min(MAX_PENALTY, 2 * (this.#penalties.get(plan)?.groups ?? FIRST_PENALTY / 2));
    this.#penalties.set(plan, { until: this.#groups + groups, groups });
  }
}
