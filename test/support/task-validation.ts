import type { TableProgress, TableValidationProgress, TaskProgress } from "../../src/task/task.ts";
import type { TestSchema } from "../contract/database-kind.ts";
import { becomesTrue } from "./eventually.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { TaskPair } from "./task-pair.ts";

/** Settings of a task that compares what it moves; its control tables stand beside the target's tables. */
export function validating(target: TestSchema, sections: Readonly<Record<string, object>> = {}): string {
  return JSON.stringify({
    TargetMetadata: { TargetSchema: target.name },
    ControlTablesSettings: { ControlSchema: target.name },
    ...sections,
    ValidationSettings: { EnableValidation: true, ThreadCount: 2, ...sections["ValidationSettings"] },
  });
}

/** How a table's validation is; by the name that the source has for the table. */
export function validationOf({ tables }: TaskProgress, name: string): TableValidationProgress | undefined {
  return tables.find(({ id }) => id.name === name)?.validation;
}

/** Whether all tables have been compared whole; rows that have changed since may wait. */
export function areWholeCompared({ tables }: TaskProgress): boolean {
  const isCompared = ({ validation }: TableProgress): boolean =>
    validation !== undefined &&
    validation.rowsCompared === undefined &&
    ["Validated", "Pending records", "Mismatched records"].includes(validation.state);
  return tables.length > 0 && tables.every(isCompared);
}

/** Whether nothing waits to be compared, and so many rows of tables differ: none of those that are not named. */
export function areCompared(
  { tables }: TaskProgress,
  failed: Readonly<Record<string, number>> = {},
): boolean {
  return (
    tables.length > 0 &&
    tables.every(({ id: { name }, validation }) => {
      const wanted = failed[name] ?? 0;
      const state = wanted === 0 ? "Validated" : "Mismatched records";
      return validation?.state === state && validation.failed === wanted && validation.pending === 0;
    })
  );
}

/** What the target has recorded of rows that differ: `item RECORD_DIFF r1/7 word`. */
export async function failuresOf(target: Pick<TestSchema, "rows">): Promise<readonly string[]> {
  const rows = await target.rows("select * from awsdms_validation_failures_v1");
  return rows
    .map(([, , table, , , key, kind, details]) => {
      const { key: values } = JSON.parse(key!) as { readonly key: readonly string[] };
      return [table, kind, values.join("/"), details].filter(Boolean).join(" ");
    })
    .sort();
}

/** The same of a pair whose control tables stand where they do by default. */
export function failuresIn(pair: TaskPair): Promise<readonly string[]> {
  return failuresOf({ rows: async (sql) => (await pair.queryTarget(sql)).map(Object.values) });
}

/** Keeps a table of the target from being read meanwhile; `someoneWaits` resolves once somebody wants to read it. */
export async function whileUnreadable(
  pair: TaskPair,
  table: string,
  meanwhile: (someoneWaits: () => Promise<void>) => Promise<void>,
): Promise<void> {
  await whileLocked(pair.servers.target, pair.to, table, meanwhile);
}

/** The same of any database of PostgreSQL. */
export async function whileLocked(
  server: PostgresServer,
  database: string,
  table: string,
  meanwhile: (someoneWaits: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const client = await server.connect(database);
  try {
    await client.query(`begin; lock table ${table} in access exclusive mode`);
    await meanwhile(() =>
      becomesTrue(
        server,
        database,
        `exists (select from pg_locks where relation = '${table}'::regclass and not granted)`,
      ),
    );
  } finally {
    await client.end();
  }
}
