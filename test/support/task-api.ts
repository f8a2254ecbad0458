import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "./dms-client.ts";
import { eventually } from "./eventually.ts";
import type { PostgresServer } from "./postgres-server.ts";
import type { TidewayServer } from "./tideway-server.ts";

/** Two databases of one server and an endpoint for each. */
export interface Pair {
  readonly source: string;
  readonly target: string;
  readonly sourceArn: string;
  readonly targetArn: string;
}

/** Table mappings that select all of schema public. */
export const everything = JSON.stringify({
  rules: [
    {
      "rule-type": "selection",
      "rule-id": "1",
      "rule-name": "1",
      "object-locator": { "schema-name": "public", "table-name": "%" },
      "rule-action": "include",
    },
  ],
});

/** What tests of tasks do with a Tideway server, one replication instance and one PostgreSQL server. */
export class TaskApi {
  readonly postgres: PostgresServer;
  client: dms.DatabaseMigrationServiceClient;
  instanceArn = "";
  #made = 0;

  constructor(postgres: PostgresServer, client: dms.DatabaseMigrationServiceClient) {
    this.postgres = postgres;
    this.client = client;
  }

  static async start(postgres: PostgresServer, tideway: Pick<TidewayServer, "client">): Promise<TaskApi> {
    const api = new TaskApi(postgres, await tideway.client());
    const { ReplicationInstance } = await api.client.send(
      new dms.CreateReplicationInstanceCommand({
        ReplicationInstanceIdentifier: "worker",
        ReplicationInstanceClass: "dms.t3.medium",
      }),
    );
    api.instanceArn = ReplicationInstance!.ReplicationInstanceArn!;
    await dms.waitUntilReplicationInstanceAvailable(waiting(api.client), {});
    return api;
  }

  /** Another identifier each time. */
  name(prefix: string): string {
    return `${prefix}${++this.#made}`;
  }

  async endpoint(
    type: "source" | "target",
    database: string,
    change: Partial<dms.CreateEndpointCommandInput> = {},
  ): Promise<string> {
    const { Endpoint } = await this.client.send(
      new dms.CreateEndpointCommand({
        EndpointIdentifier: this.name("e"),
        EndpointType: type,
        EngineName: "postgres",
        ServerName: "127.0.0.1",
        Port: this.postgres.port,
        Username: "postgres",
        Password: this.postgres.password,
        DatabaseName: database,
        ...change,
      }),
    );
    return Endpoint!.EndpointArn!;
  }

  /** The source has a table `item` with a key and so many rows. */
  async pair(rows: number): Promise<Pair> {
    const source = await this.postgres.createDatabase();
    const target = await this.postgres.createDatabase();
    await this.postgres.query(
      `create table item (id int primary key, name text);
       insert into item select n, 'name ' || n from generate_series(1, ${rows}) n`,
      source,
    );
    const sourceArn = await this.endpoint("source", source);
    return { source, target, sourceArn, targetArn: await this.endpoint("target", target) };
  }

  async createTask(
    databases: Pair,
    change: Partial<dms.CreateReplicationTaskCommandInput> = {},
  ): Promise<string> {
    const { ReplicationTask } = await this.client.send(
      new dms.CreateReplicationTaskCommand({
        ReplicationTaskIdentifier: this.name("t"),
        SourceEndpointArn: databases.sourceArn,
        TargetEndpointArn: databases.targetArn,
        ReplicationInstanceArn: this.instanceArn,
        MigrationType: "full-load",
        TableMappings: everything,
        ...change,
      }),
    );
    const arn = ReplicationTask!.ReplicationTaskArn!;
    await this.inState(arn, "ready");
    return arn;
  }

  async describe(arn: string): Promise<dms.ReplicationTask> {
    const { ReplicationTasks } = await this.client.send(
      new dms.DescribeReplicationTasksCommand({
        Filters: [{ Name: "replication-task-arn", Values: [arn] }],
      }),
    );
    return ReplicationTasks![0]!;
  }

  /** Fails at once when the task has failed instead. */
  inState(arn: string, wanted: string): Promise<dms.ReplicationTask> {
    return eventually(`task to be ${wanted}`, async () => {
      const task = await this.describe(arn);
      if (task.Status === "failed" && wanted !== "failed") throw new Error(task.LastFailureMessage);
      return task.Status === wanted && task;
    });
  }

  async start(
    arn: string,
    type: dms.StartReplicationTaskTypeValue = "start-replication",
  ): Promise<dms.ReplicationTask> {
    const command = new dms.StartReplicationTaskCommand({
      ReplicationTaskArn: arn,
      StartReplicationTaskType: type,
    });
    return (await this.client.send(command)).ReplicationTask!;
  }

  async stop(arn: string): Promise<void> {
    await this.client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: arn }));
    await this.inState(arn, "stopped");
  }

  async remove(arn: string): Promise<void> {
    await this.client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn }));
    await eventually("task to be gone", async () => {
      try {
        await this.describe(arn);
        return false;
      } catch (error) {
        return (error as Error).name === "ResourceNotFoundFault";
      }
    });
  }

  /** Resolves when `item` has so many rows. */
  async untilRows(database: string, rows: number): Promise<void> {
    await eventually(`${rows} rows in ${database}`, async () => (await this.count(database)) === rows);
  }

  /** Rows of `item`; -1 while the table is not there. */
  async count(database: string): Promise<number> {
    try {
      const [row] = await this.postgres.query("select count(*)::int as n from item", database);
      return row.n;
    } catch {
      return -1;
    }
  }

  /** The numbers of a task's events, oldest first. */
  async eventsOf(arn: string): Promise<string[]> {
    const { ReplicationTaskIdentifier } = await this.describe(arn);
    const { Events } = await this.client.send(
      new dms.DescribeEventsCommand({
        SourceType: "replication-task" as "replication-instance",
        SourceIdentifier: ReplicationTaskIdentifier,
      }),
    );
    return Events!.map((event) => /DMS-EVENT-(\d+)/.exec(event.Message!)![1]!);
  }
}
