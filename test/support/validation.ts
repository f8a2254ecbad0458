import type { Finding } from "../../src/core/finding.ts";
import {
  type DoneRepair,
  type FoundRepair,
  type RowDifference,
  runValidation,
  type TableValidation,
  type TargetCheck,
  type ValidationSpec,
} from "../../src/server/validate.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import type { TestSchema } from "../contract/database-kind.ts";
import { schemas, taskSpec } from "./task.ts";

export interface Validated {
  readonly repairs: readonly FoundRepair[];
  readonly repaired: readonly DoneRepair[];
  readonly differences: readonly RowDifference[];
  readonly tables: ReadonlyMap<string, TableValidation>;
  readonly checks: readonly TargetCheck[];
  readonly findings: readonly Finding[];
}

/** Compares what a task moves, and resolves with all that is told of it. Differences need no time to stay. */
export async function validated(
  { source, target, type, tableMappings, settings }: TaskSpec,
  options: Partial<ValidationSpec> = {},
): Promise<Validated> {
  const differences: RowDifference[] = [];
  const checks: TargetCheck[] = [];
  const findings: Finding[] = [];
  const tables = new Map<string, TableValidation>();
  const repairs: FoundRepair[] = [];
  const repaired: DoneRepair[] = [];
  const nothing = (): void => undefined;
  await runValidation(
    {
      ...{ source, target, type, tableMappings, settings, sessions: 2, withValues: false },
      ...{ sample: undefined, withTotals: false, settleMs: 0, ...options },
    },
    {
      ...{ planned: nothing, task: nothing, tasksUnread: nothing, compared: nothing, settling: nothing },
      repairFound: (found) => repairs.push(...found),
      repaired: (table) => repaired.push(table),
      comparesAgain: () => {
        differences.length = 0;
      },
      finding: (finding) => findings.push(finding),
      difference: (difference) => differences.push(difference),
      checked: (check) => checks.push(check),
      validated: (table) => tables.set(table.table.name, table),
    },
    new AbortController().signal,
  );
  return { differences, tables, checks, findings, repairs, repaired };
}

/** Compares what two schemas hold, under whatever names. */
export async function comparedSchemas(
  source: TestSchema,
  target: TestSchema,
  options: Partial<ValidationSpec> = {},
): Promise<Validated> {
  const spec = taskSpec({
    ...{ type: "full-load", source: source.endpoint, target: target.endpoint },
    ...{ tableMappings: schemas(source.name) },
    settings: JSON.stringify({ TargetMetadata: { TargetSchema: target.name } }),
  });
  return await validated(spec, options);
}

/** A difference in a line: `notes missing 17`, `notes different 4: word, pad`. */
export function differenceLine({ table, kind, key, rows, columns }: RowDifference): string {
  const row = key === undefined ? `${rows} of no key` : Object.values(key).join("/");
  return `${table.name} ${kind} ${row}${columns.length === 0 ? "" : `: ${columns.join(", ")}`}`;
}
