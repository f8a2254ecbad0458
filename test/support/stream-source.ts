import type pg from "pg";
import type { Misfit } from "../../src/core/change-batch.ts";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { Position } from "../../src/core/position.ts";
import type { TableSchema } from "../../src/core/schema.ts";
import type { ChangeStream } from "../../src/core/source.ts";
import { describe, listTables } from "../../src/engines/postgres/catalog/catalog.ts";
import { lsnCodec } from "../../src/engines/postgres/catalog/lsn.ts";
import { openChangeStream } from "../../src/engines/postgres/log/change-stream.ts";
import { dropStream } from "../../src/engines/postgres/log/slot.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { never } from "./replication.ts";
import { connectTo } from "./schema-plan.ts";

/** A database whose changes a task reads: a client, the described tables and the task's name. */
export class StreamSource implements AsyncDisposable {
  readonly server: PostgresServer;
  readonly database: string;
  readonly endpoint: EndpointConfig;
  readonly client: pg.Client;
  tables: readonly TableSchema[] = [];

  private constructor(server: PostgresServer, database: string, client: pg.Client) {
    this.server = server;
    this.database = database;
    this.endpoint = endpointOf(server, database);
    this.client = client;
  }

  static async make(server: PostgresServer, schema: string): Promise<StreamSource> {
    const database = await server.createDatabase("stream");
    await server.query(schema, database);
    const fixture = new StreamSource(server, database, await connectTo(server, database));
    await fixture.describe();
    return fixture;
  }

  get request(): { readonly taskId: string; readonly tables: readonly TableSchema[] } {
    return { taskId: this.database, tables: this.tables };
  }

  async describe(): Promise<void> {
    this.tables = (await describe(this.client, await listTables(this.client))).tables;
  }

  query(sql: string): ReturnType<PostgresServer["query"]> {
    return this.server.query(sql, this.database);
  }

  open(after: Position): Promise<ChangeStream> {
    return openChangeStream(this.client, this.endpoint, { ...this.request, after }, never);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await dropStream(this.client, this.request, never);
    await this.client.end();
  }
}

/** Ops of all transactions up to and including `goal`; what does not fit its table goes to `misfits`. */
export async function opsUpTo(stream: ChangeStream, goal: Position, misfits: Misfit[] = []): Promise<number> {
  let ops = 0;
  const probe = setInterval(() => stream.probe(), 20);
  try {
    for await (const item of stream) {
      if (item.kind === "changes") {
        ops += item.batch.ops.length / 4;
        misfits.push(...(item.batch.misfits ?? []));
      }
      const position = item.kind === "heartbeat" ? item.position : item.batch.transactions.at(-1)!.position;
      if (lsnCodec.compare(position, goal) !== -1) return ops;
    }
  } finally {
    clearInterval(probe);
  }
  return ops;
}
