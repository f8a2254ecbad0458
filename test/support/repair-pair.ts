import assert from "node:assert/strict";
import type { RetryProgress } from "../../src/task/task.ts";
import { type RetryPair, retrySettings } from "./retry-pair.ts";
import type { ObservedTask } from "./task.ts";

/** Settings of a task that compares what it brings. */
export const repairSettings = (more: Record<string, unknown> = {}): string =>
  retrySettings({ ValidationSettings: { EnableValidation: true, ThreadCount: 2 }, ...more });

/** Of both sides. */
export const repairTables = `create table t (id int primary key, v varchar(40), n int);
  create table pair (a int, b varchar(40), v varchar(40), primary key (a, b));
  create table u (id int primary key, k int not null unique)`;
export const repairNames = ["t", "pair", "u"];

const ROWS = 700;

export function repairRows(): string {
  const rows = (row: (i: number) => string): string =>
    Array.from({ length: ROWS }, (_, i) => row(i + 1)).join(", ");
  return `insert into t values ${rows((i) => `(${i}, 'word ${i}', 0)`)};
    insert into pair values ${rows((i) => `(${i}, 'k''"{}ü ${i}', 'v')`)};
    insert into u values ${rows((i) => `(${i}, ${i})`)}`;
}

/** Rows 1 and 2 change their keys with each other, so that a change that is carried out once more, or not at all, shows. */
export function repairTransaction(i: number): string {
  const other = 3 + (i % 40);
  return `begin; update t set id = -1, n = ${i} where id = 1; update t set id = 1, n = ${i} where id = 2;
    update t set id = 2, n = ${i} where id = -1; update t set v = 'changed ${i}', n = ${i} where id = ${other};
    delete from t where id = ${10_000 + i - 30}; insert into t values (${10_000 + i}, 'new', ${i});
    update pair set v = 'v ${i}' where a = ${other}; commit`;
}

/** Damages rows of the target that are written and rows that are not: some go, some come, some become others. */
export function plant(pair: RetryPair): Promise<unknown> {
  const extra = Array.from({ length: 40 }, (_, i) => `(${5_000 + i}, 'stray', 1)`).join(", ");
  return pair.target(`delete from t where id in (1, 5) or id between 101 and 160;
    update t set v = 'other' where id in (2, 7) or id between 201 and 260; insert into t values ${extra};
    delete from pair where a between 301 and 310; update pair set v = 'other' where a between 11 and 320;
    insert into pair values (9000, 'x', 'y'); update u set id = id + 100000 where id <= 300`);
}

/** How many rows differ then, by the table. */
export const planted = { t: 164, pair: 311, u: 600 };

/** Asks for all tables to be compared anew. */
export function compareAnew(task: ObservedTask, number: number): void {
  const tables = task.last!.tables.map(({ id }) => ({ ...id, validateOnly: true, number }) as const);
  task.running.reloadTables(tables);
}

/** Resolves with what has become of a wish to repair. */
export async function repaired(
  task: ObservedTask,
  number: number,
  looksOnly = false,
): Promise<RetryProgress> {
  task.running.retryErrors({ number, tables: undefined, of: "differences", looksOnly });
  return await answered(task, number);
}

export async function answered(task: ObservedTask, number: number): Promise<RetryProgress> {
  await task.until(
    ({ retry }) => retry?.number === number && (retry.state === "done" || retry.state === "failed"),
  );
  const { retry } = task.last!;
  assert.equal(retry?.error, undefined);
  return retry!;
}

/** By the table's name: how many rows were recorded, are equal now, and are left. */
export function tallies({ tables }: RetryProgress): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    tables.map(({ id, recorded, settled, left }) => [id.name, [recorded, settled, left]]),
  );
}
