import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Cascades } from "./apply-cascades.ts";
import { type ApplyGroup, type FoldedGroup, foldGroup, type GroupTables, type Piece } from "./apply-group.ts";
import { type Segment, Segments } from "./apply-segments.ts";
import type { FoldOptions } from "./net-changes.ts";

/** After sets of a table have failed, its changes are applied one by one for so many groups, doubled each time. */
const FIRST_PENALTY = 4;
const MAX_PENALTY = 1_024;

/** Applies changes one after the other. */
export interface GroupChanges {
  /** For each table of a batch the index of its plan; -1 for one that is in no plan. */
  planOf(batch: ChangeBatch): Int32Array;
  /** Writes the ops of a piece, but for those of plans that are not `wanted`. */
  write(piece: Piece, isWanted: (plan: number) => boolean): Promise<void>;
  /** Resolves when the target has carried out all that was written; throws what stands against it. */
  drain(): Promise<void>;
}

/** Applies net changes as sets. */
export interface GroupSets {
  /** From so many changes of one table on, sets cost less than single changes. */
  readonly least: number;
  /** How the cells of the groups that follow are written. */
  use(encoding: ChangeBatch["encoding"]): void;
  /** How a table's changes are to be folded; undefined when they must be applied one by one. */
  foldOptions(plan: number): FoldOptions | undefined;
  /**
   * Applies the tables' net changes within the transaction at work. Resolves with the tables for which
   * that failed; then nothing of any table has happened.
   */
  apply(folded: FoldedGroup): Promise<ReadonlySet<number>>;
  /** The transaction at work has ended. */
  ended(): void;
  /** It has ended by being taken back, with all that was made in it. */
  rolledBack(): void;
}

interface Penalty {
  readonly until: number;
  readonly groups: number;
}

export interface GroupWriterParts {
  readonly changes: GroupChanges;
  /** None where the order of changes between tables may matter, or the session cannot have them. */
  readonly sets: GroupSets | undefined;
  readonly cascades: Cascades;
  readonly plans: readonly TablePlan[];
}

/**
 * Applies a group within the transaction at work: tables that change much by the net effect of their
 * changes, the others change by change. Tables do not depend on each other: nothing on the target acts on
 * their rows while they are replicated. What foreign keys of the source have done by themselves comes in its place
 * among the changes. Where sets fail, the same changes are applied one by one.
 */
export class GroupWriter {
  readonly #changes: GroupChanges;
  readonly #sets: GroupSets | undefined;
  readonly #cascades: Cascades;
  readonly #segments: Segments;
  readonly #penalties = new Map<number, Penalty>();
  readonly #tables: GroupTables;
  #groups = 0;

  constructor({ changes, sets, cascades, plans }: GroupWriterParts) {
    this.#changes = changes;
    this.#sets = sets;
    this.#cascades = cascades;
    this.#segments = new Segments({ plans, keys: cascades.keys, planOf: (batch) => changes.planOf(batch) });
    this.#tables = {
      planOf: (batch) => changes.planOf(batch),
      foldOptions: (plan) =>
        this.#groups < (this.#penalties.get(plan)?.until ?? 0) ? undefined : sets?.foldOptions(plan),
    };
  }

  /** Resolves when the target has carried out the whole group. */
  async write(group: ApplyGroup): Promise<void> {
    this.#groups++;
    let isAnswered = false;
    for (const segment of this.#segments.of(group)) {
      isAnswered = await this.#write(segment);
      for (const rows of segment.cascades) await this.#cascades.apply(rows);
      isAnswered &&= segment.cascades.length === 0;
    }
    // Else the round trip is saved: what sets leave unanswered cannot fail.
    if (!isAnswered) await this.#changes.drain();
  }

  /** Resolves with whether the target has answered for every change. */
  async #write(segment: Segment): Promise<boolean> {
    const sets = this.#sets;
    let folded = this.#fold(segment);
    if (folded.leavesSome) await this.#oneByOne(segment, (plan) => !folded.tables.has(plan));
    while (sets !== undefined && folded.tables.size > 0) {
      const failed = await sets.apply(folded);
      if (failed.size === 0) return true;
      for (const plan of failed) this.#penalize(plan);
      await this.#oneByOne(segment, (plan) => failed.has(plan));
      folded = { ...folded, tables: new Map([...folded.tables].filter(([plan]) => !failed.has(plan))) };
    }
    return false;
  }

  /** The transaction at work has ended. */
  ended(): void {
    this.#sets?.ended();
  }

  /** It has ended by being taken back. */
  rolledBack(): void {
    this.#sets?.rolledBack();
  }

  #fold(group: Segment): FoldedGroup {
    const sets = this.#sets;
    const first = group.pieces[0];
    if (sets === undefined || first === undefined || group.ops < sets.least) {
      return { sources: [], tables: new Map(), leavesSome: true };
    }
    sets.use(first.batch.encoding);
    return foldGroup(group, this.#tables, sets.least);
  }

  async #oneByOne(group: Segment, isWanted: (plan: number) => boolean): Promise<void> {
    for (const piece of group.pieces) await this.#changes.write(piece, isWanted);
  }

  #penalize(plan: number): void {
    const groups = Math.min(MAX_PENALTY, 2 * (this.#penalties.get(plan)?.groups ?? FIRST_PENALTY / 2));
    this.#penalties.set(plan, { until: this.#groups + groups, groups });
  }
}
