import type { Finding } from "../../src/core/finding.ts";
import {
  type RowDifference,
  runValidation,
  type TableValidation,
  type TargetCheck,
  type ValidationSpec,
} from "../../src/server/validate.ts";
import type { TaskSpec } from "../../src/task/task.ts";

export interface Validated {
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
  const nothing = (): void => undefined;
  await runValidation(
    {
      ...{ source, target, type, tableMappings, settings, sessions: 2, withValues: false },
      ...{ sample: undefined, settleMs: 0, ...options },
    },
    {
      ...{ planned: nothing, task: nothing, tasksUnread: nothing, compared: nothing, settling: nothing },
      finding: (finding) => findings.push(finding),
      difference: (difference) => differences.push(difference),
      checked: (check) => checks.push(check),
      validated: (table) => tables.set(table.table.name, table),
    },
    new AbortController().signal,
  );
  return { differences, tables, checks, findings };
}

/** A difference in a line: `notes missing 17`, `notes different 4: word, pad`. */
export function differenceLine({ table, kind, key, rows, columns }: RowDifference): string {
  const row = key === undefined ? `${rows} of no key` : Object.values(key).join("/");
  return `${table.name} ${kind} ${row}${columns.length === 0 ? "" : `: ${columns.join(", ")}`}`;
}
