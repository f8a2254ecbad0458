import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type MysqlServer, startMysql } from "../../test/support/mysql-server.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

let mariadb: MysqlServer;
let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;
let instanceArn: string;

before(async () => {
  [mariadb, tideway] = await Promise.all([startMysql({ flavour: "mariadb" }), startTideway()]);
  client = await tideway.client();
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier: "instance",
      ReplicationInstanceClass: "dms.t3.small",
    }),
  );
  instanceArn = ReplicationInstance!.ReplicationInstanceArn!;
  await dms.waitUntilReplicationInstanceAvailable(waiting(client), {
    Filters: [{ Name: "replication-instance-arn", Values: [instanceArn] }],
  });
});
after(async () => {
  await tideway[Symbol.asyncDispose]();
  await mariadb[Symbol.asyncDispose]();
});

async function create(
  EndpointIdentifier: string,
  more: Partial<dms.CreateEndpointCommandInput>,
): Promise<dms.Endpoint> {
  const { Endpoint } = await client.send(
    new dms.CreateEndpointCommand({
      EndpointIdentifier,
      EndpointType: "source",
      EngineName: "mysql",
      ServerName: "127.0.0.1",
      Port: mariadb.port,
      Username: mariadb.user,
      Password: mariadb.password,
      ...more,
    }),
  );
  return Endpoint!;
}

test("an endpoint keeps the engine's name that it was given, and needs no database", async () => {
  for (const [name, shown] of [
    ["mysql", "MySQL"],
    ["MariaDB", "MariaDB"],
    ["aurora", "Amazon Aurora MySQL"],
  ] as const) {
    const endpoint = await create(`of-${name.toLowerCase()}`, { EngineName: name });
    assert.equal(endpoint.EngineName, name.toLowerCase());
    assert.equal(endpoint.EngineDisplayName, shown);
    assert.equal(endpoint.DatabaseName, undefined);
    assert.deepEqual(endpoint.MySQLSettings, {
      ServerName: "127.0.0.1",
      Port: mariadb.port,
      Username: mariadb.user,
    });
  }
});

test("the struct of MySQL's settings is taken, and what only Tideway has comes as attributes", async () => {
  const endpoint = await create("settings", {
    EndpointType: "target",
    MySQLSettings: { DatabaseName: "shop", TargetDbType: "specific-database", ParallelLoadThreads: 4 },
    ExtraConnectionAttributes: "zeroDates=epoch;treatTinyInt1AsBoolean=true",
  });
  assert.equal(endpoint.DatabaseName, "shop");
  const { TargetDbType, ParallelLoadThreads, DatabaseName } = endpoint.MySQLSettings!;
  assert.deepEqual(
    { TargetDbType, ParallelLoadThreads, DatabaseName },
    {
      TargetDbType: "specific-database",
      ParallelLoadThreads: 4,
      DatabaseName: "shop",
    },
  );
  assert.equal(endpoint.ExtraConnectionAttributes, "zeroDates=epoch;treatTinyInt1AsBoolean=true");
  await assert.rejects(create("wrong", { PostgreSQLSettings: { SlotName: "x" } }), {
    name: "InvalidParameterCombinationException",
  });
  await assert.rejects(create("wrong", { ExtraConnectionAttributes: "zeroDates=maybe" }), {
    name: "InvalidParameterValueException",
  });
});

test("MySQL's engine names are offered on both sides, with their settings", async () => {
  const { SupportedEndpointTypes } = await client.send(new dms.DescribeEndpointTypesCommand({}));
  for (const name of ["mysql", "mariadb", "aurora", "aurora-serverless"]) {
    const found = SupportedEndpointTypes!.filter(({ EngineName }) => EngineName === name);
    assert.deepEqual(
      found.map(({ EndpointType, SupportsCDC }) => [EndpointType, SupportsCDC]),
      [
        ["SOURCE", true],
        ["TARGET", true],
      ],
    );
  }
  const { EndpointSettings } = await client.send(
    new dms.DescribeEndpointSettingsCommand({ EngineName: "mariadb" }),
  );
  assert.deepEqual(EndpointSettings!.find(({ Name }) => Name === "ZeroDates")?.EnumValues, [
    "keep",
    "null",
    "error",
    "epoch",
  ]);
});

test("a connection is tested and its databases are read, all or the one that is named", async () => {
  const database = await mariadb.createDatabase("listed");
  for (const [identifier, DatabaseName] of [
    ["all-databases", undefined],
    ["one-database", database],
  ] as const) {
    const { EndpointArn } = await create(identifier, DatabaseName === undefined ? {} : { DatabaseName });
    const both = { EndpointArn, ReplicationInstanceArn: instanceArn };
    await client.send(new dms.TestConnectionCommand(both));
    await dms.waitUntilTestConnectionSucceeds(waiting(client), {
      Filters: [{ Name: "endpoint-arn", Values: [EndpointArn!] }],
    });
    await client.send(new dms.RefreshSchemasCommand(both));
    await eventually("the schemas", async () => {
      const command = new dms.DescribeRefreshSchemasStatusCommand({ EndpointArn });
      return (await client.send(command)).RefreshSchemasStatus?.Status === "successful";
    });
    const { Schemas } = await client.send(new dms.DescribeSchemasCommand({ EndpointArn }));
    assert.ok(Schemas!.includes(database));
    assert.deepEqual(
      Schemas!.filter((name) => /^(mysql|sys|information_schema|performance_schema)$/.test(name)),
      [],
    );
    if (DatabaseName !== undefined) assert.deepEqual(Schemas, [database]);
  }
});

test("a wrong password is the test's failure, which does not show it", async () => {
  const { EndpointArn } = await create("wrong-password", { Password: "not-the-password" });
  await client.send(new dms.TestConnectionCommand({ EndpointArn, ReplicationInstanceArn: instanceArn }));
  const failed = await eventually("the test's end", async () => {
    const Filters = [{ Name: "endpoint-arn", Values: [EndpointArn!] }];
    const { Connections } = await client.send(new dms.DescribeConnectionsCommand({ Filters }));
    return Connections![0]?.Status === "failed" && Connections![0];
  });
  assert.match(failed.LastFailureMessage ?? "", /^auth\.failed/);
  assert.doesNotMatch(failed.LastFailureMessage ?? "", /not-the-password/);
});
