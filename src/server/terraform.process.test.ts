import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { makeCertificates } from "../../test/support/certificates.ts";
import { EventReceiver } from "../../test/support/event-receiver.ts";
import { assertHolds, found, reaches } from "../../test/support/terraform.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

/*
 * The calls of Terraform's provider for resources that need no database: create, read, plan again, change, remove.
 */

const TOPIC = "arn:aws:sns:us-east-1:000000000000:dms-events";

let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;
let receiver: EventReceiver;
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tideway-terraform-"));
  receiver = await EventReceiver.start();
  const topicsFile = join(directory, "topics.json");
  await writeFile(topicsFile, JSON.stringify({ [TOPIC]: receiver.address }));
  tideway = await startTideway();
  await tideway.stop();
  tideway.topics = { topicsFile, environment: {} };
  await tideway.start();
  client = await tideway.client();
});
after(async () => {
  await tideway[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const Tags = [
  { Key: "team", Value: "data" },
  { Key: "Name", Value: "orders / ümläut" },
];

/** Reads the tags as after each create, then changes one, removes one, and reads them again. */
async function tagged(ResourceArn: string): Promise<void> {
  const list = async (): Promise<dms.Tag[] | undefined> =>
    (await client.send(new dms.ListTagsForResourceCommand({ ResourceArn }))).TagList;
  assert.deepEqual(await list(), Tags);
  await client.send(new dms.RemoveTagsFromResourceCommand({ ResourceArn, TagKeys: ["Name"] }));
  const changed = [{ Key: "team", Value: "platform" }];
  await client.send(new dms.AddTagsToResourceCommand({ ResourceArn, Tags: changed }));
  assert.deepEqual(await list(), changed);
}

test("aws_dms_replication_subnet_group and aws_dms_replication_instance", async () => {
  const group = {
    ReplicationSubnetGroupIdentifier: "terraform",
    ReplicationSubnetGroupDescription: "of the migration",
    SubnetIds: ["subnet-0a1b2c3d", "subnet-4e5f6a7b"],
  };
  await client.send(new dms.CreateReplicationSubnetGroupCommand({ ...group, Tags }));
  const readGroup = async (): Promise<dms.ReplicationSubnetGroup | undefined> => {
    const Filters = [{ Name: "replication-subnet-group-id", Values: ["terraform"] }];
    const { ReplicationSubnetGroups } = await client.send(
      new dms.DescribeReplicationSubnetGroupsCommand({ Filters }),
    );
    return ReplicationSubnetGroups?.[0];
  };
  const subnets = async (): Promise<unknown> =>
    (await readGroup())?.Subnets?.map(({ SubnetIdentifier }) => SubnetIdentifier);
  const { SubnetIds, ...named } = group;
  assertHolds(await readGroup(), named);
  assert.deepEqual(await subnets(), SubnetIds);
  assert.ok((await readGroup())?.VpcId);
  // The provider makes this ARN by itself, of the account that it thinks it has.
  await tagged("arn:aws:dms:us-east-1:123456789012:subgrp:terraform");
  const fewer = { ...group, ReplicationSubnetGroupDescription: "changed", SubnetIds: ["subnet-0a1b2c3d"] };
  await client.send(new dms.ModifyReplicationSubnetGroupCommand(fewer));
  assert.equal((await readGroup())?.ReplicationSubnetGroupDescription, "changed");
  assert.deepEqual(await subnets(), fewer.SubnetIds);

  const instance = {
    ReplicationInstanceIdentifier: "terraform",
    ReplicationInstanceClass: "dms.t3.micro",
    AllocatedStorage: 20,
    AutoMinorVersionUpgrade: false,
    AvailabilityZone: "us-east-1c",
    EngineVersion: "3.5.4",
    KmsKeyId: "arn:aws:kms:us-east-1:123456789012:key/1",
    MultiAZ: false,
    NetworkType: "IPV4",
    PreferredMaintenanceWindow: "sun:10:30-sun:14:30",
    PubliclyAccessible: false,
  };
  const securityGroups = ["sg-12345678", "sg-87654321"];
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ...instance,
      ReplicationSubnetGroupIdentifier: "terraform",
      VpcSecurityGroupIds: securityGroups,
      Tags,
    }),
  );
  const ReplicationInstanceArn = ReplicationInstance!.ReplicationInstanceArn!;
  const read = async (): Promise<dms.ReplicationInstance | undefined> => {
    const Filters = [{ Name: "replication-instance-id", Values: ["terraform"] }];
    return (await client.send(new dms.DescribeReplicationInstancesCommand({ Filters })))
      .ReplicationInstances?.[0];
  };
  const status = async (): Promise<string | undefined> => (await read())?.ReplicationInstanceStatus;
  await reaches({ pending: ["creating", "modifying"], target: ["available"] }, status);
  const shown = await read();
  assertHolds(shown, { ...instance, ReplicationInstancePublicIpAddresses: [] });
  assert.equal(shown?.ReplicationSubnetGroup?.ReplicationSubnetGroupIdentifier, "terraform");
  assert.deepEqual(
    shown.VpcSecurityGroups?.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId),
    securityGroups,
  );
  assert.equal(shown.ReplicationInstancePrivateIpAddresses?.length, 1);
  await tagged(ReplicationInstanceArn);
  const changes: readonly Partial<dms.ReplicationInstance>[] = [
    { ReplicationInstanceClass: "dms.t3.small", AllocatedStorage: 40 },
    { EngineVersion: "3.6.1", MultiAZ: true },
    { PreferredMaintenanceWindow: "mon:00:30-mon:02:30", AutoMinorVersionUpgrade: true },
  ];
  for (const change of changes) {
    const modify = {
      ...change,
      AllowMajorVersionUpgrade: true,
      ApplyImmediately: true,
      ReplicationInstanceArn,
    };
    await client.send(
      new dms.ModifyReplicationInstanceCommand(modify as dms.ModifyReplicationInstanceMessage),
    );
    await reaches({ pending: ["modifying", "upgrading"], target: ["available"] }, status);
    assertHolds(await read(), change);
  }
  await client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn }));
  await reaches({ pending: ["deleting"], target: [] }, status);
  const { ReplicationSubnetGroupIdentifier } = group;
  await client.send(new dms.DeleteReplicationSubnetGroupCommand({ ReplicationSubnetGroupIdentifier }));
  assert.equal(await found(readGroup), undefined);
});

test("aws_dms_certificate and aws_dms_endpoint", async () => {
  const { ca } = makeCertificates(["DNS:localhost"]);
  const imported = await client.send(
    new dms.ImportCertificateCommand({ CertificateIdentifier: "terraform", CertificatePem: ca, Tags }),
  );
  const CertificateArn = imported.Certificate!.CertificateArn!;
  const readCertificate = async (): Promise<dms.Certificate | undefined> => {
    const Filters = [{ Name: "certificate-id", Values: ["terraform"] }];
    return (await client.send(new dms.DescribeCertificatesCommand({ Filters }))).Certificates?.[0];
  };
  assertHolds(await readCertificate(), { CertificatePem: ca, CertificateIdentifier: "terraform" });
  await tagged(CertificateArn);

  const engines: readonly {
    readonly EngineName: string;
    readonly settings: object;
    readonly more: object;
  }[] = [
    {
      EngineName: "aurora-postgresql",
      settings: {
        PostgreSQLSettings: {
          AfterConnectScript: "SET search_path TO app",
          CaptureDdls: false,
          DdlArtifactsSchema: "ddl",
          ExecuteTimeout: 90,
          FailTasksOnLobTruncation: true,
          HeartbeatEnable: true,
          HeartbeatFrequency: 5,
          HeartbeatSchema: "beat",
          MapBooleanAsBoolean: true,
          MapJsonbAsClob: true,
          MapLongVarcharAs: "wstring",
          MaxFileSize: 1024,
          PluginName: "pglogical",
          SlotName: "slot",
        },
      },
      more: { PostgreSQLSettings: { HeartbeatFrequency: 10 } },
    },
    {
      EngineName: "aurora",
      settings: {
        MySQLSettings: {
          AfterConnectScript: "SET SESSION sql_mode=''",
          CleanSourceMetadataOnMismatch: true,
          EventsPollInterval: 7,
          ExecuteTimeout: 100,
          MaxFileSize: 1000,
          ParallelLoadThreads: 2,
          ServerTimezone: "UTC",
          TargetDbType: "specific-database",
        },
      },
      more: { MySQLSettings: { EventsPollInterval: 8 } },
    },
  ];
  for (const { EngineName, settings, more } of engines) {
    const place = { Username: "dms", ServerName: "db.internal", Port: 6543, DatabaseName: "app" };
    const [[member, struct]] = Object.entries(settings) as [[string, object]];
    const common = {
      EndpointIdentifier: `terraform-${EngineName}`,
      EngineName,
      CertificateArn,
      SslMode: "verify-ca",
    } as const;
    // Where the database is comes at the top and in the struct.
    const { Endpoint } = await client.send(
      new dms.CreateEndpointCommand({
        ...common,
        EndpointType: "source",
        ...place,
        Password: "Xyzzy",
        [member]: { ...struct, ...place, Password: "Xyzzy" },
        Tags,
      }),
    );
    const EndpointArn = Endpoint!.EndpointArn!;
    const read = async (): Promise<dms.Endpoint | undefined> => {
      const Filters = [{ Name: "endpoint-id", Values: [common.EndpointIdentifier] }];
      return (await client.send(new dms.DescribeEndpointsCommand({ Filters }))).Endpoints?.[0];
    };
    const first = await read();
    assertHolds(first, { ...common, ...place, [member]: { ...struct, ...place } });
    assert.equal(first?.EndpointType?.toLowerCase(), "source");
    assert.equal(first.ExtraConnectionAttributes, undefined);
    await tagged(EndpointArn);
    const moved = { ...place, Port: 7000, Password: "Plugh" };
    const [[, changed]] = Object.entries(more) as [[string, object]];
    await client.send(
      new dms.ModifyEndpointCommand({
        EndpointArn,
        EngineName,
        ...moved,
        [member]: { ...changed, ...moved },
      }),
    );
    assertHolds(await read(), {
      ...common,
      ...{ ...place, Port: 7000 },
      [member]: { ...struct, ...changed, ...place, Port: 7000 },
    });
    await client.send(
      new dms.ModifyEndpointCommand({
        EndpointArn,
        ExtraConnectionAttributes: "executeTimeout=77;",
        SslMode: "none",
      }),
    );
    assertHolds(await read(), { ExtraConnectionAttributes: "executeTimeout=77;", SslMode: "none" });
    assert.equal(JSON.stringify(await read()).includes("Plugh"), false);
    await client.send(new dms.DeleteEndpointCommand({ EndpointArn }));
    await reaches({ pending: ["deleting"], target: [] }, async () => (await read())?.Status);
  }
  await client.send(new dms.DeleteCertificateCommand({ CertificateArn }));
  assert.equal(await found(readCertificate), undefined);
});

test("aws_dms_event_subscription", async () => {
  const created = {
    Enabled: true,
    EventCategories: ["creation", "failure"],
    SnsTopicArn: TOPIC,
    SourceType: "replication-instance",
    SubscriptionName: "Terraform-Events",
  };
  const instance = { ReplicationInstanceIdentifier: "watched", ReplicationInstanceClass: "dms.t3.micro" };
  await client.send(new dms.CreateReplicationInstanceCommand(instance));
  await client.send(new dms.CreateEventSubscriptionCommand({ ...created, SourceIds: ["watched"], Tags }));
  const { SubscriptionName } = created;
  const read = async (): Promise<dms.EventSubscription | undefined> =>
    (await client.send(new dms.DescribeEventSubscriptionsCommand({ SubscriptionName })))
      .EventSubscriptionsList?.[0];
  const status = async (): Promise<string | undefined> => (await read())?.Status;
  await reaches({ pending: ["creating", "modifying"], target: ["active"] }, status);
  const shown = {
    Enabled: true,
    SnsTopicArn: TOPIC,
    SourceType: "replication-instance",
    SourceIdsList: ["watched"],
  };
  assertHolds(await read(), { ...shown, EventCategoriesList: created.EventCategories });
  await tagged(`arn:aws:dms:us-east-1:123456789012:es:${SubscriptionName}`);
  const changed = { ...created, Enabled: false, EventCategories: ["deletion"] };
  await client.send(new dms.ModifyEventSubscriptionCommand(changed));
  await reaches({ pending: ["modifying"], target: ["active"] }, status);
  assertHolds(await read(), { ...shown, Enabled: false, EventCategoriesList: ["deletion"] });
  await client.send(new dms.DeleteEventSubscriptionCommand({ SubscriptionName }));
  await reaches({ pending: ["deleting"], target: [] }, status);
});
