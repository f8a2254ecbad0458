import type { AuditQuestion } from "../../core/audit.ts";
import type { MigrationPlan, TablePlan } from "../../core/plan.ts";
import { type ForeignKey, type TableId, type TableSchema, tableKey } from "../../core/schema.ts";
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
  const { plan, targets, observer } = request;
  for (const table of plan.tables) {
    const there = targets.get(tableKey(table.target.id));
    if (there === undefined) continue;
    for (const check of [...parentChecks(table, { there, targets }), ...uniqueChecks(table, there)]) {
      observer.checked(await checked(request, table.source.id, check));
    }
  }
  for (const check of await sequenceChecks(request)) observer.checked(check);
}

/** How often rows that are missing are looked for again: others may be on their way. */
const TRIES = 3;

interface Check {
  readonly what: string;
  readonly question: Exclude<AuditQuestion, { readonly kind: "largest" }>;
}

async function checked(
  { target, places, signal }: Reconciliation,
  table: TableId,
  { what, question }: Check,
): Promise<TargetCheck> {
  let found = 0n;
  for (let left = TRIES; left > 0; left--) {
    found = (await target.audit(question, signal)) ?? 0n;
    if (found === 0n) break;
    if (left > 1) await places.of(table).passed(signal);
  }
  return { table, kind: question.kind, what, found: Number(found), isGood: found === 0n };
}

interface Targets {
  readonly there: TableSchema;
  readonly targets: Reconciliation["targets"];
}

function parentChecks({ target }: TablePlan, { there, targets }: Targets): readonly Check[] {
  const has = new Set(there.columns.map(({ name }) => name));
  return target.foreignKeys
    .filter(({ columns, period }) => period === undefined && columns.every((column) => has.has(column)))
    .filter((key) => targets.has(tableKey(key.references)) && !there.foreignKeys.some(isSame(key)))
    .map(({ name, columns, references, referencedColumns }) => ({
      what: `the foreign key ${name}`,
      question: { kind: "without-parent", table: there.id, columns, references, referencedColumns },
    }));
}

function isSame(key: ForeignKey): (other: ForeignKey) => boolean {
  const text = ({ columns, references, referencedColumns }: ForeignKey): string =>
    JSON.stringify([columns, references.schema, references.name, referencedColumns]);
  return (other) => other.validated && text(other) === text(key);
}

function uniqueChecks({ target }: TablePlan, there: TableSchema): readonly Check[] {
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
    return [{ what: `the unique index ${name}`, question: { kind: "repeated", table: there.id, columns } }];
  });
}

/** A sequence stands behind its column while a task brings changes: it is set when the task is drained. */
async function sequenceChecks({
  target,
  plan,
  targets,
  places,
  signal,
}: Reconciliation): Promise<readonly TargetCheck[]> {
  const owned = plan.sequences.flatMap(({ target: { id, ownedBy, native } }) => {
    const countsDown = /\bincrement\s+(?:by\s+)?-/i.test(native);
    if (ownedBy === undefined || countsDown || !targets.has(tableKey(ownedBy.table))) return [];
    return [{ id, ownedBy }];
  });
  if (owned.length === 0) return [];
  const states = await target.sequenceStates(
    owned.map(({ id }) => id),
    signal,
  );
  const stands = new Map(states.map((state) => [tableKey(state.id), state]));
  const checks: TargetCheck[] = [];
  for (const { id, ownedBy } of owned) {
    const state = stands.get(tableKey(id));
    if (state === undefined) continue;
    const largest = await target.audit({ kind: "largest", ...ownedBy }, signal);
    const next = BigInt(state.last) + (state.isCalled ? 1n : 0n);
    const isBehind = largest !== undefined && next <= largest;
    const table = plan.tables.find((one) => tableKey(one.target.id) === tableKey(ownedBy.table))!.source.id;
    checks.push({
      ...{ table, kind: "sequence", what: `the sequence ${id.schema}.${id.name}`, found: isBehind ? 1 : 0 },
      isGood: !isBehind,
      ...(isBehind && places.all.length > 0 ? { isUnderWay: true } : {}),
    });
  }
  return checks;
}
