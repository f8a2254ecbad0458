import type pg from "pg";
import type { TablePlan } from "../../core/plan.ts";
import {
  displayTable,
  type ForeignKey,
  type Index,
  type TableId,
  type TableSchema,
  tableKey,
} from "../../core/schema.ts";
import type { PostLoadStep } from "../../core/target.ts";
import { identifier, qualified } from "../shared/identifier.ts";
import { type Connect, inTransaction, withBuildSession } from "./build-session.ts";
import { selectJson } from "./catalog-query.ts";
import { addForeignKey, addUnvalidatedCheck, createIndex, isEnforced, validateConstraint } from "./ddl.ts";
import { errorCode } from "./error-code.ts";
import { classify } from "./errors.ts";
import { runNative } from "./native-ddl.ts";

/**
 * What full load leaves until last, for a table that Tideway created. Each step looks first whether
 * its object is there, and is one transaction, so it may be run again after any crash.
 */
export function postLoadSteps(connect: Connect, plan: TablePlan): PostLoadStep[] {
  const table = plan.target;
  const step = (
    position: Pick<PostLoadStep, "stage" | "subject" | "locks">,
    work: (client: pg.Client) => Promise<void>,
  ): PostLoadStep => ({
    ...position,
    table: plan.source.id,
    run: async (signal) => {
      try {
        await withBuildSession(connect, signal, work);
      } catch (error) {
        signal.throwIfAborted();
        throw classify(error, { side: "target", table: plan.source.id, phase: "build" });
      }
    },
  });
  const own = [table.id];
  return [
    ...table.indexes.map((index) =>
      // CREATE INDEX lets others of its kind work on the table; a constraint does not.
      step(
        { stage: indexStage(index), subject: index.name, locks: index.constraint === undefined ? [] : own },
        (client) => buildIndex(client, table, index),
      ),
    ),
    ...(table.rowIdentity === "full"
      ? [
          step({ stage: "unique", subject: "replica identity", locks: own }, async (client) => {
            await client.query(`alter table ${qualified(table.id)} replica identity full`);
          }),
        ]
      : []),
    ...table.checks
      .filter((check) => !check.validated)
      .map((check) =>
        step({ stage: "foreign-key", subject: check.name, locks: own }, async (client) => {
          if ((await findConstraint(client, table, check.name)) !== undefined) return;
          await inTransaction(client, () =>
            runNative(client, table.id.schema, addUnvalidatedCheck(table, check)),
          );
        }),
      ),
    ...table.foreignKeys.map((key) =>
      step({ stage: "foreign-key", subject: key.name, locks: lockOrder(table, key) }, (client) =>
        buildForeignKey(client, table, key),
      ),
    ),
    step({ stage: "analyze", subject: displayTable(table.id), locks: [] }, async (client) => {
      await client.query(`analyze ${qualified(table.id)}`);
    }),
  ];
}

/** The index that finds the rows of changes must be there before changes come. */
function indexStage(index: Index): PostLoadStep["stage"] {
  if (index.constraint === "primary-key" || index.replicaIdentity === true) return "key";
  return index.unique || index.constraint !== undefined ? "unique" : "index";
}

async function buildIndex(client: pg.Client, table: TableSchema, index: Index): Promise<void> {
  const [there] = await selectJson<{ valid: boolean; backed: boolean }>(
    client,
    `select i.indisvalid as valid, exists (
       select from pg_constraint k where k.conrelid = i.indrelid and k.conindid = i.indexrelid
         and k.contype in ('p', 'u', 'x')) as backed
     from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname = $2 and x.relname = $3`,
    [table.id.schema, table.id.name, index.name],
  );
  if (there?.valid === true && there.backed === (index.constraint !== undefined)) return;
  const name = identifier(index.name);
  await inTransaction(client, async () => {
    if (there?.valid === false) {
      const indexName = qualified({ schema: table.id.schema, name: index.name });
      await client.query(
        there.backed
          ? `alter table ${qualified(table.id)} drop constraint ${name}`
          : `drop index ${indexName}`,
      );
    }
    await runNative(client, table.id.schema, createIndex(table, index));
    if (index.replicaIdentity === true) {
      await client.query(`alter table ${qualified(table.id)} replica identity using index ${name}`);
    }
  });
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
      await inTransaction(client, async () => {
        const tables = lockOrder(table, key).map(qualified).join(", ");
        await client.query(
          `set local lock_timeout = '${LOCK_TIMEOUT}'; lock table ${tables} in share row exclusive mode`,
        );
        await client.query(addForeignKey(table, key).join(";\n"));
      });
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

/** Both tables, in an order that is the same for all foreign keys. */
function lockOrder(table: TableSchema, key: ForeignKey): TableId[] {
  const ids = new Map([table.id, key.references].map((id) => [tableKey(id), id]));
  return [...ids.keys()].toSorted().map((text) => ids.get(text)!);
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
