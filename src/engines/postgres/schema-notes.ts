import type pg from "pg";
import { failpoint } from "../../base/failpoint.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import type { NoteKeeping } from "../../core/schema-note.ts";
import type { KeptNotes } from "../../core/source.ts";
import { literal, qualified } from "../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";
import { errorCode } from "./error-code.ts";
import { finding } from "./finding.ts";
import { lsnCodec } from "./lsn.ts";
import {
  DROP_KEY,
  hasKeySql,
  IS_KEY_FOREIGN,
  KEY_SCHEMA,
  KEY_SQL,
  MAKE_KEY,
  MAY_READ_KEY,
} from "./note-key.ts";
import { NOTE_FUNCTION, noteFunctionSql, notePrefix } from "./schema-notes-sql.ts";
import { currentPosition } from "./slot.ts";

/** pgoutput passes messages on from version 14 on. */
const NOTES_VERSION = 140_000;

/** "tide", "note": the lock under which the event triggers are made and dropped. */
const LOCK_SQL = "select pg_catalog.pg_advisory_xact_lock(1953064037, 1852798053)";

const DEFAULT_SCHEMA = "public";

/** Event triggers by what fires them. */
const TRIGGERS = {
  tideway_note_end: "ddl_command_end",
  tideway_note_rewrite: "table_rewrite",
  tideway_note_drop: "sql_drop",
} as const;
const TRIGGER_NAMES = Object.keys(TRIGGERS);
const DROP_TRIGGERS = TRIGGER_NAMES.map((name) => `drop event trigger if exists ${name}`);

/** Statements that may change a table. ALTER PUBLICATION, which the task itself runs, is none. */
const TAGS = [
  "ALTER TABLE",
  "CREATE TABLE",
  "CREATE TABLE AS",
  "SELECT INTO",
  "CREATE SCHEMA",
  "CREATE INDEX",
  "ALTER INDEX",
  "ALTER TYPE",
];
const DROP_TAGS = [
  "DROP TABLE",
  "DROP INDEX",
  "DROP TYPE",
  "DROP DOMAIN",
  "DROP SCHEMA",
  "DROP EXTENSION",
  "DROP OWNED",
  "DROP FUNCTION",
];

interface InstalledNotes {
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

/**
 * Makes the source note schema changes in its log, for all tasks that read it. What this version of Tideway has made
 * stays. The client must not be in a transaction.
 */
export async function keepNotes(client: pg.Client, endpoint: EndpointConfig): Promise<KeptNotes> {
  if (endpoint.settings["CaptureDdls"] === false) return { kept: false, findings: [] };
  const [server] = await selectJson<{ version: number }>(
    client,
    "select current_setting('server_version_num')::int as version",
  );
  if (server!.version < NOTES_VERSION) return unnoted(endpoint, "Its version is older than 14");
  const given = endpoint.settings["DdlArtifactsSchema"];
  const wish = typeof given === "string" && given !== "" ? given : DEFAULT_SCHEMA;
  const isKept = (found: InstalledNotes | undefined): found is InstalledNotes =>
    isWhole(found) && found.source === noteFunctionSql(found.schema).body;
  let found = await findInstalled(client);
  try {
    if (isKept(found)) return keptFor(found, endpoint);
    await client.query("begin");
    await client.query(LOCK_SQL);
    found = await findInstalled(client);
    const there = isWhole(found) ? found : undefined;
    // All tasks share it, wherever the first has made it.
    const schema = there?.schema ?? wish;
    if (there === undefined && (await isKeyForeign(client))) {
      await client.query("rollback");
      return unnoted(endpoint, `Its schema ${KEY_SCHEMA} is somebody else's`);
    }
    if (!isKept(found)) for (const sql of installSql(schema, there !== undefined)) await client.query(sql);
    await client.query("commit");
    failpoint("stream.notes-kept");
    if (there !== undefined) return keptFor(there, endpoint);
    // Of a transaction that was under way when the triggers came, a statement may lack its note: it is found by comparing.
    const { text } = await currentPosition(client);
    const comment = literal(`Tideway notes schema changes since ${text}`);
    await client.query(`comment on event trigger tideway_note_end is ${comment}`);
    return KEPT;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    const code = errorCode(error);
    if (!isRefusal(code)) throw error;
    // That of another version, which the role may not replace.
    if (isWhole(found)) return keptFor(found, endpoint);
    return unnoted(endpoint, REFUSALS.get(code)?.(wish) ?? `It refuses them (${code})`);
  }
}

/** Whether a server does not have it made or dropped, for a reason that will not pass: somebody's own trigger may say so. */
function isRefusal(code: string | undefined): code is string {
  return code !== undefined && /^(?!08|40|53|55P|57P)[0-9FHPX][0-9A-Z]{4}$/.test(code);
}

/** Why a server did not have it made, by its error's code. */
const REFUSALS: ReadonlyMap<string, (schema: string) => string> = new Map([
  ["42501", () => "The role may not create event triggers there"],
  ["3F000", (schema: string) => `It has no schema ${schema}`],
  ["25006", () => "It is read only"],
  ["42P13", (schema: string) => `The schema ${schema} has another function ${NOTE_FUNCTION}`],
]);

/**
 * What somebody else has planted under the function's name becomes this role's before it is used, and nobody knows the
 * key of what was not whole.
 */
function installSql(schema: string, isThere: boolean): readonly string[] {
  const { create } = noteFunctionSql(schema);
  if (isThere) return [create];
  const ownFunction = `alter function ${noteFunction(schema)}() owner to current_user`;
  return [...DROP_TRIGGERS, ...MAKE_KEY, create, ownFunction, ...triggersSql(schema)];
}

async function isKeyForeign(client: pg.Client): Promise<boolean> {
  const [key] = await selectJson<{ foreign: boolean }>(client, `select ${IS_KEY_FOREIGN} as foreign`);
  return key!.foreign;
}

/** Drops what keepNotes() has made, unless another task reads this database. */
export async function dropNotes(client: pg.Client): Promise<void> {
  const [others] = await selectJson<{ found: boolean }>(
    client,
    "select exists (select from pg_publication where starts_with(pubname::text, 'tideway_')) as found",
  );
  if (others!.found) return;
  const found = await findInstalled(client);
  if (found === undefined) return;
  await client.query(dropNotesSql(found.schema)).catch((error: unknown) => {
    // Somebody else has made it, or was first to drop it.
    if (!isRefusal(errorCode(error))) throw error;
  });
  failpoint("stream.notes-dropped");
}

export function dropNotesSql(schema: string): string {
  return [...DROP_TRIGGERS, `drop function if exists ${noteFunction(schema)}()`, DROP_KEY].join("; ");
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

/**
 * Nothing is missing, and it is known from where on. Who may create event triggers is trusted: the function and the key
 * are their owner's.
 */
function isWhole(found: InstalledNotes | undefined): found is InstalledNotes {
  return found?.triggers === TRIGGER_NAMES.length && found.keyed && found.since !== null;
}

/** What the source's notes begin with; undefined when it has none that this role may trust. */
export async function readNotePrefix(client: pg.Client): Promise<string | undefined> {
  const found = await findInstalled(client);
  if (!isWhole(found) || !found.readable) return undefined;
  const [row] = await selectJson<{ key: string }>(client, KEY_SQL);
  return row === undefined ? undefined : notePrefix(row.key);
}

async function findInstalled(client: pg.Client): Promise<InstalledNotes | undefined> {
  const [found] = await selectJson<InstalledNotes>(client, FIND_NOTES);
  return found;
}

/** Also for sessions that apply replicated changes, whose statements would go unnoticed otherwise. */
function triggersSql(schema: string): string[] {
  return Object.entries(TRIGGERS).flatMap(([name, event]) => {
    const tags = event === "sql_drop" ? DROP_TAGS : event === "table_rewrite" ? ["ALTER TABLE"] : TAGS;
    return [
      `create event trigger ${name} on ${event} when tag in (${tags.map(literal).join(", ")})
        execute function ${noteFunction(schema)}()`,
      `alter event trigger ${name} enable always`,
    ];
  });
}

function noteFunction(schema: string): string {
  return qualified({ schema, name: NOTE_FUNCTION });
}

function keptFor({ readable }: InstalledNotes, endpoint: EndpointConfig): KeptNotes {
  return readable ? KEPT : unnoted(endpoint, `The role may not read ${KEY_SCHEMA}.note_key`);
}

const KEPT: KeptNotes = { kept: true, findings: [] };

function unnoted({ database }: EndpointConfig, why: string): KeptNotes {
  const told = finding("source.changes_unnoted", "info", {
    subject: database,
    message: `The source does not note schema changes in its log. ${why}.`,
  });
  return { kept: false, findings: [told] };
}
