import assert from "node:assert/strict";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { assertEqualDatabases } from "./assert-equal.ts";
import { endpointOf } from "./endpoint.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { ServerPair } from "./server-pair.ts";
import { schemas, taskSpec } from "./task.ts";
import { TaskRuns } from "./task-runs.ts";

export interface TaskParts extends Partial<TaskSpec> {
  /** Of the source's endpoint. */
  readonly sourceSettings?: EndpointConfig["settings"];
}

/** A source database with its tables in the schema `app`, an empty target database, and a task between them. */
export class TaskPair extends TaskRuns {
  readonly servers: ServerPair;
  readonly from: string;
  readonly to: string;

  private constructor(
    servers: ServerPair,
    { from, to }: { from: string; to: string },
    { sourceSettings = {}, ...parts }: TaskParts,
  ) {
    super(
      taskSpec({
        type: "full-load-and-cdc",
        source: { ...endpointOf(servers.source, from), settings: sourceSettings },
        target: endpointOf(servers.target, to),
        tableMappings: schemas("app"),
        ...parts,
      }),
    );
    this.servers = servers;
    this.from = from;
    this.to = to;
  }

  static async make(
    servers: ServerPair,
    { name, schema, ...parts }: TaskParts & { readonly name: string; readonly schema: string },
  ): Promise<TaskPair> {
    const from = await servers.source.createDatabase(name);
    const to = await servers.target.createDatabase(name);
    const pair = new TaskPair(servers, { from, to }, parts);
    await pair.query(schema);
    return pair;
  }

  query(sql: string): ReturnType<PostgresServer["query"]> {
    return this.servers.source.query(sql, this.from);
  }

  queryTarget(sql: string): ReturnType<PostgresServer["query"]> {
    return this.servers.target.query(sql, this.to);
  }

  async assertEqual(): Promise<void> {
    const { from, to } = this;
    await assertEqualDatabases({ ...this.servers, from, to, schemas: ["app"] });
  }
}

/** No change found another row on the target than on the source, in the control tables of the schema public. */
export async function assertNoConflicts(target: PostgresServer, database: string): Promise<void> {
  const [{ there }] = await target.query(
    "select to_regclass('public.awsdms_apply_exceptions') is not null as there",
    database,
  );
  if (!there) return;
  const conflicts = await target.query(
    `select "TABLE_NAME", "ERROR", count(*)::int from awsdms_apply_exceptions group by 1, 2`,
    database,
  );
  assert.deepEqual(conflicts, []);
}
