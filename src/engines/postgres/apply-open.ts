import { setTimeout as delay } from "node:timers/promises";
import { MigrationError } from "../../core/error.ts";
import type { Position } from "../../core/position.ts";
import type { JournalRequest } from "../../core/target.ts";
import { literal } from "../shared/identifier.ts";
import { controlTable, SERVER_NAME } from "./control-tables.ts";
import { readCheckpoint } from "./journal-sql.ts";
import { ServerError } from "./server-error.ts";
import type { WireSession } from "./wire-session.ts";

/**
 * A server's or user's defaults must not change what apply does.
 * enable_seqscan: a plan is made once, often for a table that is still empty, and must use the key's
 * index when the table has grown. synchronous_commit: what is reported as durable must be. row_security
 * off: an error instead of rows silently left out.
 */
const SETTINGS = [
  "set enable_seqscan = off",
  "set jit = off",
  "set plan_cache_mode = force_generic_plan",
  "set row_security = off",
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'",
  "select set_config(name, '0', false) from pg_catalog.pg_settings where name = 'transaction_timeout'",
].join("; ");

/** How long the last applier's session has to end by itself, and how long it is waited for at most. */
const PATIENCE_MS = 1_000;
const TIMEOUT_MS = 15_000;
const RETRY_MS = 50;

const INSUFFICIENT_PRIVILEGE = "42501";

/** Prepares a session for apply; false when triggers and foreign keys will act. */
export async function prepareApplySession(wire: WireSession): Promise<{ readonly replica: boolean }> {
  await wire.query(SETTINGS);
  try {
    await wire.query("set session_replication_role = replica");
    return { replica: true };
  } catch (error) {
    if (error instanceof ServerError && error.fields.code === INSUFFICIENT_PRIVILEGE)
      return { replica: false };
    throw error;
  }
}

/**
 * Lets only one session apply for a task. A worker that was killed may leave a session behind that
 * still works through what it was sent, commit included; the position in the journal is final only
 * when that session has ended. It gets a moment for that, then it is ended.
 */
export async function takeApplyLock(wire: WireSession, request: JournalRequest): Promise<void> {
  const name = literal(`tideway apply ${request.controlSchema ?? ""} ${request.taskId}`);
  const key = `pg_catalog.hashtextextended(${name}, 0)`;
  for (const start = Date.now(); ; await delay(RETRY_MS)) {
    const { rows } = await wire.query(`select pg_catalog.pg_try_advisory_lock(${key})`);
    if (rows[0]?.[0] === "t") return;
    const waited = Date.now() - start;
    if (waited > TIMEOUT_MS) {
      throw new MigrationError("target.applier_in_use", {
        message: "Another session applies changes for this task.",
        subject: request.taskId,
      });
    }
    if (waited > PATIENCE_MS) await endHolder(wire, key);
  }
}

async function endHolder(wire: WireSession, key: string): Promise<void> {
  try {
    await wire.query(
      `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_locks
        where locktype = 'advisory' and granted and objsubid = 1
          and database = (select oid from pg_catalog.pg_database where datname = current_database())
          and (classid::int8 << 32 | objid::int8) = ${key}`,
    );
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
  }
}

/** What the journal says now that nobody else can change it. Undefined when nothing was applied yet. */
export async function readAppliedPosition(
  wire: WireSession,
  request: JournalRequest,
): Promise<Position | undefined> {
  const { rows } = await wire.query(
    `select "CHECKPOINT" from ${controlTable(request, "awsdms_txn_state")}
      where "SERVER_NAME" = ${literal(SERVER_NAME)} and "TASK_NAME" = ${literal(request.taskId)}`,
  );
  const text = rows[0]?.[0];
  return text == null ? undefined : readCheckpoint(text);
}
