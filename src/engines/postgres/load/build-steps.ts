import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { TableOutcome } from "../../../core/error.ts";
import type { PostLoadStep } from "../../../core/post-load-step.ts";
import { type ForeignKey, type Index, type TableSchema, tableKey } from "../../../core/schema.ts";
import { identifier, qualified } from "../../shared/identifier.ts";
import { lockOrder } from "../../shared/load/constraint-steps.ts";
import { togetherOrAlone } from "../../shared/table-outcomes.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import {
  addForeignKey,
  addUnvalidatedCheck,
  createIndex,
  isEnforced,
  validateConstraint,
} from "../catalog/ddl.ts";
import { runNative } from "../catalog/native-ddl.ts";
import { atLeastSql } from "../connection/bulk-session.ts";
import { errorCode } from "../connection/error-code.ts";
import { classify } from "../connection/errors.ts";

/** Sorting for an index, and matching rows for a foreign key, in memory. */
const BUILD_MEMORY = atLeastSql("maintenance_work_mem", 256);

/**
 * Gives a session memory for building indexes, and lets it go on before what it commits is on disk: a
 * server keeps commits in order, so whatever is recorded durably after a step has made the step durable
 * too. When a crash takes steps back, it takes back at most what the journal does not speak of yet.
 */
export async function setUpBuildSession(client: pg.Client): Promise<void> {
  await client.query(`${BUILD_MEMORY}; set synchronous_commit = off`);
}

/**
 * Runs steps of full load's end, of any tables. Each looks first whether its object is there, and is
 * all or nothing, so it may be run again after any crash. Indexes of many tables are built in one
 * transaction, which is why only small tables' should come together.
 */
export async function buildSteps(
  client: pg.Client,
  steps: readonly PostLoadStep[],
): Promise<readonly TableOutcome<undefined>[]> {
  const outcomes = new Map<PostLoadStep, TableOutcome<undefined>>();
  for (const [object, some] of Map.groupBy(steps, (step) => step.object)) {
    const built = await togetherOrAlone(
      some,
      (all) => buildTogether(client, object, all),
      async (step) => {
        try {
          const [outcome] = await buildTogether(client, object, [step]);
          return outcome;
        } catch (error) {
          throw classify(error, { side: "target", table: step.plan.source.id, phase: "build" });
        }
      },
    );
    for (const [i, step] of some.entries()) outcomes.set(step, built[i]);
  }
  return steps.map((step) => outcomes.get(step));
}

async function buildTogether(
  client: pg.Client,
  object: PostLoadStep["object"],
  steps: readonly PostLoadStep[],
): Promise<undefined[]> {
  if (object === "index") await buildIndexes(client, steps);
  else if (object === "table") await client.query(maintenance(steps));
  else for (const step of steps) await buildConstraint(client, step);
  return steps.map(() => undefined);
}

/** VACUUM marks what is visible to all, so that nobody who reads the rows first has to write them too. */
function maintenance(steps: readonly PostLoadStep[]): string {
  const tables = steps.map(({ plan }) => qualified(plan.target.id)).join(", ");
  return steps[0]!.stage === "vacuum" ? `vacuum (analyze) ${tables}` : `analyze ${tables}`;
}

async function buildConstraint(client: pg.Client, { plan, object, subject }: PostLoadStep): Promise<void> {
  const table = plan.target;
  if (object === "replica-identity") {
    await client.query(`alter table ${qualified(table.id)} replica identity full`);
  } else if (object === "foreign-key") {
    await buildForeignKey(client, table, table.foreignKeys.find(({ name }) => name === subject)!);
  } else if ((await findConstraint(client, table, subject)) === undefined) {
    const check = table.checks.find(({ name }) => name === subject)!;
    await inTransaction(client, () => runNative(client, table.id.schema, addUnvalidatedCheck(table, check)));
  }
}

interface FoundIndex {
  readonly valid: boolean;
  /** A constraint stands on it. */
  readonly backed: boolean;
}

async function buildIndexes(client: pg.Client, steps: readonly PostLoadStep[]): Promise<void> {
  const found = await findIndexes(client, steps);
  const indexes = steps.flatMap(({ plan: { target: table }, subject }) => {
    const index = table.indexes.find(({ name }) => name === subject)!;
    const there = found.get(indexKey(table, subject));
    const isDone = there?.valid === true && there.backed === (index.constraint !== undefined);
    return isDone ? [] : [{ table, index, there }];
  });
  if (indexes.length === 0) return;
  await inTransaction(client, async () => {
    for (const [schema, some] of Map.groupBy(indexes, ({ table }) => table.id.schema)) {
      const statements = some.flatMap(({ table, index, there }) => [
        ...(there?.valid === false ? [dropIndex(table, index, there)] : []),
        ...createIndex(table, index),
        ...(index.replicaIdentity === true
          ? [`alter table ${qualified(table.id)} replica identity using index ${identifier(index.name)}`]
          : []),
      ]);
      await runNative(client, schema, statements);
    }
  });
}

function dropIndex(table: TableSchema, { name }: Index, there: FoundIndex): string {
  return there.backed
    ? `alter table ${qualified(table.id)} drop constraint ${identifier(name)}`
    : `drop index ${qualified({ schema: table.id.schema, name })}`;
}

async function findIndexes(
  client: pg.Client,
  steps: readonly PostLoadStep[],
): Promise<ReadonlyMap<string, FoundIndex>> {
  const rows = await selectJson<FoundIndex & { readonly schema: string; table: string; index: string }>(
    client,
    `select w.schema, w.table, w.index, i.indisvalid as valid, exists (
       select from pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid
         and k.contype in ('p', 'u', 'x')) as backed
     from unnest($1::text[], $2::text[], $3::text[]) as w(schema, "table", index)
     join pg_namespace n on n.nspname = w.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = w.table
     join pg_index i on i.indrelid = c.oid
     join pg_class x on x.oid = i.indexrelid and x.relname = w.index`,
    [
      steps.map(({ plan }) => plan.target.id.schema),
      steps.map(({ plan }) => plan.target.id.name),
      steps.map(({ subject }) => subject),
    ],
  );
  return new Map(
    rows.map((row) => [indexKey({ id: { schema: row.schema, name: row.table } }, row.index), row]),
  );
}

function indexKey({ id }: Pick<TableSchema, "id">, index: string): string {
  return `${tableKey(id)}.${index}`;
}

const LOCK_NOT_AVAILABLE = "55P03";
const DEADLOCK_DETECTED = "40P01";
/** Below the default deadlock_timeout of 1 s: in a deadlock with the applier this side gives way. */
const LOCK_TIMEOUT = "500ms";

/**
 * The constraint is added without looking at rows, which needs strong locks on both tables for a
 * moment only, then validated under a lock that lets changes be applied.
 */
async function buildForeignKey(client: pg.Client, table: TableSchema, key: ForeignKey): Promise<void> {
  const there = await findConstraint(client, table, key.name);
  while (there === undefined) {
    try {
      const tables = lockOrder(table, key).map(qualified).join(", ");
      await inTransaction(client, () =>
        client.query(
          [
            `set local lock_timeout = '${LOCK_TIMEOUT}'`,
            `lock table ${tables} in share row exclusive mode`,
            ...addForeignKey(table, key),
          ].join(";\n"),
        ),
      );
      failpoint("build.foreign-key-added");
      break;
    } catch (error) {
      const code = errorCode(error);
      if (code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK_DETECTED) throw error;
    }
  }
  if (key.validated && there?.validated !== true && isEnforced(key)) {
    await client.query(validateConstraint(table, key.name));
  }
}

async function findConstraint(
  client: pg.Client,
  table: TableSchema,
  name: string,
): Promise<{ readonly validated: boolean } | undefined> {
  const [row] = await selectJson<{ validated: boolean }>(
    client,
    `select k.convalidated as validated from pg_constraint k join pg_class c on c.oid = k.conrelid
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and k.conname = $3`,
    [table.id.schema, table.id.name, name],
  );
  return row;
}

async function inTransaction(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  await client.query("begin");
  try {
    await work();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  }
}
