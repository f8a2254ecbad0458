import type { AuditQuestion } from "../../core/audit.ts";
import { asMigrationError } from "../../core/error.ts";
import type { MigrationPlan, TablePlan } from "../../core/plan.ts";
import {
  type Column,
  type ForeignKey,
  type Sequence,
  type TableId,
  type TableSchema,
  tableKey,
} from "../../core/schema.ts";
import type { Source } from "../../core/source.ts";
import type { TargetPlaces } from "./validate.ts";
import type { TargetCheck, ValidationObserver } from "./validation-observer.ts";

export interface Reconciliation {
  /** The target's database, opened as one that is read. */
  readonly target: Source;
  readonly plan: MigrationPlan;
  /** What the target really has of the plan's tables, by key (see tableKey, target id). */
  readonly targets: ReadonlyMap<string, TableSchema>;
  readonly places: TargetPlaces;
  readonly observer: ValidationObserver;
  readonly signal: AbortSignal;
}

/**
 * Looks on the target for what rows that are all there may lack together: parents of foreign keys and uniqueness that the
 * source guarantees and no constraint of the target does, and sequences that would give out what is there.
 */
export async function reconcile(request: Reconciliation): Promise<void> {
  const { plan, targets } = request;
  for (const table of plan.tables) {
    const there = targets.get(tableKey(table.target.id));
    if (there === undefined) continue;
    for (const check of [...parentChecks(table, { there, targets }), ...uniqueChecks(table, there)]) {
      await tell(request, check);
    }
  }
  for (const check of sequenceChecks(request)) await tell(request, check);
}

interface Check extends Pick<TargetCheck, "table" | "kind" | "what"> {
  /** Undefined where there is nothing to be looked at. */
  ask(request: Reconciliation): Promise<Answer | undefined>;
}

type Answer = Pick<TargetCheck, "found" | "isUnderWay">;

/** The comparison that went before may have taken hours: an error is told, and does not take its results away. */
async function tell(request: Reconciliation, { ask, ...check }: Check): Promise<void> {
  const { observer, signal } = request;
  try {
    const answer = await ask(request);
    if (answer !== undefined) observer.checked({ ...check, ...answer, isGood: answer.found === 0 });
  } catch (error) {
    signal.throwIfAborted();
    observer.checked({ ...check, found: 0, isGood: false, error: asMigrationError(error) });
  }
}

/** How often rows that are missing are looked for again: others may be on their way. */
const TRIES = 3;

type RowQuestion = Exclude<AuditQuestion, { readonly kind: "largest" }>;

function rowCheck(table: TableId, what: string, question: RowQuestion): Check {
  const { kind } = question;
  return {
    ...{ table, kind, what },
    ask: async ({ target, places, signal }) => {
      let found = 0n;
      for (let left = TRIES; left > 0; left--) {
        found = (await target.audit(question, signal)) ?? 0n;
        if (found === 0n) break;
        if (left > 1) await places.of(table).passed(signal);
      }
      return { found: Number(found) };
    },
  };
}

interface Targets {
  readonly there: TableSchema;
  readonly targets: Reconciliation["targets"];
}

function parentChecks({ source, target }: TablePlan, { there, targets }: Targets): readonly Check[] {
  const has = new Set(there.columns.map(({ name }) => name));
  const isThere = ({ references, referencedColumns }: ForeignKey): boolean => {
    const columns = targets.get(tableKey(references))?.columns.map(({ name }) => name);
    return columns !== undefined && referencedColumns.every((column) => columns.includes(column));
  };
  return target.foreignKeys
    .filter(({ columns, period }) => period === undefined && columns.every((column) => has.has(column)))
    .filter((key) => isThere(key) && !there.foreignKeys.some(isSame(key)))
    .map(({ name, columns, references, referencedColumns }) =>
      rowCheck(source.id, `the foreign key ${name}`, {
        ...{ kind: "without-parent", table: there.id, columns, references, referencedColumns },
      }),
    );
}

function isSame(key: ForeignKey): (other: ForeignKey) => boolean {
  const text = ({ columns, references, referencedColumns }: ForeignKey): string =>
    JSON.stringify([columns, references.schema, references.name, referencedColumns]);
  return (other) => other.validated && text(other) === text(key);
}

function uniqueChecks({ source, target }: TablePlan, there: TableSchema): readonly Check[] {
  const has = new Set(there.columns.map(({ name }) => name));
  const guaranteed = there.indexes
    .filter(({ unique, columns }) => unique && columns !== undefined)
    .map(({ columns }) => new Set(columns));
  return target.indexes.flatMap(({ name, unique, columns, native }): Check[] => {
    // One of an expression, or of some rows only, says nothing about columns.
    if (!unique || columns === undefined || /\bwhere\b/i.test(native)) return [];
    if (!columns.every((column) => has.has(column))) return [];
    const own = new Set(columns);
    if (guaranteed.some((some) => some.isSubsetOf(own))) return [];
    return [rowCheck(source.id, `the unique index ${name}`, { kind: "repeated", table: there.id, columns })];
  });
}

/** Sequences that belong to a column of whole numbers, and count upwards. */
function sequenceChecks({ plan, targets }: Reconciliation): readonly Check[] {
  return plan.sequences.flatMap(({ target: { id, ownedBy, native } }): Check[] => {
    if (ownedBy === undefined || /\bincrement\s+(?:by\s+)?-/i.test(native)) return [];
    const key = tableKey(ownedBy.table);
    const table = plan.tables.find((one) => tableKey(one.target.id) === key);
    const column = targets.get(key)?.columns.find(({ name }) => name === ownedBy.column);
    if (table === undefined || column === undefined || !isWhole(column)) return [];
    const what = `the sequence ${id.schema}.${id.name}`;
    return [
      {
        table: table.source.id,
        kind: "sequence",
        what,
        ask: (request) => isBehind(request, { id, ownedBy }),
      },
    ];
  });
}

function isWhole({ type }: Column): boolean {
  return type.kind === "int" || (type.kind === "decimal" && type.scale === 0);
}

type OwnedSequence = Pick<Sequence, "id"> & { readonly ownedBy: NonNullable<Sequence["ownedBy"]> };

/** A sequence stands behind its column while a task brings changes: it is set when the task is drained. */
async function isBehind(
  { target, places, signal }: Reconciliation,
  { id, ownedBy }: OwnedSequence,
): Promise<Answer | undefined> {
  const [state] = await target.sequenceStates([id], signal);
  if (state === undefined) return undefined;
  const largest = await target.audit({ kind: "largest", ...ownedBy }, signal);
  if (largest === undefined || BigInt(state.last) + (state.isCalled ? 1n : 0n) > largest) return { found: 0 };
  return { found: 1, ...(places.all.some(({ isFollowed }) => isFollowed) ? { isUnderWay: true } : {}) };
}
