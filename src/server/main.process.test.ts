import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";
import { registry } from "./engines.ts";
import { startServer } from "./main.ts";

let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;

before(async () => {
  tideway = await startTideway();
  client = await tideway.client();
});
after(() => tideway[Symbol.asyncDispose]());

const place = {
  ServerName: "db.example",
  Port: 5433,
  DatabaseName: "app",
  Username: "u",
  Password: "Xyzzy-Plugh-123",
};

async function createEndpoint(change: Partial<dms.CreateEndpointCommandInput> = {}): Promise<dms.Endpoint> {
  const { Endpoint } = await client.send(
    new dms.CreateEndpointCommand({
      EndpointIdentifier: `e${Math.random().toString(36).slice(2)}`,
      EndpointType: "source",
      EngineName: "postgres",
      ...place,
      ...change,
    }),
  );
  return Endpoint!;
}

test("the first start makes a key that only its owner can read, and later starts keep it", async () => {
  assert.equal(tideway.server.firstStart, true);
  const file = tideway.server.credentialsFile;
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const text = await readFile(file, "utf8");
  assert.match(text, /AWS_SHARED_CREDENTIALS_FILE=\S+ AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/);
});

test("a credentials file with another key, or half a one, is written anew", async () => {
  await using other = await startTideway();
  const file = other.server.credentialsFile;
  const right = await readFile(file, "utf8");
  for (const wrong of ["", right.replace(/secret_access_key = .*/, "secret_access_key = old")]) {
    await other.stop();
    await writeFile(file, wrong);
    await other.start();
    await (await other.client()).send(new dms.DescribeEndpointsCommand({}));
  }
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  await other.stop();
  await writeFile(file, `# mine\n${right}`);
  await other.start();
  assert.match(await readFile(file, "utf8"), /^# mine/);
});

test("health is answered without a signature, everything else is refused without one", async () => {
  const { address } = tideway.server;
  assert.deepEqual(await (await fetch(`${address}/health`)).json(), { status: "ok" });
  assert.equal((await fetch(`${address}/other`)).status, 404);
  const bare = await fetch(address, { method: "POST", body: "{}" });
  assert.equal(bare.status, 400);
  assert.match(bare.headers.get("x-amzn-requestid") ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(bare.headers.get("content-type"), "application/x-amz-json-1.1");
  assert.deepEqual(await bare.json(), {
    __type: "MissingAuthenticationTokenException",
    message: "Missing Authentication Token",
  });
});

test("a request that cannot be read is refused in AWS's form, before it is read to its end", async () => {
  const { hostname, port } = new URL(tideway.server.address);
  const refusal = async (headers: string): Promise<string> => {
    const socket = connect(Number(port), hostname);
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n\r\n`);
    let text = "";
    for await (const part of socket.setEncoding("utf8")) text += part;
    return text;
  };
  const large = await refusal("content-length: 99999999999");
  assert.match(large, /^HTTP\/1\.1 413 .+content-type: application\/x-amz-json-1\.1\r\n/s);
  assert.match(large, /"__type":"RequestEntityTooLargeException"/);
  const odd = await refusal("content-type: ;;=\r\ncontent-length: 0");
  assert.match(odd, /^HTTP\/1\.1 4\d\d .+"__type":"\w+"/s);
});

test("a client with another key or secret gets AWS's errors", async () => {
  const { accessKeyId, secretAccessKey } = await tideway.credentials();
  const ask = async (credentials: { accessKeyId: string; secretAccessKey: string }): Promise<unknown> => {
    const other = new dms.DatabaseMigrationServiceClient({
      endpoint: tideway.server.address,
      region: "us-east-1",
      credentials,
      maxAttempts: 1,
    });
    try {
      return await other.send(new dms.DescribeEndpointsCommand({}));
    } finally {
      other.destroy();
    }
  };
  await assert.rejects(ask({ accessKeyId: "AKIAWRONG", secretAccessKey }), {
    name: "UnrecognizedClientException",
  });
  await assert.rejects(ask({ accessKeyId, secretAccessKey: "wrong" }), { name: "InvalidSignatureException" });
});

test("an endpoint comes back with its place at both levels and never with its password", async () => {
  const created = await createEndpoint({
    EndpointIdentifier: "Round-Trip",
    ExtraConnectionAttributes: "executeTimeout=77;heartbeatEnable=Y",
    PostgreSQLSettings: { SlotName: "my_slot", ...place },
  });
  const { Endpoints } = await client.send(
    new dms.DescribeEndpointsCommand({ Filters: [{ Name: "endpoint-id", Values: ["round-trip"] }] }),
  );
  assert.deepEqual(Endpoints, [created]);
  const { Password: _, ...shown } = place;
  assert.deepEqual(created.PostgreSQLSettings, {
    ...shown,
    SlotName: "my_slot",
    ExecuteTimeout: 77,
    HeartbeatEnable: true,
  });
  assert.equal(created.ExtraConnectionAttributes, "executeTimeout=77;heartbeatEnable=Y");
  assert.equal(created.EndpointType as string, "SOURCE");
  assert.equal(created.SslMode, "none");
  assert.equal(JSON.stringify(Endpoints).includes("Xyzzy"), false);
  assert.match(created.EndpointArn ?? "", /^arn:aws:dms:us-east-1:000000000000:endpoint:[A-Z2-7]{26}$/);
});

test("endpoints that cannot work are refused with AWS's codes", async () => {
  const refusals: readonly [Partial<dms.CreateEndpointCommandInput>, string, RegExp][] = [
    [{ EngineName: "cassandra" }, "InvalidParameterValueException", /^Invalid engine name: cassandra/],
    [{ EngineName: "postgresql" }, "InvalidParameterValueException", /^Invalid engine name/],
    [{ EndpointType: "sink" as "source" }, "ValidationException", /enum value set: \[source, target\]/],
    [{ SslMode: "verify" as "none" }, "ValidationException", /sslMode/],
    [{ EndpointIdentifier: "1a" }, "InvalidParameterValueException", /not a valid identifier/],
    [{ EndpointIdentifier: "a--b" }, "InvalidParameterValueException", /not a valid identifier/],
    [{ ServerName: " " }, "InvalidParameterValueException", /ServerName must be provided/],
    [{ DatabaseName: undefined }, "InvalidParameterValueException", /DatabaseName must be provided/],
    [{ Port: 0 }, "InvalidParameterValueException", /Port must be between/],
    [
      { ExtraConnectionAttributes: "colour=red" },
      "InvalidParameterValueException",
      /no endpoint setting colour/,
    ],
    [{ ExtraConnectionAttributes: "heartbeatEnable" }, "InvalidParameterValueException", /has no value/],
    [
      { ExtraConnectionAttributes: "heartbeatEnable=maybe" },
      "InvalidParameterValueException",
      /true or false/,
    ],
    [
      { PostgreSQLSettings: { MaxFileSize: -5 } },
      "InvalidParameterValueException",
      /MaxFileSize must be between/,
    ],
    [{ MySQLSettings: { Port: 1 } }, "InvalidParameterCombinationException", /MySQLSettings is not valid/],
    [{ CertificateArn: "arn:none" }, "ResourceNotFoundFault", /Certificate not found/],
    [{ Tags: [{ Key: "aws:x", Value: "" }] }, "InvalidParameterValueException", /reserved/],
    [{ ResourceIdentifier: "a_b" }, "InvalidParameterValueException", /ResourceIdentifier/],
  ];
  for (const [change, name, message] of refusals) {
    await assert.rejects(createEndpoint(change), { name, message }, JSON.stringify(change));
  }
});

test("a changed endpoint keeps what is not named, and ExactSettings replaces its settings", async () => {
  const { EndpointArn } = await createEndpoint({
    ExtraConnectionAttributes: "executeTimeout=5",
    PostgreSQLSettings: { SlotName: "s", HeartbeatSchema: "h" },
  });
  const modify = async (change: Partial<dms.ModifyEndpointCommandInput>): Promise<dms.Endpoint> =>
    (await client.send(new dms.ModifyEndpointCommand({ EndpointArn, ...change }))).Endpoint!;
  const moved = await modify({ Port: 6000, PostgreSQLSettings: { SlotName: "t" } });
  assert.deepEqual(
    [
      moved.Port,
      moved.ServerName,
      moved.PostgreSQLSettings?.SlotName,
      moved.PostgreSQLSettings?.HeartbeatSchema,
    ],
    [6000, "db.example", "t", "h"],
  );
  const exact = await modify({ ExactSettings: true, PostgreSQLSettings: { HeartbeatSchema: "i" } });
  assert.equal(exact.PostgreSQLSettings?.SlotName, undefined);
  assert.equal(exact.PostgreSQLSettings?.ExecuteTimeout, 5);
  const cleared = await modify({ ExtraConnectionAttributes: "" });
  assert.equal(cleared.ExtraConnectionAttributes, undefined);
  assert.equal(cleared.PostgreSQLSettings?.ExecuteTimeout, undefined);
  await assert.rejects(modify({ EndpointIdentifier: "round-trip" }), { name: "ResourceAlreadyExistsFault" });
  await assert.rejects(modify({ EndpointIdentifier: "" }), { name: "InvalidParameterValueException" });
});

test("an endpoint that is deleted is gone for describe, delete and tags", async () => {
  const { EndpointArn, EndpointIdentifier } = await createEndpoint();
  const deleted = await client.send(new dms.DeleteEndpointCommand({ EndpointArn }));
  assert.equal(deleted.Endpoint?.Status, "deleting");
  await dms.waitUntilEndpointDeleted(waiting(client), {
    Filters: [{ Name: "endpoint-id", Values: [EndpointIdentifier!] }],
  });
  await assert.rejects(client.send(new dms.DeleteEndpointCommand({ EndpointArn })), {
    name: "ResourceNotFoundFault",
  });
  await assert.rejects(client.send(new dms.ListTagsForResourceCommand({ ResourceArn: EndpointArn })), {
    name: "ResourceNotFoundFault",
  });
});

test("tags are set, replaced and removed, for a subnet group by an ARN of the client's own making", async () => {
  const ReplicationSubnetGroupIdentifier = "Tagged.Group_1";
  await client.send(
    new dms.CreateReplicationSubnetGroupCommand({
      ReplicationSubnetGroupIdentifier,
      ReplicationSubnetGroupDescription: "d",
      SubnetIds: ["subnet-1", "subnet-2"],
      Tags: [{ Key: "a", Value: "1" }],
    }),
  );
  const ResourceArn = "arn:aws:dms:us-east-1:123456789012:subgrp:tagged.group_1";
  const Tags = [
    { Key: "a", Value: "2" },
    { Key: "b", Value: "" },
  ];
  await client.send(new dms.AddTagsToResourceCommand({ ResourceArn, Tags }));
  const { TagList } = await client.send(new dms.ListTagsForResourceCommand({ ResourceArn }));
  assert.deepEqual(TagList, Tags);
  await client.send(new dms.RemoveTagsFromResourceCommand({ ResourceArn, TagKeys: ["a"] }));
  const listed = await client.send(new dms.ListTagsForResourceCommand({ ResourceArnList: [ResourceArn] }));
  assert.deepEqual(listed.TagList, [{ Key: "b", Value: "", ResourceArn }]);
  for (const arn of ["arn:aws:dms:us-east-1:0:colour:x", "nonsense"]) {
    await assert.rejects(client.send(new dms.ListTagsForResourceCommand({ ResourceArn: arn })), {
      name: "InvalidParameterValueException",
    });
  }
});

test("what is offered: classes, versions, engines, their settings, quotas, events", async () => {
  const orderable = await client.send(new dms.DescribeOrderableReplicationInstancesCommand({}));
  const classes = orderable.OrderableReplicationInstances?.map((one) => one.ReplicationInstanceClass);
  assert.ok(classes?.includes("dms.t3.micro") && classes.includes("dms.r6i.32xlarge"));
  const versions = await client.send(new dms.DescribeEngineVersionsCommand({}));
  assert.equal(versions.EngineVersions?.filter((one) => one.Lifecycle === "DEFAULT_VERSION").length, 1);
  const types = await client.send(
    new dms.DescribeEndpointTypesCommand({ Filters: [{ Name: "engine-name", Values: ["postgres"] }] }),
  );
  assert.deepEqual(
    types.SupportedEndpointTypes?.map((one) => String(one.EndpointType)),
    ["SOURCE", "TARGET"],
  );
  const settings = await client.send(new dms.DescribeEndpointSettingsCommand({ EngineName: "postgres" }));
  assert.equal(settings.EndpointSettings?.find((one) => one.Name === "SlotName")?.Type, "string");
  const { AccountQuotas } = await client.send(new dms.DescribeAccountAttributesCommand({}));
  const endpoints = await client.send(new dms.DescribeEndpointsCommand({}));
  const quota = AccountQuotas?.find((one) => one.AccountQuotaName === "Endpoints");
  assert.deepEqual([quota?.Used, quota?.Max], [endpoints.Endpoints?.length, 1000]);
  const groups = await client.send(new dms.DescribeEventCategoriesCommand({}));
  assert.deepEqual(
    groups.EventCategoryGroupList?.map((group) => group.SourceType),
    ["replication-instance", "replication-task"],
  );
  const actions = await client.send(new dms.DescribePendingMaintenanceActionsCommand({}));
  assert.deepEqual(actions.PendingMaintenanceActions, []);
});

test("operations that are not built say so by name, unknown ones as AWS does", async () => {
  const migrations = new dms.DescribeDataMigrationsCommand({});
  await assert.rejects(client.send(migrations), {
    name: "InvalidOperationFault",
    message: /DescribeDataMigrations is not built/,
  });
  await assert.rejects(
    client.send(
      new dms.ApplyPendingMaintenanceActionCommand({
        ReplicationInstanceArn: "a",
        ApplyAction: "os-upgrade",
        OptInType: "immediate",
      }),
    ),
    { name: "ResourceNotFoundFault" },
  );
});

test("the ARN carries the region that the client signs for", async () => {
  const frankfurt = await tideway.client("eu-central-1");
  const { ReplicationSubnetGroup } = await frankfurt.send(
    new dms.CreateReplicationSubnetGroupCommand({
      ReplicationSubnetGroupIdentifier: "frankfurt",
      ReplicationSubnetGroupDescription: "d",
      SubnetIds: ["subnet-1"],
    }),
  );
  const zone = ReplicationSubnetGroup?.Subnets?.[0]?.SubnetAvailabilityZone?.Name;
  assert.equal(zone, "eu-central-1a");
});

test("neither the log nor any answer to a mistake repeats a password", async () => {
  for (const ExtraConnectionAttributes of ["Xyzzy", "pw=a;Xyzzy", "executeTimeout=Xyzzy"]) {
    await assert.rejects(
      createEndpoint({ ExtraConnectionAttributes }),
      (error: Error) => !error.message.includes("Xyzzy"),
    );
  }
  await createEndpoint({ EndpointIdentifier: "a--b" }).catch(() => undefined);
  await createEndpoint({ Password: 5 as unknown as string }).catch((error: Error) => {
    assert.equal(error.name, "SerializationException");
  });
  assert.equal(tideway.log.join("\n").includes("Xyzzy"), false);
});

test("a second server on the same data directory or port is refused and leaves nothing behind", async () => {
  const options = { host: "127.0.0.1", registry, workerPath: "unused", log: () => undefined };
  await assert.rejects(startServer({ ...options, port: 0, dataDir: tideway.dataDir }), {
    code: "server.data_dir",
  });
  await using other = await startTideway();
  const port = Number(new URL(tideway.server.address).port);
  await other.stop();
  await assert.rejects(startServer({ ...options, port, dataDir: other.dataDir }), {
    code: "server.address_in_use",
  });
  await assert.rejects(
    startServer({ ...options, host: "no.such.host.invalid", port: 0, dataDir: other.dataDir }),
    {
      code: "server.address_in_use",
      remedy: /--host/,
    },
  );
  await other.start();
  assert.equal(other.server.firstStart, false);
});
