import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { EventReceiver } from "../../test/support/event-receiver.ts";
import { eventually } from "../../test/support/eventually.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

const HOOKED = "arn:aws:sns:us-east-1:000000000000:hooked";
const PUBLISHED = "arn:aws:sns:eu-west-1:000000000000:published";

let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;
let hook: EventReceiver;
let sns: EventReceiver;
let directory: string;

before(async () => {
  [tideway, hook, sns] = await Promise.all([startTideway(), EventReceiver.start(), EventReceiver.start()]);
  directory = await mkdtemp(join(tmpdir(), "tideway-topics-"));
  const topicsFile = join(directory, "topics.json");
  await writeFile(topicsFile, JSON.stringify({ [HOOKED]: `${hook.address}/?key=Xyzzy-Plugh` }));
  const environment = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "Plugh-Xyzzy" };
  tideway.topics = { topicsFile, environment };
  await restart();
});
after(async () => {
  await tideway[Symbol.asyncDispose]();
  await hook[Symbol.asyncDispose]();
  await sns[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function restart(): Promise<void> {
  await tideway.stop();
  await tideway.start();
  client = await tideway.client();
}

async function subscribe(
  change: Partial<dms.CreateEventSubscriptionCommandInput> = {},
): Promise<dms.EventSubscription> {
  const members = { SubscriptionName: "s", SnsTopicArn: HOOKED, ...change };
  return (await client.send(new dms.CreateEventSubscriptionCommand(members))).EventSubscription!;
}

async function modify(
  change: Omit<dms.ModifyEventSubscriptionCommandInput, "SubscriptionName">,
): Promise<dms.EventSubscription> {
  const members = { SubscriptionName: "s", ...change };
  return (await client.send(new dms.ModifyEventSubscriptionCommand(members))).EventSubscription!;
}

async function describe(): Promise<dms.EventSubscription> {
  const command = new dms.DescribeEventSubscriptionsCommand({ SubscriptionName: "S" });
  return (await client.send(command)).EventSubscriptionsList![0]!;
}

function unsubscribe(): Promise<unknown> {
  return client.send(new dms.DeleteEventSubscriptionCommand({ SubscriptionName: "s" }));
}

/** Makes and removes an instance, which are four events. */
async function instance(ReplicationInstanceIdentifier: string): Promise<void> {
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ReplicationInstanceIdentifier,
      ReplicationInstanceClass: "dms.t3.micro",
    }),
  );
  const Filters = [{ Name: "replication-instance-id", Values: [ReplicationInstanceIdentifier] }];
  await dms.waitUntilReplicationInstanceAvailable(waiting(client), { Filters });
  const { ReplicationInstanceArn } = ReplicationInstance!;
  await client.send(new dms.DeleteReplicationInstanceCommand({ ReplicationInstanceArn }));
  await dms.waitUntilReplicationInstanceDeleted(waiting(client), { Filters });
}

/** Numbers of the events of an instance that the webhook took. */
function told(source: string, count: number): Promise<string[]> {
  return eventually(`${count} events of ${source}`, async () => {
    const numbers = hook
      .taken()
      .filter((event) => event.source === source)
      .map(({ number }) => number);
    return numbers.length >= count && numbers;
  });
}

test("a subscription is made, changed, tagged and removed as AWS does it", async () => {
  const created = await subscribe({
    SourceType: "replication-task",
    EventCategories: ["Creation", "failure"],
    Tags: [{ Key: "a", Value: "1" }],
  });
  const shown: dms.EventSubscription = {
    CustomerAwsId: "000000000000",
    CustSubscriptionId: "s",
    SnsTopicArn: HOOKED,
    SourceType: "replication-task",
    SourceIdsList: [],
    EventCategoriesList: ["Creation", "failure"],
    Enabled: true,
  };
  const { Status, SubscriptionCreationTime, ...members } = created;
  assert.deepEqual(members, shown);
  assert.equal(Status, "creating");
  assert.match(SubscriptionCreationTime ?? "", /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/);
  assert.deepEqual(await describe(), { ...created, Status: "active" });
  const changed = await modify({ Enabled: false, EventCategories: ["deletion"] });
  assert.equal(changed.Status, "modifying");
  assert.deepEqual(await describe(), { ...changed, Status: "active" });
  assert.deepEqual([changed.Enabled, changed.EventCategoriesList], [false, ["deletion"]]);
  // Terraform's provider makes the ARN itself, of whatever account it thinks it has.
  const ResourceArn = "arn:aws:dms:us-east-1:123456789012:es:s";
  const { TagList } = await client.send(new dms.ListTagsForResourceCommand({ ResourceArn }));
  assert.deepEqual(TagList, [{ Key: "a", Value: "1" }]);
  const Filters = [{ Name: "event-subscription-id", Values: ["s"] }];
  const filtered = await client.send(new dms.DescribeEventSubscriptionsCommand({ Filters }));
  assert.equal(filtered.EventSubscriptionsList?.length, 1);
  await assert.rejects(subscribe({ SubscriptionName: "S" }), { name: "ResourceAlreadyExistsFault" });
  await unsubscribe();
  for (const gone of [describe, unsubscribe, () => modify({})]) {
    await assert.rejects(gone, { name: "ResourceNotFoundFault" });
  }
  assert.deepEqual(
    (await client.send(new dms.DescribeEventSubscriptionsCommand({}))).EventSubscriptionsList,
    [],
  );
});

test("subscriptions that could tell nobody or of nothing are refused", async () => {
  const refusals: readonly [Partial<dms.CreateEventSubscriptionCommandInput>, string, RegExp][] = [
    [{ SnsTopicArn: "arn:aws:sqs:a:b:c" }, "SNSInvalidTopicFault", /is not the ARN of a standard SNS topic/],
    [{ SnsTopicArn: PUBLISHED }, "SNSInvalidTopicFault", /--sns-endpoint/],
    [{ SourceType: "endpoint" }, "ValidationException", /replication-instance, replication-task/],
    [
      { EventCategories: ["state change"], SourceType: "replication-instance" },
      "InvalidParameterValueException",
      /state change/,
    ],
    [{ SourceIds: ["x"] }, "InvalidParameterCombinationException", /SourceType must be given/],
    [{ SourceIds: ["x"], SourceType: "replication-task" }, "ResourceNotFoundFault", /no replication-task x/],
    [{ SubscriptionName: "a:b" }, "InvalidParameterValueException", /SubscriptionName/],
  ];
  for (const [change, name, message] of refusals) {
    await assert.rejects(subscribe(change), { name, message }, JSON.stringify(change));
  }
  const { EventCategoryGroupList } = await client.send(
    new dms.DescribeEventCategoriesCommand({ SourceType: "replication-task" }),
  );
  assert.deepEqual(EventCategoryGroupList, [
    {
      SourceType: "replication-task",
      EventCategories: ["configuration change", "creation", "deletion", "failure", "state change"],
    },
  ]);
});

test("what happens is told although the receiver and the server are down for a while, and no key is logged", async () => {
  await subscribe({ SourceType: "replication-instance" });
  await hook.stop();
  await instance("quiet");
  await eventually("a try", async () => tideway.log.some((line) => line.includes("event delivery failed")));
  await restart();
  await hook.start();
  assert.deepEqual(await told("quiet", 4), ["0067", "0005", "0066", "0003"]);
  await modify({ Enabled: false });
  await instance("unheard");
  await modify({ Enabled: true });
  await instance("heard");
  await told("heard", 4);
  assert.deepEqual(
    hook.taken().filter(({ source }) => source === "unheard"),
    [],
  );
  const [request] = hook.received;
  assert.equal(request?.url, "/?key=Xyzzy-Plugh");
  assert.equal(tideway.log.join("\n").includes("Xyzzy"), false);
  await unsubscribe();
});

test("with an SNS endpoint every topic is known, and told by a signed request", async () => {
  tideway.topics = { ...tideway.topics!, snsEndpoint: sns.address };
  await restart();
  await subscribe({ SnsTopicArn: PUBLISHED, EventCategories: ["deletion"] });
  await instance("published");
  const requests = await eventually("two events", async () => sns.received.length >= 2 && sns.received);
  const messages = requests.map(({ body }) => {
    const parameters = new URLSearchParams(body);
    assert.equal(parameters.get("TopicArn"), PUBLISHED);
    return JSON.parse(parameters.get("Message")!)["Event ID"].match(/DMS-EVENT-\d+/)[0];
  });
  assert.deepEqual(messages, ["DMS-EVENT-0066", "DMS-EVENT-0003"]);
  assert.match(
    requests[0]!.headers.authorization ?? "",
    /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-west-1\/sns\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
  );
  assert.equal(tideway.log.join("\n").includes("Xyzzy"), false);
});
