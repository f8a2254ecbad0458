import type { EndpointConfig } from "../../src/core/engine.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { assertEqualDatabases } from "./assert-equal.ts";
import { endpointOf } from "./endpoint.ts";
import type { ServerPair } from "./server-pair.ts";
import { ObservedTask, schemas, taskSpec } from "./task.ts";

export interface TaskParts extends Partial<TaskSpec> {
  /** Of the source's endpoint. */
  readonly sourceSettings?: EndpointConfig["settings"];
}

/** A source database with its tables in the schema `app`, an empty target database, and a task between them. */
export class TaskPair {
  readonly servers: ServerPair;
  readonly from: string;
  readonly to: string;
  readonly spec: TaskSpec;
  readonly #tasks: ObservedTask[] = [];

  private constructor(
    servers: ServerPair,
    names: { from: string; to: string },
    { sourceSettings = {}, ...parts }: TaskParts,
  ) {
    this.servers = servers;
    this.from = names.from;
    this.to = names.to;
    this.spec = taskSpec({
      type: "full-load-and-cdc",
      source: { ...endpointOf(servers.source, this.from), settings: sourceSettings },
      target: endpointOf(servers.target, this.to),
      tableMappings: schemas("app"),
      ...parts,
    });
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

  query(sql: string): ReturnType<ServerPair["source"]["query"]> {
    return this.servers.source.query(sql, this.from);
  }

  queryTarget(sql: string): ReturnType<ServerPair["target"]["query"]> {
    return this.servers.target.query(sql, this.to);
  }

  run(parts: Partial<TaskSpec> = {}): ObservedTask {
    const task = new ObservedTask({ ...this.spec, ...parts });
    this.#tasks.push(task);
    return task;
  }

  /** Runs the task; resolves when it has caught up and goes on. */
  async replicate(parts: Partial<TaskSpec> = {}): Promise<ObservedTask> {
    const task = this.run(parts);
    await task.until(({ phase }) => phase === "replicating");
    return task;
  }

  /** Ends what a test that failed has left at work, which would keep its file from ending. */
  async end(): Promise<void> {
    for (const { running } of this.#tasks) {
      running.stop();
      running.stop();
      await running.outcome;
    }
  }

  async assertEqual(): Promise<void> {
    const { from, to } = this;
    await assertEqualDatabases({ ...this.servers, from, to, schemas: ["app"] });
  }
}
