import type pg from "pg";
import { failpoint } from "../../base/failpoint.ts";
import type { EndpointConfig } from "../../core/engine.ts";
import type { KeptNotes } from "../../core/source.ts";
import { literal } from "../shared/identifier.ts";
import { selectJson } from "./catalog-query.ts";
import { DROP_TRIGGERS, isRefusal } from "./drop-notes.ts";
import { errorCode } from "./error-code.ts";
import { finding } from "./finding.ts";
import {
  findInstalled,
  type InstalledNotes,
  isWhole,
  NOTE_LOCKS,
  NOTE_TRIGGERS,
  NOTES_LOCK,
  noteFunction,
} from "./installed-notes.ts";
import { IS_KEY_FOREIGN, KEY_SCHEMA, MAKE_KEY } from "./note-key.ts";
import { NOTE_FUNCTION, noteFunctionSql } from "./schema-notes-sql.ts";
import { inShortLocks } from "./short-locks.ts";
import { currentPosition } from "./slot.ts";

/** pgoutput passes messages on from version 14 on. */
const NOTES_VERSION = 140_000;

/** Of the session, which has it beyond the transaction that takes it. */
const LOCK_SQL = `select pg_catalog.pg_advisory_lock(${NOTES_LOCK})`;
const UNLOCK_SQL = `select pg_catalog.pg_advisory_unlock(${NOTES_LOCK})`;

const DEFAULT_SCHEMA = "public";

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

/**
 * Makes the source note schema changes in its log, for all tasks that read it. What this version of Tideway has made
 * stays. The client must not be in a transaction.
 */
export async function keepNotes(
  client: pg.Client,
  endpoint: EndpointConfig,
  makes: boolean,
): Promise<KeptNotes> {
  if (endpoint.settings["CaptureDdls"] === false) return NOT_WANTED;
  const [server] = await selectJson<{ version: number }>(
    client,
    "select current_setting('server_version_num')::int as version",
  );
  if (server!.version < NOTES_VERSION) return unnoted(endpoint, "Its version is older than 14");
  const given = endpoint.settings["DdlArtifactsSchema"];
  const wish = typeof given === "string" && given !== "" ? given : DEFAULT_SCHEMA;
  const found = await findInstalled(client);
  if (isWhole(found) && (isCurrent(found) || !makes)) return keptFor(found, endpoint);
  if (!makes) return unnoted(endpoint, "It has none");
  await inShortLocks(client, NOTE_LOCKS, () => client.query(LOCK_SQL));
  try {
    return await install(client, endpoint, wish);
  } finally {
    await client.query(UNLOCK_SQL).catch(() => undefined);
  }
}

/** Whether the function is this version's. */
function isCurrent({ schema, source }: InstalledNotes): boolean {
  return source === noteFunctionSql(schema).body;
}

/** Under the lock, since it takes two transactions: another task may have been first. */
async function install(client: pg.Client, endpoint: EndpointConfig, wish: string): Promise<KeptNotes> {
  const found = await findInstalled(client);
  const there = isWhole(found) ? found : undefined;
  if (there !== undefined && isCurrent(there)) return keptFor(there, endpoint);
  if (there === undefined && (await isKeyForeign(client))) {
    return refused(endpoint, `Its schema ${KEY_SCHEMA} is somebody else's`);
  }
  // All tasks share it, wherever the first has made it.
  const statements = installSql(there?.schema ?? wish, there !== undefined);
  try {
    await inShortLocks(client, NOTE_LOCKS, () => client.query(statements.join(";\n")));
    failpoint("stream.notes-kept");
    if (there !== undefined) return keptFor(there, endpoint);
    // Of a transaction that was under way when the triggers came, a statement may lack its note: it is found by comparing.
    const { text } = await currentPosition(client);
    const comment = literal(`Tideway notes schema changes since ${text}`);
    await client.query(`comment on event trigger tideway_note_end is ${comment}`);
    return KEPT;
  } catch (error) {
    const code = errorCode(error);
    if (!isRefusal(code)) throw error;
    // That of another version, which the role may not replace.
    if (there !== undefined) return { ...keptFor(there, endpoint), refused: true };
    return refused(endpoint, REFUSALS.get(code)?.(wish) ?? `It refuses them (${code})`);
  }
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

/** Also for sessions that apply replicated changes, whose statements would go unnoticed otherwise. */
function triggersSql(schema: string): string[] {
  return Object.entries(NOTE_TRIGGERS).flatMap(([name, event]) => {
    const tags = event === "sql_drop" ? DROP_TAGS : event === "table_rewrite" ? ["ALTER TABLE"] : TAGS;
    return [
      `create event trigger ${name} on ${event} when tag in (${tags.map(literal).join(", ")})
        execute function ${noteFunction(schema)}()`,
      `alter event trigger ${name} enable always`,
    ];
  });
}

function keptFor({ readable }: InstalledNotes, endpoint: EndpointConfig): KeptNotes {
  return readable ? KEPT : unnoted(endpoint, `The role may not read ${KEY_SCHEMA}.note_key`);
}

const KEPT: KeptNotes = { kept: true, refused: false, findings: [] };
const NOT_WANTED: KeptNotes = { ...KEPT, kept: false };

function refused(endpoint: EndpointConfig, why: string): KeptNotes {
  return { ...unnoted(endpoint, why), refused: true };
}

function unnoted({ database }: EndpointConfig, why: string): KeptNotes {
  const told = finding("source.changes_unnoted", "info", {
    subject: database,
    message: `The source does not note schema changes in its log. ${why}.`,
  });
  return { kept: false, refused: false, findings: [told] };
}
