import { spawn } from "node:child_process";
import { once } from "node:events";
import { qualified } from "../../src/engines/shared/identifier.ts";
import { listUserTables } from "../../test/support/compare.ts";
import type { PostgresServer } from "../../test/support/postgres-server.ts";

/**
 * Bytes of COPY's text form of all tables: one measure for every contender, whatever format it moves.
 * One psql reads all tables and what it writes is counted.
 */
export async function textVolume(psql: string, server: PostgresServer, database: string): Promise<number> {
  const client = await server.connect(database);
  const tables = await listUserTables(client).finally(() => client.end());
  const child = spawn(psql, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.url(database)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  child.stdin.end(tables.map((table) => `copy ${qualified(table)} to stdout;\n`).join(""));
  const [code] = await ended;
  if (code !== 0) throw new Error("psql could not read the data to measure it.");
  return bytes;
}
