import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import type { Failpoint } from "../../src/base/failpoint.ts";
import { EventReceiver } from "../support/event-receiver.ts";
import { eventually } from "../support/eventually.ts";
import { killsIn } from "../support/kills.ts";
import { startPostgres } from "../support/postgres-server.ts";
import { ServiceProcess } from "../support/service-process.ts";
import { type Pair, TaskApi } from "../support/task-api.ts";

type ServicePlace = Extract<Failpoint, `service.${string}`>;

const postgres = await startPostgres();
const dataDir = await mkdtemp(join(tmpdir(), "tideway-killed-"));
const receiver = await EventReceiver.start();
const topic = "arn:aws:sns:us-east-1:000000000000:events";
const topicsFile = join(dataDir, "topics.json");
await writeFile(topicsFile, JSON.stringify({ [topic]: receiver.address }));
after(async () => {
  await receiver[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true, force: true });
  await postgres[Symbol.asyncDispose]();
});

/** One server after the other on one data directory, and what has been made on them. */
class Service {
  api: TaskApi | undefined;
  #pair: Pair | undefined;

  async instance(): Promise<void> {
    const class_ = { ReplicationInstanceIdentifier: "worker", ReplicationInstanceClass: "dms.t3.medium" };
    await this.#client.send(new dms.CreateReplicationInstanceCommand(class_));
  }

  async source(): Promise<void> {
    await this.#api.endpoint("source", this.pair.source, { EndpointIdentifier: "source" });
  }

  /** And has something happen that is told. */
  async subscribe(): Promise<void> {
    const subscription = { SubscriptionName: "all", SnsTopicArn: topic };
    await this.#client.send(new dms.CreateEventSubscriptionCommand(subscription));
    await this.#available();
    const { ReplicationInstances } = await this.#client.send(new dms.DescribeReplicationInstancesCommand({}));
    const { ReplicationInstanceArn } = ReplicationInstances![0]!;
    const grown = { ReplicationInstanceArn, AllocatedStorage: 60, ApplyImmediately: true };
    await this.#client.send(new dms.ModifyReplicationInstanceCommand(grown));
  }

  /** The instance and the source are there since one of the last servers. */
  async task(): Promise<void> {
    const api = this.#api;
    const { Endpoints } = await this.#client.send(new dms.DescribeEndpointsCommand({}));
    const sourceArn = Endpoints!.find((one) => one.EndpointIdentifier === "source")!.EndpointArn!;
    const targetArn = await api.endpoint("target", this.pair.target);
    const { ReplicationInstances } = await this.#client.send(new dms.DescribeReplicationInstancesCommand({}));
    api.instanceArn = ReplicationInstances![0]!.ReplicationInstanceArn!;
    await this.#available();
    const change = { MigrationType: "full-load-and-cdc", ReplicationTaskIdentifier: "task" } as const;
    await api.createTask({ ...this.pair, sourceArn, targetArn }, change);
  }

  async start(type: dms.StartReplicationTaskTypeValue): Promise<void> {
    await this.#available();
    await this.#api.start(await this.arn(), type);
  }

  /** Resolves when the target has every row of the source. */
  async caughtUp(): Promise<void> {
    await this.#api.inState(await this.arn(), "running");
    await this.#api.untilRows(this.pair.target, await this.#api.count(this.pair.source));
  }

  /** The target lacks a row that is nowhere but in another load. */
  async reload(): Promise<void> {
    await this.caughtUp();
    await postgres.query("delete from item where id = 1", this.pair.target);
    await this.#client.send(
      new dms.ReloadTablesCommand({
        ReplicationTaskArn: await this.arn(),
        TablesToReload: [{ SchemaName: "public", TableName: "item" }],
      }),
    );
  }

  async stop(): Promise<void> {
    await this.#client.send(new dms.StopReplicationTaskCommand({ ReplicationTaskArn: await this.arn() }));
  }

  async stopped(): Promise<void> {
    const { StopReason } = await this.#api.inState(await this.arn(), "stopped");
    assert.equal(StopReason, "Stop Reason NORMAL");
  }

  async remove(): Promise<void> {
    await this.#client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: await this.arn() }));
  }

  async arn(): Promise<string> {
    return (await this.tasks())[0]!.ReplicationTaskArn!;
  }

  async tasks(): Promise<dms.ReplicationTask[]> {
    return (await this.#client.send(new dms.DescribeReplicationTasksCommand({}))).ReplicationTasks!;
  }

  /** Numbers of the task's events, oldest first. */
  async events(): Promise<string[]> {
    const { Events } = await this.#client.send(new dms.DescribeEventsCommand({}));
    const own = Events!.filter(({ SourceIdentifier }) => SourceIdentifier === "task");
    return own.map(({ Message }) => /DMS-EVENT-(\d+)/.exec(Message!)![1]!);
  }

  async makeDatabases(): Promise<void> {
    const source = await postgres.createDatabase();
    const target = await postgres.createDatabase();
    await postgres.query("create table item (id serial primary key)", source);
    this.#pair = { source, target, sourceArn: "", targetArn: "" };
  }

  get pair(): Pair {
    return this.#pair!;
  }

  get #api(): TaskApi {
    return this.api!;
  }

  get #client(): dms.DatabaseMigrationServiceClient {
    return this.#api.client;
  }

  async #available(): Promise<void> {
    await eventually("the instance", async () => {
      const found = await this.#client.send(new dms.DescribeReplicationInstancesCommand({}));
      return found.ReplicationInstances![0]!.ReplicationInstanceStatus === "available";
    });
  }
}

/** What brings a server to each place; undefined for those that it comes by without being asked. */
const acts: Readonly<Record<ServicePlace, ((service: Service) => Promise<void>) | undefined>> = {
  "service.store-made": undefined,
  "service.key-made": undefined,
  "service.access-key-made": undefined,
  "service.credentials-written": undefined,
  "service.instance-stored": (service) => service.instance(),
  "service.endpoint-stored": (service) => service.source(),
  "service.event-delivered": (service) => service.subscribe(),
  "service.task-stored": (service) => service.task(),
  "service.task-start-stored": (service) => service.start("start-replication"),
  "service.task-progress-stored": undefined,
  "service.task-reload-stored": (service) => service.reload(),
  "service.task-end-stored": async (service) => {
    await service.caughtUp();
    await service.stop();
  },
  "service.task-stop-stored": async (service) => {
    await service.stopped();
    await service.start("resume-processing");
    await service.caughtUp();
    await service.stop();
  },
  "service.task-deletion-stored": async (service) => {
    await service.stopped();
    await service.remove();
  },
  "service.task-cleaned-up": undefined,
  "service.task-removed": undefined,
};

test("a server that is killed at each step goes on each time: no row, password, state or event is lost", async () => {
  const service = new Service();
  await service.makeDatabases();
  const { source } = service.pair;
  for (const kill of killsIn("service")) {
    await postgres.query("insert into item default values", source);
    await using server = await ServiceProcess.start(dataDir, topicsFile, kill);
    let acted: Promise<unknown> = Promise.resolve();
    if (server.client !== undefined) {
      service.api = new TaskApi(postgres, server.client);
      // It is killed before it answers.
      acted = acts[kill.failpoint as ServicePlace]?.(service).catch((error: unknown) => error) ?? acted;
    }
    assert.equal(await server.ended, "SIGKILL", `not killed at ${kill.failpoint}: ${await acted}`);
  }
  await using server = await ServiceProcess.start(dataDir, topicsFile);
  service.api = new TaskApi(postgres, server.client!);
  assert.deepEqual(await service.tasks(), []);
  const numbers = ["0074", "0069", "0081", "0079", "0069", "0079", "0073"];
  assert.deepEqual(await service.events(), numbers);
  const told = await eventually("the last event to be told", async () => {
    const taken = receiver.taken();
    return taken.some(({ number }) => number === "0073") && taken;
  });
  const once = [...new Map(told.map((event) => [event.id, event])).values()];
  assert.ok(once.length < told.length, "what was told before a kill is told again");
  assert.deepEqual(
    once.filter(({ source }) => source === "task").map(({ number }) => number),
    numbers,
  );
  const left =
    "select slot_name::text from pg_replication_slots union all select pubname from pg_publication";
  assert.deepEqual(await postgres.query(left, source), []);
});
