import type { MigrationError } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { tableKey } from "../../../core/schema.ts";
import type { Corrections } from "./apply-corrections.ts";
import type { ApplyCounts } from "./apply-counts.ts";
import { opsOfTransaction, type Piece } from "./apply-group.ts";
import { Stretches } from "./apply-stretches.ts";
import { type ChangeOutlet, type ChangeVisitor, type PlanIndex, walkPiece } from "./apply-walk.ts";
import { type ChangePlace, NO_PLACE } from "./change-ring.ts";

/** A row that the target has refused. */
export interface RefusedRow {
  readonly plan: number;
  readonly error: MigrationError;
}

/** Which plan's table the error of a row is about; throws the error when it is none's. */
export function planOf(error: MigrationError, plans: readonly TablePlan[]): number {
  const { table } = error;
  const plan = plans.findIndex(
    ({ source }) => table !== undefined && tableKey(source.id) === tableKey(table),
  );
  if (plan < 0) throw error;
  return plan;
}

/** A session that can go back to an earlier place of the transaction at work. Attempts may stand in each other. */
export interface ScreenSession {
  /** Whether the target may look at something only when a transaction ends, which then is refused as a whole. */
  readonly defers: boolean;
  /**
   * Writes something and waits until the target has carried it out. Resolves with the row that it refuses, after which
   * nothing of it has happened; undefined for none. Throws what is not a row's error. `looks`: what the target would look
   * at when the transaction ends, it looks at now.
   */
  attempt(write: () => Promise<void>, looks: boolean): Promise<RefusedRow | undefined>;
}

export interface ScreenParts {
  readonly session: ScreenSession;
  readonly changes: ChangeVisitor;
  /** What they are written to. */
  readonly outlet: ChangeOutlet;
  readonly counts: ApplyCounts;
  readonly corrections: Corrections | undefined;
  readonly index: PlanIndex;
  /** Whether changes of different tables may be applied in another order than the source's. */
  readonly tablesAreFree: boolean;
}

/** A change, and what is to be done with it. */
interface PlacedChange {
  readonly how: "exact" | "converge" | "restore";
  readonly plan: number;
  readonly place: ChangePlace;
}

export interface ScreenedChanges {
  readonly pieces: readonly Piece[];
  /** No transaction goes on after them. */
  readonly areWhole: boolean;
}

/**
 * Applies changes of which the target may refuse some, which are passed over and recorded. All are tried together
 * first; those of a table with a change that is refused are then tried again in stretches, down to single changes.
 *
 * What may hold only when a transaction ends is looked at when one of the source does. When the target refuses it then,
 * its changes are tried again, and it is looked at after each: so one is found that stands in the way, but also changes
 * are passed over that are fit only together with later ones.
 */
export class Screen {
  readonly #parts: ScreenParts;

  constructor(parts: ScreenParts) {
    this.#parts = parts;
  }

  /** `writeSome` writes the changes of some tables, as if none of them could be refused. */
  async write(
    changes: ScreenedChanges,
    writeSome: (isWanted: (plan: number) => boolean) => Promise<void>,
  ): Promise<void> {
    const { session, tablesAreFree } = this.#parts;
    const refusing = new Set<number>();
    for (;;) {
      const write = (): Promise<void> => writeSome((plan) => !refusing.has(plan));
      const refused = await session.attempt(write, session.defers && changes.areWhole);
      if (refused === undefined) break;
      // A table whose changes were not among them is refused for those of others.
      if (!tablesAreFree || refusing.has(refused.plan)) return await this.#oneByOne(changes, () => true);
      refusing.add(refused.plan);
    }
    if (refusing.size > 0) await this.#oneByOne(changes, (plan) => refusing.has(plan));
  }

  async #oneByOne(changes: ScreenedChanges, isWanted: (plan: number) => boolean): Promise<void> {
    const { session } = this.#parts;
    if (!session.defers) return await this.#each(changes.pieces, { isWanted, looks: false });
    for (const { pieces, areWhole } of transactionsOf(changes)) {
      const write = (): Promise<void> => this.#each(pieces, { isWanted, looks: false });
      if (!areWhole) await write();
      else if ((await session.attempt(write, true)) !== undefined) {
        await this.#each(pieces, { isWanted, looks: true });
      }
    }
  }

  /** `looks`: at each change by itself, so that one is passed over that is fit only together with later ones. */
  async #each(
    pieces: readonly Piece[],
    { isWanted, looks }: { readonly isWanted: (plan: number) => boolean; readonly looks: boolean },
  ): Promise<void> {
    const { session, changes, counts, corrections, index } = this.#parts;
    const stretches = new Stretches<PlacedChange>({
      alone: looks,
      attempt: async (some) => (await session.attempt(() => this.#writeAll(some), looks))?.error,
      refused: ({ plan, place }, refused) => {
        const error = counts.refused(plan, place, refused);
        if (error !== undefined) throw error;
      },
    });
    let batch = NO_PLACE.batch;
    let next: PlacedChange | undefined;
    const visit =
      (how: PlacedChange["how"]): ChangeVisitor["exact"] =>
      (plan, _ops, at) => {
        next = { how, plan, place: { batch, at } };
      };
    const visitor: ChangeVisitor = {
      use: (following) => {
        batch = following;
      },
      exact: visit("exact"),
      converge: visit("converge"),
      restore: visit("restore"),
      truncate: async (plans) => {
        await stretches.flush();
        await changes.truncate(plans);
      },
    };
    const gathering = { full: true, push: () => stretches.add(next!) };
    for (const piece of pieces) {
      const planOf = index.of(piece.batch);
      await walkPiece(piece, { planOf, visitor, corrections, outlet: gathering, isWanted });
    }
    await stretches.flush();
  }

  async #writeAll(some: readonly PlacedChange[]): Promise<void> {
    const { changes, outlet } = this.#parts;
    for (const { how, plan, place } of some) {
      changes.use(place.batch);
      changes[how](plan, place.batch.ops, place.at);
      if (outlet.full) await outlet.push();
    }
  }
}

/** The changes transaction by transaction. */
function* transactionsOf({ pieces, areWhole }: ScreenedChanges): Generator<ScreenedChanges> {
  let open: Piece[] = [];
  for (const piece of pieces) {
    for (let from = piece.from; from < piece.to; from++) {
      const { start, end } = opsOfTransaction(piece, from);
      open.push({ ...piece, from, to: from + 1, start, end });
      const transaction = piece.batch.transactions[from]!;
      if (!transaction.commits || end < transaction.end) continue;
      yield { pieces: open, areWhole: true };
      open = [];
    }
  }
  if (open.length > 0) yield { pieces: open, areWhole };
}
