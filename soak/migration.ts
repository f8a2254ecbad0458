import * as dms from "@aws-sdk/client-database-migration-service";
import type { TableId } from "../src/core/schema.ts";
import { eventually } from "../test/support/eventually.ts";
import { TaskApi } from "../test/support/task-api.ts";
import { RULES } from "./ruled.ts";
import type { Service } from "./service.ts";
import type { Side } from "./world.ts";

/** Those that the target gets as they are. */
export const SCHEMAS = ["shop", "audit", "soak"];

const MAPPINGS = JSON.stringify({
  rules: [
    ...RULES,
    ...SCHEMAS.map((schema, index) => ({
      "rule-type": "selection",
      "rule-id": String(RULES.length + index + 1),
      "rule-name": schema,
      "object-locator": { "schema-name": schema, "table-name": "%" },
      "rule-action": "include",
    })),
  ],
});

/** Faults come every few seconds: between two of them a task has to have tried again. */
const SETTINGS = JSON.stringify({
  ErrorBehavior: {
    RecoverableErrorInterval: 1,
    RecoverableErrorThrottlingMax: 5,
    RecoverableErrorStopRetryAfterThrottlingMax: false,
  },
});

export interface TaskState {
  readonly status: string;
  readonly failure: string | undefined;
  /** Tables that are set aside. */
  readonly suspended: readonly string[];
  readonly fullLoadPercent: number;
}

/** The task that is put to the test, made and driven through AWS's API. */
export class Migration {
  readonly #api: TaskApi;
  readonly #endpoints: readonly string[];
  readonly #arn: string;

  private constructor(api: TaskApi, endpoints: readonly string[], arn: string) {
    this.#api = api;
    this.#endpoints = endpoints;
    this.#arn = arn;
  }

  /** Makes instance, endpoints (through the sides' proxies) and task, and starts it. */
  static async start(service: Service, source: Side, target: Side): Promise<Migration> {
    const api = await TaskApi.start(source.server, service);
    const sourceArn = await api.endpoint("source", source.database, { Port: source.proxy.port });
    const targetArn = await api.endpoint("target", target.database, { Port: target.proxy.port });
    const databases = { source: source.database, target: target.database, sourceArn, targetArn };
    const arn = await api.createTask(databases, {
      MigrationType: "full-load-and-cdc",
      TableMappings: MAPPINGS,
      ReplicationTaskSettings: SETTINGS,
    });
    await api.start(arn);
    return new Migration(api, [sourceArn, targetArn], arn);
  }

  async state(): Promise<TaskState> {
    const { Status, LastFailureMessage, ReplicationTaskStats } = await this.#api.describe(this.#arn);
    const failed = (await this.#tables()).filter(({ TableState }) => TableState === "Table error");
    return {
      status: Status!,
      failure: LastFailureMessage,
      suspended: failed.map(({ SchemaName, TableName }) => `${SchemaName}.${TableName}`),
      fullLoadPercent: ReplicationTaskStats?.FullLoadProgressPercent ?? 0,
    };
  }

  /** Stops it in order and resolves when it has stopped. */
  async stop(): Promise<void> {
    await this.#accepted("a stop", () =>
      this.#api.client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: this.#arn })),
    );
    await this.#inState("stopped");
  }

  async resume(): Promise<void> {
    await this.#api.start(this.#arn, "resume-processing");
    await this.#inState("running");
  }

  /** Applies all up to a position of the source's log, sets sequences, and ends. */
  async drain(position: string): Promise<void> {
    await this.#api.client.send(
      new dms.StartReplicationTaskCommand({
        ReplicationTaskArn: this.#arn,
        StartReplicationTaskType: "resume-processing",
        CdcStopPosition: position,
      }),
    );
    await this.#inState("stopped");
  }

  /** Has a table loaded again, and resolves when it is. */
  async reload(table: TableId): Promise<void> {
    const { schema, name } = table;
    const since = (await this.#table(schema, name))?.FullLoadEndTime?.getTime() ?? 0;
    await this.askReload(table);
    await eventually(`${schema}.${name} to be loaded again`, async () => {
      const loaded = await this.#table(schema, name);
      return loaded?.TableState === "Table completed" && (loaded.FullLoadEndTime?.getTime() ?? 0) > since;
    });
  }

  /** Asks for a table to be loaded again, and resolves when that is accepted. */
  async askReload({ schema, name }: TableId): Promise<void> {
    const request = {
      ReplicationTaskArn: this.#arn,
      TablesToReload: [{ SchemaName: schema, TableName: name }],
    };
    await this.#accepted("a reload", () => this.#api.client.send(new dms.ReloadTablesCommand(request)));
  }

  /** Deletes the task, the endpoints and the instance, and resolves when they are gone. */
  async remove(): Promise<void> {
    const { client } = this.#api;
    await this.#api.remove(this.#arn);
    for (const EndpointArn of this.#endpoints) {
      await client.send(new dms.DeleteEndpointCommand({ EndpointArn }));
    }
    await client.send(
      new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn: this.#api.instanceArn }),
    );
    await eventually("the instance to be gone", () =>
      client.send(new dms.DescribeReplicationInstancesCommand({})).then(
        ({ ReplicationInstances }) => ReplicationInstances!.length === 0,
        () => true,
      ),
    );
  }

  /** Asks again while the task, or its instance's process, is being started. */
  async #accepted<Answer>(what: string, ask: () => Promise<Answer>): Promise<void> {
    await eventually(`${what} to be accepted`, () =>
      ask().catch((error: Error) => {
        if (error.name === "InvalidResourceStateFault") return undefined;
        throw error;
      }),
    );
  }

  async #inState(wanted: string): Promise<void> {
    await eventually(`the task to be ${wanted}`, async () => {
      const { Status, LastFailureMessage } = await this.#api.describe(this.#arn);
      if (Status === "failed") throw new Error(`the task has failed: ${LastFailureMessage}`);
      return Status === wanted;
    });
  }

  async #tables(): Promise<readonly dms.TableStatistics[]> {
    const { TableStatistics } = await this.#api.client.send(
      new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: this.#arn, MaxRecords: 500 }),
    );
    return TableStatistics!;
  }

  async #table(schema: string, name: string): Promise<dms.TableStatistics | undefined> {
    return (await this.#tables()).find((table) => table.SchemaName === schema && table.TableName === name);
  }
}
