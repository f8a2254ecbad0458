import { type ErrorCode, MigrationError } from "../../../core/error.ts";
import type { RecordedErrors, RecordedException } from "../../../core/journal.ts";
import type { TablePlan } from "../../../core/plan.ts";
import {
  passesOver,
  type RowErrorAction,
  type RowErrorLimit,
  type RowErrorPolicies,
} from "../../../core/row-errors.ts";
import { displayTable, tableKey } from "../../../core/schema.ts";
import type { ApplyRequest } from "../../../core/target.ts";

/** By the key of the target's table. `rows`: as recordedErrorsSql() asks for them. */
export function errorsByTable(
  rows: readonly (readonly (string | null)[])[],
): ReadonlyMap<string, RecordedErrors> {
  return new Map(
    rows.map(([schema, name, conflicts, refused, loaded]) => [
      tableKey({ schema: schema!, name: name! }),
      { conflicts: Number(conflicts), refused: Number(refused), loaded: Number(loaded) },
    ]),
  );
}

/** The same in the order of the plans, to count on from. */
export function recordedErrors(
  plans: readonly TablePlan[],
  rows: readonly (readonly (string | null)[])[],
): readonly ErrorTally[] {
  const found = errorsByTable(rows);
  return plans.map(({ target }) => {
    const { conflicts = 0, refused = 0 } = found.get(tableKey(target.id)) ?? {};
    return { conflicts, refused };
  });
}

/** How many records there are, by what they are about. */
export function tallyOf(exceptions: readonly RecordedException[]): ErrorTally {
  const tally: ErrorTally = { conflicts: 0, refused: 0 };
  for (const { conflicts, refused } of exceptions) {
    tally.conflicts += conflicts;
    tally.refused += refused;
  }
  return tally;
}

/** How many rows and changes of a table are passed over: what is recorded of it, and what is going to be. */
export interface ErrorTally {
  conflicts: number;
  refused: number;
}

export interface RowErrorsOptions {
  /** In the order of the plans. Others may count with the same; all start at nothing when left out. */
  readonly tallies?: readonly ErrorTally[];
  /** What a change counts as that found another row than it should; "conflicts" when left out. */
  readonly conflictsAre?: keyof ErrorTally;
}

/** In a load a row that is there already is refused like any other that a constraint stands against. */
export function loadPolicies(policies: RowErrorPolicies): RowErrorPolicies {
  const { refused, refusedLimit } = policies;
  return { ...policies, insertPresent: refused, conflictLimit: refusedLimit };
}

export interface RecordedOf {
  readonly plans: readonly TablePlan[];
  readonly policies: RowErrorPolicies;
}

/** An applier's. `recorded`: asks the target how much is recorded of the tables, in the order of the plans. */
export async function applyErrors(
  { rowErrors, plan, isOfLoad = false }: ApplyRequest,
  recorded: (of: RecordedOf) => Promise<readonly ErrorTally[]>,
): Promise<RowErrors | undefined> {
  if (rowErrors === undefined) return undefined;
  const plans = plan.tables;
  const policies = isOfLoad ? loadPolicies(rowErrors) : rowErrors;
  const tallies = await recorded({ plans, policies });
  return new RowErrors(plans, policies, { tallies, conflictsAre: isOfLoad ? "refused" : "conflicts" });
}

/** What a change ran into that found another row than it should. */
export type ConflictKind = "insertPresent" | "updateMissing" | "deleteMissing";

const CONFLICTS: Readonly<Record<ConflictKind, readonly [ErrorCode, said: string]>> = {
  insertPresent: ["apply.row_exists", "An insert found a row with its key on the target."],
  updateMissing: ["apply.row_missing", "An update did not find its row on the target."],
  deleteMissing: ["apply.row_missing", "A delete did not find its row on the target."],
};

/** Decides what is done about each row that does not go as it should, and counts them table by table. */
export class RowErrors {
  readonly policies: RowErrorPolicies;
  /** Rows that are refused are recorded elsewhere: none counts, and no limit ends the work on their table. */
  isUncounted = false;
  readonly #plans: readonly TablePlan[];
  /** By plan: all that counts. */
  readonly #tallies: readonly ErrorTally[];
  readonly #conflictsAre: keyof ErrorTally;
  /** By plan: what of that the transaction at work has added. */
  #open = new Map<number, ErrorTally>();

  constructor(
    plans: readonly TablePlan[],
    policies: RowErrorPolicies,
    { tallies = [], conflictsAre = "conflicts" }: RowErrorsOptions = {},
  ) {
    this.#plans = plans;
    this.policies = policies;
    this.#tallies = plans.map((_, plan) => tallies[plan] ?? { conflicts: 0, refused: 0 });
    this.#conflictsAre = conflictsAre;
  }

  /** Undefined when the change is passed over and recorded; else what ends the work on the table, or on all. */
  conflict(plan: number, kind: ConflictKind): MigrationError | undefined {
    const policy = this.policies[kind];
    const [code, message] = CONFLICTS[kind];
    // What overwrites and what inserts is applied so that it cannot meet this; what cannot is recorded.
    if (policy === "suspend-table" || policy === "stop-task")
      return this.#error(plan, policy, { code, message });
    this.#count(plan, this.#conflictsAre);
    return this.#beyond(plan, this.#conflictsAre, this.policies.conflictLimit);
  }

  /** Whether the log tells of a conflict that has been counted and is passed over. */
  tells(plan: number, kind: ConflictKind): boolean {
    const { [kind]: policy, conflictLimit } = this.policies;
    if (policy === "log") return true;
    return conflictLimit.action === "log" && this.#reaches(plan, this.#conflictsAre, conflictLimit.count);
  }

  /** What conflict() says, for a row that the target refuses. */
  refusal(plan: number, error: MigrationError): MigrationError | undefined {
    const { refused, refusedLimit } = this.policies;
    if (!passesOver(refused)) return this.#own(plan, error, refused);
    if (this.isUncounted) return undefined;
    this.#count(plan, "refused");
    return this.#beyond(plan, "refused", refusedLimit);
  }

  /** The transaction at work removes what is recorded of so many. */
  resolved(table: TablePlan, { conflicts, refused }: ErrorTally): void {
    const plan = this.#plans.findIndex(({ source }) => tableKey(source.id) === tableKey(table.source.id));
    this.#count(plan, "conflicts", -conflicts);
    this.#count(plan, "refused", -refused);
  }

  /** The transaction at work has committed. */
  committed(): void {
    this.#open.clear();
  }

  /** What it has added does not count any more. */
  takenBack(): void {
    this.#takeBackTo(new Map());
  }

  /** What takes back all that is counted from now on. */
  mark(): () => void {
    const before = new Map([...this.#open].map(([plan, tally]) => [plan, { ...tally }]));
    return () => this.#takeBackTo(before);
  }

  #count(plan: number, kind: keyof ErrorTally, rows = 1): void {
    let added = this.#open.get(plan);
    if (added === undefined) {
      added = { conflicts: 0, refused: 0 };
      this.#open.set(plan, added);
    }
    added[kind] += rows;
    this.#tallies[plan]![kind] += rows;
  }

  #takeBackTo(before: Map<number, ErrorTally>): void {
    for (const [plan, { conflicts, refused }] of this.#open) {
      const tally = this.#tallies[plan]!;
      const kept = before.get(plan);
      tally.conflicts -= conflicts - (kept?.conflicts ?? 0);
      tally.refused -= refused - (kept?.refused ?? 0);
    }
    this.#open = before;
  }

  #beyond(
    plan: number,
    kind: keyof ErrorTally,
    { count, action }: RowErrorLimit,
  ): MigrationError | undefined {
    if (passesOver(action) || !this.#reaches(plan, kind, count)) return undefined;
    const what = kind === "refused" ? "were refused by the target" : "found another row than they should";
    const message = `${count} rows or changes of the table ${what}, which is as many as the task allows.`;
    return this.#error(plan, action, { code: "apply.too_many_errors", message });
  }

  /** So many errors of one kind are there with those of earlier runs; 0 are never. */
  #reaches(plan: number, kind: keyof ErrorTally, count: number): boolean {
    return count > 0 && this.#tallies[plan]![kind] >= count;
  }

  #error(
    plan: number,
    action: RowErrorAction,
    { code, message }: { readonly code: ErrorCode; readonly message: string },
  ): MigrationError {
    const { id } = this.#plans[plan]!.source;
    return this.#own(
      plan,
      new MigrationError(code, { message, subject: displayTable(id), table: id }),
      action,
    );
  }

  #own(plan: number, error: MigrationError, action: RowErrorAction): MigrationError {
    const { id } = this.#plans[plan]!.source;
    const { table: _table, isOfRow: _isOfRow, ...rest } = error.toJSON();
    const details = { ...rest, subject: displayTable(id) };
    if (action !== "stop-task") return new MigrationError(error.code, { ...details, table: id });
    return new MigrationError("apply.stopped_by_policy", {
      ...details,
      message: `An error policy stops the task: ${error.message}`,
    });
  }
}
