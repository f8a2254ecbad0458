import assert from "node:assert/strict";
import { afterEach } from "node:test";
import type { TaskOutcome, TaskProgress } from "../../src/task/task.ts";
import type { ServerPair } from "./server-pair.ts";
import type { ObservedTask } from "./task.ts";
import { TaskPair, type TaskParts } from "./task-pair.ts";

/** Tables of several kinds, whose shapes are then changed. */
export const NOTED_SCHEMA = `create schema app;
  create type app.mood as enum ('sad', 'glad');
  create table app.t (id int primary key, v text default 'v', n int, gone text);
  insert into app.t select i, 'v' || i, i, 'gone' from generate_series(1, 200) i;
  create table app.f (a int, v varchar(20), at timestamp); alter table app.f replica identity full;
  insert into app.f select i % 10, 'v', '2026-03-01 12:00' from generate_series(1, 50) i;
  create table app.parts (id int primary key, v text, w text) partition by range (id);
  create table app.low partition of app.parts for values from (0) to (100);
  create table app.high partition of app.parts for values from (100) to (1000);
  insert into app.parts values (1, 'low', 'a'), (100, 'high', 'b');
  create table app.other (id int primary key, v text); insert into app.other values (1, 'one');
  create table app.blue (id int primary key, v text); create table app.green (id int primary key, w int);
  create table app.child (id int primary key, blue int references app.blue);
  insert into app.blue values (1, 'blue'); insert into app.green values (1, 2); insert into app.child values (1, 1)`;

export async function stop(task: ObservedTask): Promise<void> {
  task.running.stop();
  await task.running.outcome;
}

export async function drain(task: ObservedTask): Promise<TaskOutcome> {
  task.running.drain();
  const outcome = await task.running.outcome;
  assert.equal(outcome.state, "stopped", JSON.stringify(outcome.error));
  return outcome;
}

/** Each table that was set aside, with why. */
export function reasons({ tables }: TaskProgress): Record<string, string | undefined> {
  const failed = tables.filter(({ error }) => error !== undefined);
  return Object.fromEntries(failed.map(({ id, error }) => [id.name, error?.message]));
}

/** Makes pairs of databases with these tables for a file's tests; each ends with its test. */
export function notedPairs(
  servers: ServerPair,
): (name: string, parts?: TaskParts & { readonly schema?: string }) => Promise<TaskPair> {
  const pairs: TaskPair[] = [];
  afterEach(() => Promise.all(pairs.splice(0).map((pair) => pair.end())));
  return async (name, parts = {}) => {
    const pair = await TaskPair.make(servers, { schema: NOTED_SCHEMA, ...parts, name });
    pairs.push(pair);
    return pair;
  };
}
