import type pg from "pg";
import { failpoint } from "../../base/failpoint.ts";
import { literal } from "../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";
import { errorCode } from "./error-code.ts";
import { findInstalled, noteFunction, TRIGGER_NAMES } from "./installed-notes.ts";
import { DROP_KEY } from "./note-key.ts";
import { TASK_PREFIX } from "./origin.ts";

export const DROP_TRIGGERS = TRIGGER_NAMES.map((name) => `drop event trigger if exists ${name}`);

/** Whether a server does not have it made or dropped, for a reason that will not pass: somebody's own trigger may say so. */
export function isRefusal(code: string | undefined): code is string {
  return code !== undefined && /^(?!08|40|53|55P|57P)[0-9FHPX][0-9A-Z]{4}$/.test(code);
}

/**
 * Drops what keepNotes() has made, unless a task reads this database. `own` names what the task that is removed has read
 * from and does not count: where it is the user's, it stays.
 */
export async function dropNotes(client: pg.Client, own: string | undefined): Promise<void> {
  const [others] = await selectJson<{ found: boolean }>(client, `select exists (${READERS}) as found`, [
    own ?? null,
  ]);
  if (others!.found) return;
  const found = await findInstalled(client);
  if (found === undefined) return;
  await client.query(dropNotesSql(found.schema)).catch((error: unknown) => {
    // Somebody else has made it, or was first to drop it.
    if (!isRefusal(errorCode(error))) throw error;
  });
  failpoint("stream.notes-dropped");
}

/**
 * What tasks read from, but for $1: a publication of theirs, or one of the user's that has a slot of its name (SlotName).
 * Of a task that is being made the publication comes first, of one that is removed it goes last.
 */
const READERS = `
  select from pg_publication p where p.pubname is distinct from $1 and (
    starts_with(p.pubname::text, ${literal(TASK_PREFIX)}) or exists (
      select from pg_replication_slots s
       where s.slot_name = p.pubname and s.plugin = 'pgoutput' and s.database = current_database()))`;

export function dropNotesSql(schema: string): string {
  return [...DROP_TRIGGERS, `drop function if exists ${noteFunction(schema)}()`, DROP_KEY].join("; ");
}
