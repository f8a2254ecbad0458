import type { ChangeBatch } from "../../../core/change-batch.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { Cascades } from "./apply-cascades.ts";
import { Corrections } from "./apply-corrections.ts";
import type { ApplyCounts } from "./apply-counts.ts";
import { type ApplyGroup, type FoldedGroup, foldGroup, type GroupTables } from "./apply-group.ts";
import { Screen, type ScreenSession } from "./apply-screen.ts";
import { type Segment, Segments } from "./apply-segments.ts";
import { type ChangeOutlet, type ChangeVisitor, PlanIndex, walkPiece } from "./apply-walk.ts";
import type { FoldOptions } from "./net-changes.ts";

/** After sets of a table have failed, its changes are applied one by one for so many groups, doubled each time. */
const FIRST_PENALTY = 4;
const MAX_PENALTY = 1_024;

/** The session with the target. */
export interface GroupSession extends ChangeOutlet {
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
  /** It, or a stretch of it, was taken back, with all that was made in it. */
  rolledBack(): void;
}

interface Penalty {
  readonly until: number;
  readonly groups: number;
}

export interface GroupWriterParts {
  readonly session: GroupSession;
  /** Writes changes to the session one after the other. */
  readonly changes: ChangeVisitor;
  /** None where the order of changes between tables may matter, or the session cannot have them. */
  readonly sets: GroupSets | undefined;
  readonly cascades: Cascades;
  readonly plans: readonly TablePlan[];
  readonly counts: ApplyCounts;
  /** Where the target may refuse rows that are to be passed over. */
  readonly screens: ScreenSession | undefined;
}

/**
 * Applies a group within the transaction at work: tables that change much by the net effect of their
 * changes, the others change by change. Tables do not depend on each other: nothing on the target acts on
 * their rows while they are replicated. What foreign keys of the source have done by themselves comes in its place
 * among the changes. Where sets fail, the same changes are applied one by one.
 */
export class GroupWriter {
  readonly #session: GroupSession;
  readonly #changes: ChangeVisitor;
  readonly #sets: GroupSets | undefined;
  readonly #cascades: Cascades;
  readonly #index: PlanIndex;
  readonly #segments: Segments;
  readonly #penalties = new Map<number, Penalty>();
  readonly #tables: GroupTables;
  readonly #corrections: Corrections | undefined;
  readonly #screen: Screen | undefined;
  #groups = 0;

  constructor({ session, changes, sets, cascades, plans, counts, screens }: GroupWriterParts) {
    this.#session = session;
    this.#changes = changes;
    this.#sets = sets;
    this.#cascades = cascades;
    this.#index = new PlanIndex(plans);
    this.#corrections = Corrections.for(plans, counts.errors.policies);
    if (screens !== undefined) {
      this.#screen = new Screen({
        ...{ session: screens, changes, outlet: session, counts },
        ...{ corrections: this.#corrections, index: this.#index },
        tablesAreFree: sets !== undefined,
      });
    }
    const planOf = (batch: ChangeBatch): Int32Array => this.#index.of(batch);
    this.#segments = new Segments({ plans, keys: cascades.keys, planOf });
    this.#tables = {
      planOf,
      foldOptions: (plan) =>
        this.#groups < (this.#penalties.get(plan)?.until ?? 0) ? undefined : sets?.foldOptions(plan),
    };
  }

  /** Resolves when the target has carried out the whole group. */
  async write(group: ApplyGroup): Promise<void> {
    this.#groups++;
    let isAnswered = false;
    const segments = this.#segments.of(group);
    for (const segment of segments) {
      const isLast = segment === segments.at(-1) && segment.cascades.length === 0;
      isAnswered = await this.#writeSegment(segment, isLast && group.position !== undefined);
      for (const rows of segment.cascades) await this.#cascades.apply(rows);
      isAnswered &&= segment.cascades.length === 0;
    }
    // Else the round trip is saved: what sets leave unanswered cannot fail.
    if (!isAnswered) await this.#session.drain();
  }

  /** Resolves with whether the target has answered for every change. */
  async #writeSegment(segment: Segment, areWhole: boolean): Promise<boolean> {
    const { pieces } = segment;
    if (this.#screen === undefined || pieces.length === 0) return await this.#write(segment, () => true);
    await this.#screen.write({ pieces, areWhole }, async (isWanted) => {
      await this.#write(segment, isWanted);
    });
    return true;
  }

  /** The same for changes of some tables. */
  async #write(segment: Segment, isWanted: (plan: number) => boolean): Promise<boolean> {
    const sets = this.#sets;
    let folded = this.#fold(segment, isWanted);
    if (folded.leavesSome) {
      await this.#oneByOne(segment, (plan) => isWanted(plan) && !folded.tables.has(plan));
    }
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

  #fold(group: Segment, isWanted: (plan: number) => boolean): FoldedGroup {
    const sets = this.#sets;
    const first = group.pieces[0];
    if (sets === undefined || first === undefined || group.ops < sets.least) {
      return { sources: [], tables: new Map(), leavesSome: true };
    }
    sets.use(first.batch.encoding);
    const folded = foldGroup(group, this.#tables, sets.least);
    const tables = new Map([...folded.tables].filter(([plan]) => isWanted(plan)));
    return { ...folded, tables };
  }

  async #oneByOne(group: Segment, isWanted: (plan: number) => boolean): Promise<void> {
    for (const piece of group.pieces) {
      const planOf = this.#index.of(piece.batch);
      await walkPiece(piece, {
        ...{ planOf, isWanted, visitor: this.#changes, outlet: this.#session },
        corrections: this.#corrections,
      });
    }
  }

  #penalize(plan: number): void {
    const groups = Math.min(MAX_PENALTY, 2 * (this.#penalties.get(plan)?.groups ?? FIRST_PENALTY / 2));
    this.#penalties.set(plan, { until: this.#groups + groups, groups });
  }
}
