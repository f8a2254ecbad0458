import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import { MigrationError } from "../../../core/error.ts";
import { literal } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { DROP_KEY } from "../catalog/note-key.ts";
import { errorCode } from "../connection/error-code.ts";
import { lookAgain } from "../connection/look-again.ts";
import { inShortLocks, isLocked } from "../connection/short-locks.ts";
import {
  findInstalled,
  LOCK_NOTES,
  NOTE_LOCKS,
  noteFunction,
  selectInstalled,
  TRIGGER_NAMES,
} from "./installed-notes.ts";
import { TASK_PREFIX } from "./origin.ts";

/** SQLSTATE insufficient_privilege. */
const NOT_PERMITTED = "42501";

export const DROP_TRIGGERS = TRIGGER_NAMES.map((name) => `drop event trigger if exists ${name}`);

/**
 * Drops what keepNotes() has made, unless a task reads this database. `own` names what the task that is removed has read
 * from and does not count: where it is the user's, it stays.
 */
export async function dropNotes(client: pg.Client, own: string | undefined): Promise<void> {
  if ((await findInstalled(client)) === undefined) return;
  const unread = async (): Promise<string | undefined> => {
    return (await areRead(client, own === undefined ? [] : [own]))
      ? undefined
      : (await selectInstalled(client))?.schema;
  };
  await dropInstalled(client, unread).catch((error: unknown) => {
    // Somebody else has made it.
    if (errorCode(error) !== NOT_PERMITTED) throw error;
  });
}

/** Drops what keepNotes() has made in a schema. Throws what the server says where it may not, and `source.busy` when a task needs it. */
export async function dropNotesIn(client: pg.Client, schema: string): Promise<void> {
  await dropInstalled(client, async () => {
    if (!(await areRead(client, []))) return schema;
    throw new MigrationError("source.busy", {
      message: "The event triggers that note schema changes stay: a task reads this database.",
      subject: noteFunction(schema),
    });
  });
}

/**
 * A transaction that has altered a table has read the key, and holds a lock of it to its end. Throws `source.busy` when
 * one holds it for long. `schema`: asked while nobody makes or drops them.
 */
async function dropInstalled(client: pg.Client, schema: () => Promise<string | undefined>): Promise<void> {
  let found: string | undefined;
  try {
    // What was made by hand, or by an older version, is not under the lock.
    await lookAgain(() =>
      inShortLocks(client, NOTE_LOCKS, async () => {
        await client.query(LOCK_NOTES);
        found = await schema();
        if (found !== undefined) await client.query(dropNotesSql(found));
      }),
    );
  } catch (error) {
    throw isLocked(error) && found !== undefined ? held(found) : error;
  }
  if (found !== undefined) failpoint("stream.notes-dropped");
}

function held(schema: string): MigrationError {
  return new MigrationError("source.busy", {
    message:
      "The event triggers that note schema changes stay: a transaction that has altered a table is still open.",
    subject: noteFunction(schema),
    remedy: `When it has ended, and no task reads this database any more, run on the source: ${dropNotesSql(schema)};`,
  });
}

/** Whether a task reads this database, which need not run now. Publications of the names `gone` do not count. */
export async function areRead(client: pg.Client, gone: readonly string[]): Promise<boolean> {
  const [others] = await selectJson<{ found: boolean }>(client, READERS, [gone]);
  return others!.found;
}

/**
 * What tasks read from, but for $1: a publication of theirs, or one of the user's that has a slot of its name (SlotName).
 * Of a task that is being made the publication comes first, of one that is removed it goes last.
 */
const READERS = `
  select exists (select from pg_publication p where p.pubname <> all ($1::text[]) and (
    starts_with(p.pubname::text, ${literal(TASK_PREFIX)}) or exists (
      select from pg_replication_slots s
       where s.slot_name = p.pubname and s.plugin = 'pgoutput' and s.database = current_database()))) as found`;

function dropNotesSql(schema: string): string {
  return [...DROP_TRIGGERS, `drop function if exists ${noteFunction(schema)}()`, DROP_KEY].join("; ");
}
