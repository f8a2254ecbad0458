import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { NoteKeeping } from "../../../core/schema-note.ts";
import { literal, qualified } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { lsnCodec } from "../catalog/lsn.ts";
import { hasKeySql, KEY_SQL, MAY_READ_KEY } from "../catalog/note-key.ts";
import { NOTE_FUNCTION, notePrefix } from "../catalog/schema-notes-sql.ts";
import { lookAgain } from "../connection/look-again.ts";
import type { LockPatience } from "../connection/short-locks.ts";

/** Event triggers by what fires them. */
export const NOTE_TRIGGERS = {
  tideway_note_end: "ddl_command_end",
  tideway_note_rewrite: "table_rewrite",
  tideway_note_drop: "sql_drop",
} as const;
export const TRIGGER_NAMES = Object.keys(NOTE_TRIGGERS);

export function noteFunction(schema: string): string {
  return qualified({ schema, name: NOTE_FUNCTION });
}

/** "tide", "note": the advisory lock under which the event triggers are made and dropped. */
const NOTES_LOCK = "1953064037, 1852798053";
/** Gone with its transaction. */
export const LOCK_NOTES = `select pg_catalog.pg_advisory_xact_lock(${NOTES_LOCK})`;

/** Who alters a table meanwhile waits no longer than this; the function's own lock_timeout is longer, so no note gets lost. */
export const NOTE_LOCKS: LockPatience = { timeoutMs: 200, tries: 50 };

export interface InstalledNotes {
  readonly schema: string;
  /** Text of the function as it is there. */
  readonly source: string;
  /** How many of the event triggers fire in every session and are of the function's owner. */
  readonly triggers: number;
  readonly since: string | null;
  /** The function's owner has a key there. */
  readonly keyed: boolean;
  /** This session may read a key. */
  readonly readable: boolean;
}

/** Finds the function, in whatever schema it is. */
export const FIND_NOTES = `
  select n.nspname as schema, p.prosrc as source, (
      select count(*) from pg_event_trigger e
       where e.evtfoid = p.oid and e.evtowner = p.proowner and e.evtenabled = 'A'
         and e.evtname = any(array[${TRIGGER_NAMES.map(literal).join(", ")}])
    ) as triggers, (
      select substring(obj_description(e.oid, 'pg_event_trigger') from ' since (.+)$')
        from pg_event_trigger e where e.evtfoid = p.oid and e.evtname = 'tideway_note_end') as since,
      ${hasKeySql("p.proowner")} as keyed, ${MAY_READ_KEY} as readable
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.proname = ${literal(NOTE_FUNCTION)} and p.prorettype = 'event_trigger'::regtype
   order by triggers desc limit 1`;

/** Nothing is missing but, perhaps, from where on it is there. */
export function isComplete(found: InstalledNotes | undefined): found is InstalledNotes {
  return found?.triggers === TRIGGER_NAMES.length && found.keyed;
}

/**
 * Nothing is missing, and it is known from where on. Who may create event triggers is trusted: the function and the key
 * are their owner's.
 */
export function isWhole(found: InstalledNotes | undefined): found is InstalledNotes {
  return isComplete(found) && found.since !== null;
}

/** What the source's notes begin with; undefined when it has none that this role may trust. */
export async function readNotePrefix(client: pg.Client): Promise<string | undefined> {
  return await lookAgain(async () => {
    const found = await selectInstalled(client);
    if (!isWhole(found) || !found.readable) return undefined;
    const [row] = await selectJson<{ key: string }>(client, KEY_SQL);
    return row === undefined ? undefined : notePrefix(row.key);
  });
}

/** Looks again while somebody drops or makes them. */
export async function findInstalled(client: pg.Client): Promise<InstalledNotes | undefined> {
  return await lookAgain(() => selectInstalled(client));
}

/** What findInstalled() finds, for a transaction in which nobody else makes or drops them. */
export async function selectInstalled(client: pg.Client): Promise<InstalledNotes | undefined> {
  const [found] = await selectJson<InstalledNotes>(client, FIND_NOTES);
  return found;
}

/** Whether schema changes are noted in the log, and from where on. */
export async function noteKeeping(client: pg.Client, { settings }: EndpointConfig): Promise<NoteKeeping> {
  const found = settings["CaptureDdls"] === false ? undefined : await findInstalled(client);
  const [log] = await selectJson<{ now: string }>(
    client,
    `select case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end as now`,
  );
  return {
    since: isWhole(found) && found.readable ? lsnCodec.parse(found.since!) : undefined,
    now: lsnCodec.parse(log!.now),
  };
}
