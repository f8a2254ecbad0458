import type pg from "pg";
import { failpoint } from "../../base/failpoint.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import { MigrationError } from "../../core/error.ts";
import type { Leftover } from "../../core/leftover.ts";
import { CONTROL_COMMENT } from "../shared/apply/control-tables.ts";
import { identifier, literal, qualified } from "../shared/identifier.ts";
import { presentOptionalTables } from "./apply/control-tables.ts";
import { postgresJournalSql } from "./apply/journal-sql.ts";
import { applyLockKey, heldLocksSql, taskLockKey } from "./apply/task-lock.ts";
import { selectJson } from "./catalog/catalog-query.ts";
import { connect } from "./connection/connection.ts";
import { classify } from "./connection/errors.ts";
import { areRead, dropNotes, dropNotesIn } from "./log/drop-notes.ts";
import { FIND_NOTES } from "./log/installed-notes.ts";
import { dropOriginSql, TASK_PREFIX } from "./log/origin.ts";

const PURPOSE = "tideway cleanup";

/**
 * What tasks have left in a database, whether it was source or target: what must go first, stands first.
 * Control tables that AWS DMS has made are not among them: Tideway's say whose they are.
 */
export async function findLeftovers(endpoint: EndpointConfig, signal: AbortSignal): Promise<Leftover[]> {
  const client = await connect(endpoint, { side: "source", purpose: PURPOSE }, signal);
  try {
    const slots = await selectJson<Leftover>(client, SLOTS, [TASK_PREFIX]);
    const publications = await selectJson<Leftover>(client, PUBLICATIONS, [TASK_PREFIX]);
    const notes = await selectJson<{ schema: string }>(client, FIND_NOTES);
    // Those of tasks that are not at work are removed before.
    const idle = publications.filter((publication) => !publication.inUse).map(({ name }) => name);
    const isRead = await areRead(client, idle);
    const triggers = notes.map(({ schema }): Leftover => {
      const detail = "note schema changes in the log, for all tasks";
      return { kind: "event triggers", name: schema, taskId: undefined, inUse: isRead, detail };
    });
    const origins = await selectJson<Leftover>(client, ORIGINS, [TASK_PREFIX]);
    const tables = await selectJson<{ schema: string; name: string }>(client, TABLES, [CONTROL_COMMENT]);
    const records: Leftover[] = [];
    for (const { schema, name } of tables) {
      if (name !== "awsdms_table_state") continue;
      const found = await selectJson<Leftover>(client, recordsSql(schema));
      records.push(...found.map((row) => ({ ...row, taskId: row.taskId ?? undefined })));
    }
    const inUse = records.some((record) => record.inUse);
    // An origin belongs to the whole server: those of tasks into its other databases are not to be found here.
    const own = new Set(records.map(({ taskId }) => taskId));
    return [
      ...[...slots, ...publications, ...triggers, ...origins.filter(({ taskId }) => own.has(taskId))],
      ...records,
      ...tables.map((id): Leftover => {
        const detail = "holds records of all tasks";
        return { kind: "control table", name: qualified(id), taskId: undefined, inUse, detail };
      }),
    ];
  } catch (error) {
    throw classify(error, { side: "source", endpoint });
  } finally {
    await client.end();
  }
}

/** Removes what findLeftovers() has found. Throws when it is in use by now, or not ours to remove. */
export async function removeLeftover(
  endpoint: EndpointConfig,
  leftover: Leftover,
  signal: AbortSignal,
): Promise<void> {
  const client = await connect(endpoint, { side: "source", purpose: PURPOSE }, signal);
  try {
    await remove(client, leftover);
    failpoint("cleanup.leftover-removed");
  } catch (error) {
    throw classify(error, { side: "source", endpoint, subject: leftover.name });
  } finally {
    await client.end();
  }
}

const SLOTS = `
  select 'replication slot' as kind, slot_name as name, substr(slot_name, length($1) + 1) as "taskId", active as "inUse",
    'keeps ' || coalesce(pg_size_pretty(pg_wal_lsn_diff(
      case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn)), 'no')
      || ' of the log' as detail
    from pg_replication_slots
   where starts_with(slot_name::text, $1) and database = current_database() order by slot_name`;

const PUBLICATIONS = `
  select 'publication' as kind, p.pubname as name, substr(p.pubname, length($1) + 1) as "taskId",
    exists (select from pg_replication_slots s where s.slot_name = p.pubname and s.active) as "inUse",
    (select count(*) from pg_publication_rel r where r.prpubid = p.oid) || ' tables' as detail
    from pg_publication p where starts_with(p.pubname::text, $1) order by p.pubname`;

/** Who has an origin set up only a superuser may see; it is an apply session, perhaps in another database. */
const ORIGINS = `
  select 'replication origin' as kind, roname as name, substr(roname, length($1) + 1) as "taskId",
    exists (select from pg_stat_activity where application_name = 'tideway apply') as "inUse",
    'marks what the task has applied' as detail
    from pg_replication_origin where starts_with(roname, $1) order by roname`;

const TABLES = `
  select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relname like 'awsdms\\_%' and obj_description(c.oid, 'pg_class') = $1
   order by n.nspname collate "C", c.relname collate "C"`;

/** A session that is all that is left of a worker which was killed may still apply changes. */
function recordsSql(schema: string): string {
  const table = (name: string): string => qualified({ schema, name });
  const applyKeys = [schema, undefined].map((controlSchema) => applyLockKey("task", controlSchema));
  return `
    select 'task records' as kind, ${literal(schema)} as name, task as "taskId",
      exists (select from ${heldLocksSql([taskLockKey("task"), ...applyKeys])}) as "inUse",
      count(*) filter (where of_table) || ' tables' as detail
      from (select task_name as task, true as of_table from ${table("awsdms_table_state")}
            union all select "TASK_NAME", false from ${table("awsdms_txn_state")}
            union all select distinct task_name, false from ${table("awsdms_load_state")}) as records
     group by task order by task`;
}

async function remove(client: pg.Client, { kind, name, taskId }: Leftover): Promise<void> {
  if (kind === "event triggers") await dropNotesIn(client, name);
  else if (kind === "task records") await forgetTask(client, name, taskId);
  else await client.query(removeSql(kind, name));
  // With the last task that reads this database goes what was made for all of them.
  if (kind === "publication") await dropNotes(client, undefined);
}

async function forgetTask(
  client: pg.Client,
  controlSchema: string,
  taskId: string | undefined,
): Promise<void> {
  if (taskId === undefined) {
    throw new MigrationError("internal.unexpected", { message: "Records without a task." });
  }
  const optionalTables = await presentOptionalTables(client, { taskId, controlSchema });
  await client.query(postgresJournalSql.forgetSql({ taskId, controlSchema, optionalTables }).join("; "));
}

function removeSql(kind: Exclude<Leftover["kind"], "event triggers" | "task records">, name: string): string {
  switch (kind) {
    case "replication slot":
      return `select pg_drop_replication_slot(${literal(name)})`;
    case "publication":
      return `drop publication if exists ${identifier(name)}`;
    case "replication origin":
      return dropOriginSql(name);
    case "control table":
      return `drop table if exists ${name}`;
  }
}
