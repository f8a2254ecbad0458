import assert from "node:assert/strict";
import { MigrationError } from "../../src/core/error.ts";
import type { MigrationPlan } from "../../src/core/plan.ts";
import type { PreparedTable, PrepareMode } from "../../src/core/target.ts";
import { PostgresTarget } from "../../src/engines/postgres/target.ts";
import { unaborted, unwrap } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { planOf, type Renaming, type Target } from "./schema-plan.ts";

/** A plan for all tables of a new database made by `sql`, and an empty database to carry it out in. */
export async function planAndTarget(
  server: PostgresServer,
  sql: string,
  renaming?: Renaming,
): Promise<{ readonly plan: MigrationPlan; readonly target: Target }> {
  const plan = await planOf(server, sql, renaming);
  return { plan, target: { server, database: await server.createDatabase("target") } };
}

/** The engine's target, as the given user, whose password is the server's. */
export async function onTarget<Result>(
  { server, database }: Target,
  work: (target: PostgresTarget) => Promise<Result>,
  username = "postgres",
): Promise<Result> {
  await using target = new PostgresTarget({ ...endpointOf(server, database), username });
  return await work(target);
}

/** What the engine answers for the one table, or throws for it. */
export function prepareOne(
  target: Target,
  plan: MigrationPlan,
  mode: PrepareMode,
  name: string,
  username?: string,
): Promise<PreparedTable> {
  const table = plan.tables.find(({ target: { id } }) => id.name === name)!;
  const request = { migration: plan, plan: table, mode };
  const prepare = async (engine: PostgresTarget): Promise<PreparedTable> =>
    unwrap((await engine.prepareTables([request], unaborted))[0]!);
  return onTarget(target, prepare, username);
}

/** Accepts an error of this code whose texts hold the words. */
export function failure(code: string, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof MigrationError, String(error));
    assert.equal(error.code, code);
    assert.match(`${error.subject} ${error.message} ${error.remedy}`, words);
    return true;
  };
}
