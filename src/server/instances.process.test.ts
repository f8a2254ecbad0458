import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { eventually } from "../../test/support/eventually.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;

before(async () => {
  tideway = await startTideway();
  client = await tideway.client();
});
after(() => tideway[Symbol.asyncDispose]());

test("a subnet group is in lower case, can be changed, and cannot go while an instance uses it", async () => {
  const create = (id: string): Promise<dms.CreateReplicationSubnetGroupCommandOutput> =>
    client.send(
      new dms.CreateReplicationSubnetGroupCommand({
        ReplicationSubnetGroupIdentifier: id,
        ReplicationSubnetGroupDescription: "d",
        SubnetIds: ["subnet-1", "subnet-2"],
      }),
    );
  const { ReplicationSubnetGroup } = await create("My-Group");
  assert.equal(ReplicationSubnetGroup?.ReplicationSubnetGroupIdentifier, "my-group");
  assert.equal(ReplicationSubnetGroup?.SubnetGroupStatus, "Complete");
  await assert.rejects(create("MY-GROUP"), { name: "ResourceAlreadyExistsFault" });
  await assert.rejects(create("default"), { name: "InvalidParameterValueException" });
  const named = { ReplicationSubnetGroupIdentifier: "my-group" };
  const changed = await client.send(
    new dms.ModifyReplicationSubnetGroupCommand({ ...named, SubnetIds: ["subnet-3"] }),
  );
  assert.deepEqual(
    changed.ReplicationSubnetGroup?.Subnets?.map((subnet) => subnet.SubnetIdentifier),
    ["subnet-3"],
  );
  const instance = await createInstance("in-group", { ReplicationSubnetGroupIdentifier: "My-Group" });
  await assert.rejects(client.send(new dms.DeleteReplicationSubnetGroupCommand(named)), {
    name: "InvalidResourceStateFault",
  });
  await available("in-group");
  await client.send(
    new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn: instance.ReplicationInstanceArn }),
  );
  await dms.waitUntilReplicationInstanceDeleted(waiting(client), {
    Filters: [{ Name: "replication-instance-id", Values: ["in-group"] }],
  });
  await client.send(new dms.DeleteReplicationSubnetGroupCommand(named));
});

async function createInstance(
  id: string,
  change: Partial<dms.CreateReplicationInstanceCommandInput> = {},
): Promise<dms.ReplicationInstance> {
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: id,
      ReplicationInstanceClass: "dms.t3.micro",
      ...change,
    }),
  );
  return ReplicationInstance!;
}

async function describeInstance(id: string): Promise<dms.ReplicationInstance> {
  const { ReplicationInstances } = await client.send(
    new dms.DescribeReplicationInstancesCommand({
      Filters: [{ Name: "replication-instance-id", Values: [id] }],
    }),
  );
  return ReplicationInstances![0]!;
}

function available(id: string): Promise<dms.ReplicationInstance> {
  return eventually(`instance ${id}`, async () => {
    const instance = await describeInstance(id);
    return instance.ReplicationInstanceStatus === "available" && instance;
  });
}

test("an instance is a process: created, killed, replaced, changed, rebooted and deleted", async () => {
  const created = await createInstance("Work-Horse", { ResourceIdentifier: "Horse-1" });
  const arn = created.ReplicationInstanceArn!;
  assert.equal(arn, "arn:aws:dms:us-east-1:000000000000:rep:Horse-1");
  assert.equal(created.ReplicationInstanceIdentifier, "work-horse");
  assert.equal(created.ReplicationInstanceStatus, "creating");
  assert.equal(created.ReplicationSubnetGroup?.ReplicationSubnetGroupIdentifier, "default");
  await available("work-horse");
  const eventIds = async (): Promise<(string | undefined)[]> => {
    const { Events } = await client.send(
      new dms.DescribeEventsCommand({ SourceIdentifier: "work-horse", SourceType: "replication-instance" }),
    );
    return Events?.map((event) => /DMS-EVENT-(\d+)/.exec(event.Message ?? "")?.[1]) ?? [];
  };
  const first = tideway.server.workerPid(arn)!;
  process.kill(first, "SIGKILL");
  const second = await eventually("a new worker", async () => {
    const pid = tideway.server.workerPid(arn);
    return pid !== undefined && pid !== first && pid;
  });
  await eventually("the event of its taking over", async () => (await eventIds()).includes("0049"));
  assert.equal((await describeInstance("work-horse")).ReplicationInstanceStatus, "available");

  const commandLine = async (pid: number): Promise<string> => readFile(`/proc/${pid}/cmdline`, "utf8");
  assert.match(await commandLine(second), /--max-old-space-size=768/);
  await assert.rejects(
    client.send(
      new dms.ModifyReplicationInstanceCommand({
        ReplicationInstanceArn: arn,
        ReplicationInstanceClass: "dms.t3.micro",
      }),
    ),
    { name: "InvalidParameterCombinationException", message: /No modifications were requested/ },
  );
  const pending = await client.send(
    new dms.ModifyReplicationInstanceCommand({
      ReplicationInstanceArn: arn,
      ReplicationInstanceClass: "dms.t3.small",
    }),
  );
  assert.deepEqual(pending.ReplicationInstance?.PendingModifiedValues, {
    ReplicationInstanceClass: "dms.t3.small",
  });
  const reboot = await client.send(new dms.RebootReplicationInstanceCommand({ ReplicationInstanceArn: arn }));
  assert.equal(reboot.ReplicationInstance?.ReplicationInstanceStatus, "rebooting");
  const rebooted = await available("work-horse");
  assert.equal(rebooted.ReplicationInstanceClass, "dms.t3.small");
  assert.deepEqual(rebooted.PendingModifiedValues, {});
  assert.match(await commandLine(tideway.server.workerPid(arn)!), /--max-old-space-size=1536/);

  assert.deepEqual(await eventIds(), ["0067", "0005", "0013", "0049", "0026", "0027"]);
  await client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn: arn }));
  await eventually("the worker's end", async () => tideway.server.workerPid(arn) === undefined);
});

test("a change that is asked for now takes the place of one that waits", async () => {
  const { ReplicationInstanceArn } = await createInstance("pending");
  await available("pending");
  const modify = async (change: Partial<dms.ModifyReplicationInstanceCommandInput>): Promise<unknown> => {
    const command = new dms.ModifyReplicationInstanceCommand({ ReplicationInstanceArn, ...change });
    return (await client.send(command)).ReplicationInstance?.PendingModifiedValues;
  };
  await assert.rejects(modify({ KerberosAuthenticationSettings: { Krb5FileContents: "x" } }), {
    message: /not supported/,
  });
  const small = { ReplicationInstanceClass: "dms.t3.small" };
  assert.deepEqual(await modify({ ...small, MultiAZ: true }), { ...small, MultiAZ: true });
  assert.deepEqual(await modify({ ReplicationInstanceClass: "dms.t3.micro" }), { MultiAZ: true });
  await modify(small);
  assert.deepEqual(await modify({ ReplicationInstanceClass: "dms.t3.large", ApplyImmediately: true }), {
    MultiAZ: true,
  });
  assert.equal((await available("pending")).ReplicationInstanceClass, "dms.t3.large");
  await client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn }));
});

test("instances that cannot be are refused", async () => {
  const refusals: readonly [Partial<dms.CreateReplicationInstanceCommandInput>, string][] = [
    [{ ReplicationInstanceClass: "dms.z9.huge" }, "InvalidParameterValueException"],
    [{ EngineVersion: "9.9.9" }, "InvalidParameterValueException"],
    [{ AllocatedStorage: 4 }, "InvalidParameterValueException"],
    [{ PreferredMaintenanceWindow: "someday" }, "InvalidParameterValueException"],
    [{ NetworkType: "IPV5" }, "InvalidParameterValueException"],
    [{ ReplicationSubnetGroupIdentifier: "none" }, "ResourceNotFoundFault"],
    [{ ReplicationInstanceIdentifier: "a".repeat(64) }, "InvalidParameterValueException"],
  ];
  for (const [change, name] of refusals) {
    await assert.rejects(createInstance("x", change), { name }, JSON.stringify(change));
  }
  await assert.rejects(
    client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn: "arn:none" })),
    { name: "ResourceNotFoundFault" },
  );
});

test("events are chosen by time, source and category", async () => {
  const ask = async (input: dms.DescribeEventsCommandInput): Promise<number> =>
    (await client.send(new dms.DescribeEventsCommand(input))).Events?.length ?? -1;
  assert.ok((await ask({ Duration: 5 })) > 0);
  assert.equal(await ask({ EndTime: new Date(Date.now() - 3_600_000) }), 0);
  assert.equal(await ask({ EventCategories: ["low storage"] }), 0);
  assert.ok((await ask({ EventCategories: ["Creation"] })) > 0);
  await assert.rejects(ask({ SourceIdentifier: "x" }), { name: "InvalidParameterCombinationException" });
  await assert.rejects(ask({ Duration: 0 }), { name: "InvalidParameterValueException" });
});
