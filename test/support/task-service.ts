import { after } from "node:test";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { TaskApi } from "./task-api.ts";
import { startTideway, type TidewayServer } from "./tideway-server.ts";

export interface TaskService {
  readonly postgres: PostgresServer;
  readonly tideway: TidewayServer;
  readonly api: TaskApi;
}

/** A PostgreSQL server and a Tideway server with one instance, for all tests of a file, removed after them. */
export async function taskService(): Promise<TaskService> {
  const [postgres, tideway] = await Promise.all([startPostgres(), startTideway()]);
  after(async () => {
    await tideway[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
  });
  return { postgres, tideway, api: await TaskApi.start(postgres, tideway) };
}
