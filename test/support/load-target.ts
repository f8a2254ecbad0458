import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Journal } from "../../src/core/journal.ts";
import type { TablePlan } from "../../src/core/plan.ts";
import type { RowChunk } from "../../src/core/row-chunk.ts";
import type { Partition } from "../../src/core/source.ts";
import type { LoadRequest } from "../../src/core/target.ts";
import { openJournal } from "../../src/engines/postgres/apply/journal.ts";
import { LoaderPool } from "../../src/engines/postgres/load/loader.ts";
import { describeTable, samePlan, unaborted } from "./bulk-copy.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";

export const id = { schema: "public", name: "t" };
export const whole: Partition = { id: "0", by: "whole", from: undefined, to: undefined, estimatedRows: 1 };
export const journalRequest = { taskId: "task", controlSchema: undefined };

export interface LoadTarget extends AsyncDisposable {
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly plan: TablePlan;
  readonly request: LoadRequest;
  readonly journal: Journal;
  readonly loaders: LoaderPool;
}

/** A target with an empty table, planned in its journal as one partition. */
export async function loadTarget(server: PostgresServer, ddl: string): Promise<LoadTarget> {
  const database = await server.createDatabase();
  await server.query(ddl, database);
  const endpoint = endpointOf(server, database);
  const plan = samePlan(await describeTable(endpoint, id));
  const journal = await openJournal(endpoint, journalRequest, unaborted);
  const loaders = new LoaderPool(endpoint);
  await journal.planTables([{ id, created: true, snapshot: undefined, partitions: [whole] }], unaborted);
  return {
    database,
    endpoint,
    plan,
    request: { ...journalRequest, plan, partition: whole, format: "pg-copy-text" },
    journal,
    loaders,
    async [Symbol.asyncDispose]() {
      await journal[Symbol.asyncDispose]();
      await loaders[Symbol.asyncDispose]();
    },
  };
}

/** One CopyData frame of text rows. */
export function rows(...lines: readonly string[]): RowChunk {
  const body = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const frame = Buffer.alloc(5 + body.length);
  frame.write("d");
  frame.writeInt32BE(4 + body.length, 1);
  body.copy(frame, 5);
  return { bytes: frame, rows: lines.length };
}
