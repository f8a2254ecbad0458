import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal, JournalRequest } from "../../src/core/journal.ts";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { unaborted } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** A position. */
export const at = (text: string) => ({ kind: "pg-lsn", text });

/** An empty database. */
export async function newTarget(
  server: PostgresServer,
): Promise<{ database: string; endpoint: EndpointConfig }> {
  const database = await server.createDatabase();
  return { database, endpoint: endpointOf(server, database) };
}

/** A task's journal there; the task is t1 unless said otherwise. */
export function open(endpoint: EndpointConfig, request: Partial<JournalRequest> = {}): Promise<Journal> {
  return openJournal(endpoint, { taskId: "t1", controlSchema: undefined, ...request }, unaborted);
}
