import { tmpdir } from "node:os";
import { failpoint } from "../base/failpoint.ts";
import { asMigrationError, type MigrationError } from "../core/error.ts";
import type { TablePlan } from "../core/plan.ts";
import type { RowRepair } from "../core/row-repair.ts";
import { displayTable, type TableId, tableKey } from "../core/schema.ts";
import type { Target } from "../core/target.ts";
import type { Repairs } from "../pipeline/validation/repair-rows.ts";
import {
  REPAIR_KINDS,
  type RepairCounts,
  type RepairKind,
  RepairScript,
} from "../pipeline/validation/repair-script.ts";
import type { TableValidation } from "../pipeline/validation/validation-observer.ts";

/**
 * What is to become of the statements that make the target's rows those of the source: they are counted alone, carried out, or
 * written where somebody may read them. `directory`: of the file that they go to.
 */
export type RepairWish =
  | { readonly kind: "count" | "apply" }
  | {
      readonly kind: "file";
      readonly directory: string;
      /** Lines that say what this is, for the file's head. */
      readonly head: readonly string[];
      readonly write: (bytes: string | Uint8Array) => void;
    };

/** What would repair a table. */
export interface FoundRepair {
  readonly table: TableId;
  readonly target: TableId;
  readonly rows: RepairCounts;
  /** What acts beside it, and what it leaves as it is, in sentences. */
  readonly remarks: readonly string[];
}

/** What has become of it. */
export interface DoneRepair {
  readonly table: TableId;
  readonly target: TableId;
  /** Statements that were carried out, by what the target says to others. */
  readonly done: number;
  readonly refused: number;
  /** What the target has said of those, without values. */
  readonly errors: readonly MigrationError[];
}

/** The statements that repair the tables of a plan. */
export class Repair implements AsyncDisposable, Repairs {
  readonly writer: RowRepair;
  readonly script: RepairScript;
  readonly #plans: readonly TablePlan[];
  readonly #compared = new Map<string, TableValidation>();

  private constructor(writer: RowRepair, script: RepairScript, plans: readonly TablePlan[]) {
    this.writer = writer;
    this.script = script;
    this.#plans = parentsFirst(plans);
  }

  /** `plans`: of all tables. `present`: those of them that the target has. */
  static async open(
    target: Target,
    {
      wish,
      plans,
      present,
    }: {
      readonly wish: RepairWish;
      readonly plans: readonly TablePlan[];
      readonly present: readonly TablePlan[];
    },
    signal: AbortSignal,
  ): Promise<Repair> {
    const script = new RepairScript(wish.kind === "file" ? wish.directory : tmpdir());
    try {
      return new Repair(await target.openRepair(present, signal), script, plans);
    } catch (error) {
      script[Symbol.dispose]();
      throw error;
    }
  }

  compared(table: TableValidation): void {
    this.#compared.set(tableKey(table.table), table);
  }

  /** Of the tables that are not as they should be. */
  found(): readonly FoundRepair[] {
    return this.#plans.flatMap((plan) => {
      const rows = this.script.counts(tableKey(plan.source.id));
      const left = this.#leftOf(plan, rows);
      const hasRows = totalOf(rows) > 0;
      if (!hasRows && left.length === 0) return [];
      const slow = this.#isLookedForLong(plan, rows) ? [LOOKED_FOR_LONG] : [];
      const remarks = [...(hasRows ? this.writer.remarks(plan) : []), ...slow, ...left];
      return [{ table: plan.source.id, target: plan.target.id, rows, remarks }];
    });
  }

  /** Writes all statements, with what somebody needs to know who carries them out. */
  write({ head, write }: Extract<RepairWish, { readonly kind: "file" }>): void {
    const { client, settings, begin } = this.writer;
    const comment = (line: string): void => write(`-- ${onOneLine(line)}\n`);
    for (const line of head) comment(line);
    comment("It holds values of rows. Each transaction stands for itself. To carry it out:");
    comment(client);
    write(`\n${settings.map((setting) => `${setting};\n`).join("")}`);
    for (const { table, target, rows, remarks } of this.found()) {
      write("\n");
      const { insert, update, delete: gone } = rows;
      comment(`${nameOf(table, target)}: rows to insert ${insert}, to update ${update}, to delete ${gone}`);
      for (const remark of remarks) comment(remark);
    }
    for (const { plan, kind, statements } of this.#transactions()) {
      write(`\n-- ${onOneLine(`${nameOf(plan.source.id, plan.target.id)}: ${kind}`)}\n${begin};\n`);
      for (const statement of statements) {
        write(statement);
        write(";\n");
      }
      write("commit;\n");
    }
  }

  /** Carries all statements out. What the target refuses is passed over, and told. */
  async apply(repaired: (table: DoneRepair) => void, signal: AbortSignal): Promise<readonly TablePlan[]> {
    const outcomes = new Map<TablePlan, Outcome>();
    for (const { plan, statements } of this.#transactions()) {
      signal.throwIfAborted();
      const outcome = outcomes.get(plan) ?? new Outcome();
      outcomes.set(plan, outcome);
      await this.#carryOut(plan, statements, outcome);
    }
    for (const [{ source, target }, outcome] of outcomes)
      repaired({ table: source.id, target: target.id, ...outcome.all() });
    return [...outcomes.keys()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.script[Symbol.dispose]();
    await this.writer[Symbol.asyncDispose]();
  }

  async #carryOut(plan: TablePlan, statements: readonly Buffer[], outcome: Outcome): Promise<void> {
    try {
      await this.writer.run(plan, statements);
      failpoint("repair.committed");
      outcome.done += statements.length;
    } catch (error) {
      const failed = asMigrationError(error);
      if (failed.scope !== "record" && failed.scope !== "table") throw error;
      if (statements.length === 1) return outcome.refuse(failed);
      for (const statement of statements) await this.#carryOut(plan, [statement], outcome);
    }
  }

  /** Rows go before others come; those that refer to others go first, and come last. */
  *#transactions(): Generator<{
    readonly plan: TablePlan;
    readonly kind: RepairKind;
    readonly statements: readonly Buffer[];
  }> {
    for (const kind of REPAIR_KINDS) {
      for (const plan of kind === "delete" ? this.#plans.toReversed() : this.#plans) {
        for (const statements of this.script.groups(tableKey(plan.source.id), kind))
          yield { plan, kind, statements };
      }
    }
  }

  /** For each row without a key that goes the target reads its table until it has found one. */
  #isLookedForLong({ source }: TablePlan, rows: RepairCounts): boolean {
    const there = this.#compared.get(tableKey(source.id))?.rows.target ?? 0;
    return source.key.length === 0 && rows.delete * there >= MOST_LOOKS;
  }

  /** What no statement repairs. */
  #leftOf({ source }: TablePlan, rows: RepairCounts): readonly string[] {
    const compared = this.#compared.get(tableKey(source.id));
    if (compared === undefined) return [];
    const { verdict, missing, extra, different, undecided, missingColumns } = compared;
    if (verdict === "missing") return ["Not repaired: the target has no such table. Load it by a task."];
    if (verdict === "not-compared" || verdict === "failed")
      return ["Not repaired: the comparison of its rows did not come to an end."];
    const left = undecided + Math.max(0, missing + extra + different - totalOf(rows));
    return [
      ...missingColumns.map((name) => `Not repaired: the target lacks the column ${name}.`),
      ...(left > 0 ? [`Not repaired: rows that were written all the time, ${left}.`] : []),
    ];
  }
}

/** Rows that the target would look at: a server takes some minutes. */
const MOST_LOOKS = 1_000_000_000;
const LOOKED_FOR_LONG =
  "Its rows have no key, so each that goes is looked for by reading the table: to load it again takes less time.";

class Outcome {
  done = 0;
  #refused = 0;
  /** By code and the server's own. */
  readonly #errors = new Map<string, MigrationError>();

  refuse(error: MigrationError): void {
    this.#refused++;
    this.#errors.set(`${error.code} ${error.nativeCode}`, error);
  }

  all(): Pick<DoneRepair, "done" | "refused" | "errors"> {
    return { done: this.done, refused: this.#refused, errors: [...this.#errors.values()] };
  }
}

function totalOf({ insert, update, delete: gone }: RepairCounts): number {
  return insert + update + gone;
}

function nameOf(table: TableId, target: TableId): string {
  const names = [displayTable(table), displayTable(target)];
  return names[0] === names[1] ? names[0]! : names.join(" as ");
}

/** Names may hold anything. */
function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?");
}

/** Tables after those that they refer to, as far as these do not refer to each other in a circle. */
function parentsFirst(plans: readonly TablePlan[]): readonly TablePlan[] {
  const byTarget = new Map(plans.map((plan) => [tableKey(plan.target.id), plan]));
  const ordered = new Set<TablePlan>();
  const begun = new Set<TablePlan>();
  const add = (plan: TablePlan): void => {
    if (begun.has(plan)) return;
    begun.add(plan);
    for (const { references } of plan.target.foreignKeys) {
      const parent = byTarget.get(tableKey(references));
      if (parent !== undefined) add(parent);
    }
    ordered.add(plan);
  };
  for (const plan of plans) add(plan);
  return [...ordered];
}
