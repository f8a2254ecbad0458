import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal, JournalRequest } from "../../src/core/journal.ts";
import type { Partition } from "../../src/core/source.ts";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { unaborted } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";

export const orders = { schema: "shop", name: "orders" };
export const nasty = { schema: `a"b'c\\d`, name: `${"x".repeat(60)}é😀` };
/** A position. */
export const at = (text: string) => ({ kind: "pg-lsn", text });

/** By key, with values that are hard to write, and by block. */
export const partitions: readonly Partition[] = [
  {
    id: "0",
    by: "key",
    columns: ["a", 'b"'],
    from: undefined,
    to: ["1", `it's "\\ 😀\n`],
    estimatedRows: 12,
  },
  {
    id: "1",
    by: "key",
    columns: ["a", 'b"'],
    from: ["1", `it's "\\ 😀\n`],
    to: undefined,
    estimatedRows: 1e12,
  },
  ...Array.from({ length: 10 }, (_, i) => ({
    id: String(i + 2),
    by: "block" as const,
    from: ["7"],
    to: ["8"],
    estimatedRows: 0,
  })),
];

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
