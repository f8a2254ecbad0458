import type { JournalRequest } from "../../../core/journal.ts";
import type { Position } from "../../../core/position.ts";
import { hasLimits } from "../../../core/row-errors.ts";
import { takeLock } from "../../shared/apply/apply-lock.ts";
import { type ErrorTally, type RecordedOf, recordedErrors } from "../../shared/apply/row-errors.ts";
import { literal } from "../../shared/identifier.ts";
import { ServerError } from "../connection/server-error.ts";
import type { WireSession } from "../connection/wire-session.ts";
import { LOG_STATE_SQL } from "./apply-durability.ts";
import { checkpointPosition, positionSql, recordedErrorsSql } from "./journal-sql.ts";
import { applyLockKey, heldLocksSql } from "./task-lock.ts";

/**
 * A server's or user's defaults must not change what apply does.
 * enable_*: a plan is made once, often for a table that is still empty, and must use the key's index when
 * the table has grown; so must a join with staged rows. row_security off: an error instead of rows
 * silently left out.
 */
const SETTINGS = [
  "set enable_seqscan = off",
  "set enable_hashjoin = off",
  "set enable_mergejoin = off",
  "set jit = off",
  "set plan_cache_mode = force_generic_plan",
  "set row_security = off",
].join("; ");

/** Constraints of the transaction at work that may wait until it ends do so. */
export const DEFER_SQL = "set constraints all deferred";

/** Triggers and foreign keys do not act on what the session writes. */
export const ACTS_ON_NOTHING_SQL = "set session_replication_role = replica";

/** What a session for apply can do. */
export interface SessionTraits {
  /** False when triggers and foreign keys will act. */
  readonly replica: boolean;
  /** It may make temporary tables. */
  readonly temporary: boolean;
  /** The database's encoding has every character. */
  readonly unicode: boolean;
  /** The statement that makes a transaction wait for the disk; undefined: every commit does. */
  readonly waitForDisk: string | undefined;
}

const INSUFFICIENT_PRIVILEGE = "42501";
const NOT_SUPPORTED = "0A000";

/** Prepares a session for apply. */
export async function prepareApplySession(wire: WireSession): Promise<SessionTraits> {
  await wire.query(SETTINGS);
  const { rows } = await wire.query(
    "select pg_catalog.has_database_privilege(current_database(), 'TEMPORARY'), current_setting('server_encoding')",
  );
  return {
    replica: await silences(wire),
    temporary: rows[0]![0] === "t",
    unicode: rows[0]![1] === "UTF8",
    waitForDisk: await waitForDisk(wire),
  };
}

/** Keeps triggers and foreign keys from acting; false when the user may not. */
export function silences(wire: WireSession): Promise<boolean> {
  return tries(wire, ACTS_ON_NOTHING_SQL, [INSUFFICIENT_PRIVILEGE]);
}

/**
 * Commits need not wait for the disk where the server tells how far its log has come there. With
 * synchronous standbys a commit that counts is one they have, and only a commit itself waits for them.
 */
async function waitForDisk(wire: WireSession): Promise<string | undefined> {
  const { rows } = await wire.query(
    "select current_setting('synchronous_commit'), current_setting('synchronous_standby_names')",
  );
  const [level, standbys] = rows[0] as string[];
  const durable = level === "off" ? "on" : level!;
  const isTold =
    standbys === "" && (await tries(wire, LOG_STATE_SQL, [NOT_SUPPORTED, INSUFFICIENT_PRIVILEGE]));
  await wire.query(`set synchronous_commit = ${isTold ? "off" : durable}`);
  return isTold ? `set local synchronous_commit = ${durable}` : undefined;
}

/** False when the server refuses the statement for one of the reasons. */
async function tries(wire: WireSession, sql: string, refusals: readonly string[]): Promise<boolean> {
  try {
    await wire.query(sql);
    return true;
  } catch (error) {
    if (error instanceof ServerError && refusals.includes(error.fields.code)) return false;
    throw error;
  }
}

export async function takeApplyLock(wire: WireSession, request: JournalRequest): Promise<void> {
  const key = applyLockKey(literal(request.taskId), request.controlSchema);
  await takeLock({
    taskId: request.taskId,
    take: async () => {
      const { rows } = await wire.query(`select pg_catalog.pg_try_advisory_lock(${key})`);
      return rows[0]?.[0] === "t";
    },
    endHolder: () => endHolder(wire, key),
  });
}

async function endHolder(wire: WireSession, key: string): Promise<void> {
  try {
    await wire.query(`select pg_catalog.pg_terminate_backend(pid) from ${heldLocksSql([key])}`);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
  }
}

/** What the journal says now that nobody else can change it. Undefined when nothing was applied yet. */
export async function readAppliedPosition(
  wire: WireSession,
  request: JournalRequest,
): Promise<Position | undefined> {
  const { rows } = await wire.query(positionSql(request));
  const text = rows[0]?.[0];
  return text == null ? undefined : checkpointPosition(text);
}

/** How many exceptions earlier transactions have left, in the order of the plans; none where no limit asks for that. */
export async function readRecordedErrors(
  wire: WireSession,
  request: JournalRequest,
  { plans, policies }: RecordedOf,
): Promise<readonly ErrorTally[]> {
  if (!hasLimits(policies)) return [];
  const { rows } = await wire.query(recordedErrorsSql(request));
  return recordedErrors(plans, rows);
}
