import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { KeptNotes } from "../../../core/schema-note.ts";
import { finding } from "../../shared/finding.ts";
import { literal } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { IS_KEY_FOREIGN, KEY_SCHEMA, MAKE_KEY } from "../catalog/note-key.ts";
import { EMPTY_MESSAGE, NOTE_FUNCTION, noteFunctionSql } from "../catalog/schema-notes-sql.ts";
import { errorCode } from "../connection/error-code.ts";
import { lookAgain } from "../connection/look-again.ts";
import { inShortLocks, isLocked } from "../connection/short-locks.ts";
import { DROP_TRIGGERS } from "./drop-notes.ts";
import {
  findInstalled,
  type InstalledNotes,
  isComplete,
  isWhole,
  LOCK_NOTES,
  NOTE_LOCKS,
  NOTE_TRIGGERS,
  noteFunction,
  selectInstalled,
} from "./installed-notes.ts";

/** pgoutput passes messages on from version 14 on. */
export const NOTES_VERSION = 140_000;

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
  const [server] = await selectJson<{ version: number; standby: boolean }>(
    client,
    "select current_setting('server_version_num')::int as version, pg_is_in_recovery() as standby",
  );
  if (server!.version < NOTES_VERSION) return unnoted(endpoint, "Its version is older than 14");
  const given = endpoint.settings["DdlArtifactsSchema"];
  const wish = typeof given === "string" && given !== "" ? given : DEFAULT_SCHEMA;
  const found = await findInstalled(client);
  if (isWhole(found) && (isCurrent(found) || !makes)) return keptFor(found, endpoint);
  if (!makes) return unnoted(endpoint, "It has none");
  if (server!.standby) return unnoted(endpoint, "It is a standby");
  try {
    return (await install(client, endpoint, wish)) ?? (await start(client, endpoint));
  } catch (error) {
    return await notMade(client, { endpoint, wish, error });
  }
}

/** Whether the function is this version's. */
function isCurrent({ schema, source }: InstalledNotes): boolean {
  return source === noteFunctionSql(schema).body;
}

/** One at a time, and in a transaction, so that the lock goes with it also behind a pooler. */
async function alone<Result>(client: pg.Client, work: () => Promise<Result>): Promise<Result> {
  return await lookAgain(() =>
    inShortLocks(client, NOTE_LOCKS, async () => {
      await client.query(LOCK_NOTES);
      return await work();
    }),
  );
}

/** Makes what is not there; resolves with undefined when it is still to be noted from where on it is. */
async function install(
  client: pg.Client,
  endpoint: EndpointConfig,
  wish: string,
): Promise<KeptNotes | undefined> {
  return await alone(client, async () => {
    const found = await selectInstalled(client);
    const there = isComplete(found) ? found : undefined;
    if (there !== undefined && isCurrent(there)) return undefined;
    if (there === undefined && (await isKeyForeign(client))) {
      return refused(endpoint, `Its schema ${KEY_SCHEMA} is somebody else's`);
    }
    // All tasks share it, wherever the first has made it.
    await client.query(installSql(there?.schema ?? wish, there !== undefined).join(";\n"));
    return undefined;
  });
}

/**
 * Notes from where on they are there, whoever has made them, in a later transaction than that. Of a transaction that was
 * under way when the triggers came, a statement may lack its note: it is found by comparing.
 */
async function start(client: pg.Client, endpoint: EndpointConfig): Promise<KeptNotes> {
  failpoint("stream.notes-kept");
  return await alone(client, async () => {
    const found = await selectInstalled(client);
    if (!isComplete(found)) return unnoted(endpoint, "Somebody drops them again");
    if (found.since !== null) return keptFor(found, endpoint);
    // All that is in the log before this message was committed before it, see currentPosition().
    const [log] = await selectJson<{ end: string }>(client, `select ${EMPTY_MESSAGE} as "end"`);
    const comment = literal(`Tideway notes schema changes since ${log!.end}`);
    await client.query(`comment on event trigger tideway_note_end is ${comment}`);
    return keptFor(found, endpoint);
  });
}

/** Without its notes a source is read all the same, and what is in the way now is asked for in the next attempt again. */
async function notMade(
  client: pg.Client,
  {
    endpoint,
    wish,
    error,
  }: { readonly endpoint: EndpointConfig; readonly wish: string; readonly error: unknown },
): Promise<KeptNotes> {
  const code = errorCode(error);
  const isInTheWay = isLocked(error);
  if (!isInTheWay && !isRefusal(code) && !isPassing(code)) throw error;
  // That of another version, which the role may not replace.
  const there = await findInstalled(client);
  if (isWhole(there)) return { ...keptFor(there, endpoint), refused: isRefusal(code) };
  if (isInTheWay)
    return unnoted(endpoint, "A transaction that has altered a table, or another task, is in the way now");
  const why = REFUSALS.get(code!)?.(wish) ?? `It refuses them (${code})`;
  return isRefusal(code) ? refused(endpoint, why) : unnoted(endpoint, why);
}

/** Whether a server does not have it made, for a reason that will not pass: somebody's own trigger may say so. */
function isRefusal(code: string | undefined): code is string {
  return code !== undefined && SQLSTATE.test(code) && !isPassing(code) && !/^(08|40|53|55P|57P)/.test(code);
}

/** Read only for now, cancelled, or an error of the server's own; the session goes on. */
function isPassing(code: string | undefined): boolean {
  return code !== undefined && SQLSTATE.test(code) && /^(25006|57014|58|XX)/.test(code);
}

const SQLSTATE = /^[0-9FHPX][0-9A-Z]{4}$/;

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
