import { createHash } from "node:crypto";
import { MigrationError } from "../../../core/error.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import type { Position } from "../../../core/position.ts";
import { hasLimits } from "../../../core/row-errors.ts";
import { takeLock } from "../../shared/apply/apply-lock.ts";
import { readCheckpoint } from "../../shared/apply/checkpoint.ts";
import { type ErrorTally, type RecordedOf, recordedErrors } from "../../shared/apply/row-errors.ts";
import { literal } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";
import { type DurabilityKind, durabilityOf, FLUSH_SQL } from "./apply-durability.ts";
import { positionSql, recordedErrorsSql } from "./journal-sql.ts";

/** Also the journal's: it goes on without, as nothing but changes tells others what is durable. */
export const ACCESS_DENIED = 1227;

/**
 * A session for apply. No autocommit: a transaction that the server has ended by itself must not go on as single
 * commits. Foreign keys act on nothing unless they are to, as what they did on the source comes as changes of its own.
 * Rows are locked one by one, not the gaps between them, where the server's log of statements allows it.
 */
export async function prepareApplySession(client: Client, keysAct = false): Promise<DurabilityKind> {
  await client.execute(`set autocommit = 0, foreign_key_checks = ${keysAct ? 1 : 0}, unique_checks = 1`);
  const [row] = await client.query<Record<"log" | "format", string>>(
    "select @@log_bin as log, @@binlog_format as format",
  );
  if (row!.log !== "1" || row!.format !== "STATEMENT") {
    await client.execute("set session transaction isolation level read committed");
  } else {
    // Such a log remarks on every statement whose rows it cannot be sure of.
    await client.execute("set sql_notes = 0");
  }
  const durability = await durabilityOf(client);
  if (durability === "flush") await checkMayFlush(client);
  return durability;
}

/** A source that keeps its log for us may be told only what cannot be lost any more. */
async function checkMayFlush(client: Client): Promise<void> {
  const denied = await flushDenied(client);
  if (denied !== undefined) throw denied;
}

/** `target.privilege` when the user may not make the server write its log. */
export async function flushDenied(client: Client): Promise<MigrationError | undefined> {
  try {
    await client.execute(FLUSH_SQL);
    return undefined;
  } catch (error) {
    if (serverFields(error)?.number !== ACCESS_DENIED) throw error;
    return new MigrationError("target.privilege", {
      message:
        "Commits on the target do not wait for its disk, and the user may not make the server write its log.",
      subject: "innodb_flush_log_at_trx_commit",
      remedy:
        "Grant RELOAD to the target's user, or set innodb_flush_log_at_trx_commit = 1 and sync_binlog = 1 there.",
      nativeCode: String(ACCESS_DENIED),
    });
  }
}

export async function takeApplyLock(client: Client, request: JournalRequest): Promise<void> {
  const name = literal(lockName(request));
  await takeLock({
    taskId: request.taskId,
    take: async () => {
      const [row] = await client.query<{ taken: string | null }>(`select get_lock(${name}, 0) as taken`);
      return row!.taken === "1";
    },
    endHolder: async () => {
      const [row] = await client.query<{ id: string | null }>(`select is_used_lock(${name}) as id`);
      if (row!.id !== null) await endSession(client, row!.id);
    },
  });
}

/** Ends a session of the same user. */
export async function endSession(client: Client, id: string): Promise<void> {
  try {
    await client.execute(`kill ${Number(id)}`);
  } catch (error) {
    // It has ended meanwhile, or is another user's.
    if (serverFields(error) === undefined) throw error;
  }
}

/** The lock that a task's applier holds. Names of locks are short, and the whole server's. */
export function lockName({ controlSchema, taskId }: JournalRequest): string {
  const digest = createHash("sha256").update(JSON.stringify([controlSchema ?? null, taskId]));
  return `tideway apply ${digest.digest("base64url")}`;
}

/** How many exceptions earlier transactions have left, in the order of the plans; none where no limit asks for that. */
export async function readRecordedErrors(
  client: Client,
  request: JournalRequest,
  { plans, policies }: RecordedOf,
): Promise<readonly ErrorTally[]> {
  if (!hasLimits(policies)) return [];
  const rows = await client.query<Record<string, string>>(recordedErrorsSql(request));
  return recordedErrors(
    plans,
    rows.map((row) => Object.values(row)),
  );
}

/** What the journal says now that nobody else can change it. Undefined when nothing was applied yet. */
export async function readAppliedPosition(
  client: Client,
  request: JournalRequest,
): Promise<Position | undefined> {
  const [row] = await client.query<{ text: string }>(positionSql(request));
  // Else the snapshot of this transaction would be what the session goes on to see.
  await client.execute("commit");
  if (row === undefined) return undefined;
  const position = readCheckpoint(row.text);
  if (position !== undefined) return position;
  throw new MigrationError("position.malformed", {
    message: "The checkpoint in the target's control table is none.",
    subject: "awsdms_txn_state",
  });
}
