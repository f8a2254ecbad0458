import { MigrationError } from "../../../core/error.ts";
import type { Position } from "../../../core/position.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { type BinlogPlace, gtidPosition, placePosition } from "./binlog-position.ts";
import { type GtidSet, parseGtids } from "./gtid.ts";

/** Global variables by name; those that the server does not have are left out. */
export async function globalVariables(
  client: Client,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const list = names.map((name) => `'${name}'`).join(", ");
  const rows = await client.query<{ Variable_name: string; Value: string | null }>(
    `show global variables where variable_name in (${list})`,
  );
  return new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value ?? ""]));
}

/** One row of SHOW MASTER STATUS. */
export interface LogStatus {
  readonly place: BinlogPlace;
  /** Databases that alone are logged; empty for all. */
  readonly onlyDatabases: readonly string[];
  /** Databases that are not logged. */
  readonly ignoredDatabases: readonly string[];
}

/** Where the binary log ends and what is left out of it; undefined when there is none. Needs REPLICATION CLIENT. */
export async function logStatus(client: Client): Promise<LogStatus | undefined> {
  const [row] = await client.query<{
    File: string;
    Position: string;
    Binlog_Do_DB: string;
    Binlog_Ignore_DB: string;
  }>(statusSql(client.facts));
  if (row === undefined) return undefined;
  return {
    place: { file: row.File, byte: Number(row.Position) },
    onlyDatabases: names(row.Binlog_Do_DB),
    ignoredDatabases: names(row.Binlog_Ignore_DB),
  };
}

function names(list: string | null): readonly string[] {
  return (list ?? "").split(",").filter((name) => name !== "");
}

/** MySQL 8.4 knows the old name no more; MariaDB has kept it. */
function statusSql(facts: ServerFacts): string {
  const isNew = facts.flavour === "mysql" && atLeast(facts, 8, 2);
  return isNew ? "show binary log status" : "show master status";
}

/**
 * The end of the log now. Throws `source.binary_log_off` where there is none to have an end; of a server that
 * numbers its transactions the answer needs no privilege.
 */
export async function currentPosition(client: Client): Promise<Position> {
  if (client.facts.hasGtids) return gtidPosition(await loggedGtids(client));
  const status = await logStatus(client);
  if (status !== undefined) return placePosition(status.place);
  throw new MigrationError("source.binary_log_off", { message: "The source writes no binary log." });
}

/** What the log of a server that numbers its transactions holds, and held before its oldest file. */
export async function loggedGtids(client: Client): Promise<GtidSet> {
  const name = client.facts.flavour === "mariadb" ? "gtid_binlog_pos" : "gtid_executed";
  return readGtids(client, name);
}

export async function readGtids(client: Client, variable: string): Promise<GtidSet> {
  const [row] = await client.query<{ value: string | null }>(`select @@global.${variable} as value`);
  return parseGtids(row?.value ?? "");
}

export interface LogFile {
  readonly name: string;
  readonly bytes: number;
}

/** A user without the privilege for the question. */
const NOT_ALLOWED = new Set([1044, 1045, 1142, 1227]);
/** The server has no binary log. */
const NO_LOG = 1381;

/** Files of the log, the oldest first; undefined for a user who may not ask. Empty when there is no log. */
export async function logFiles(client: Client): Promise<readonly LogFile[] | undefined> {
  try {
    const rows = await client.query<{ Log_name: string; File_size: string }>("show binary logs");
    return rows.map((row) => ({ name: row.Log_name, bytes: Number(row.File_size) }));
  } catch (error) {
    const number = serverFields(error)?.number ?? 0;
    if (NOT_ALLOWED.has(number)) return undefined;
    if (number === NO_LOG) return [];
    throw error;
  }
}

/** Whether the error is that the user may not ask. */
export function isNotAllowed(error: unknown): boolean {
  return NOT_ALLOWED.has(serverFields(error)?.number ?? 0);
}
