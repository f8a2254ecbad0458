import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { mappingRefusals } from "../../test/support/mapping-refusals.ts";
import { everything } from "../../test/support/mapping-rules.ts";
import { startTideway, type TidewayServer } from "../../test/support/tideway-server.ts";

/* Every operation that takes a document refuses one that cannot be carried out, and keeps what it had. */

let tideway: TidewayServer;
let client: dms.DatabaseMigrationServiceClient;

before(async () => {
  tideway = await startTideway();
  client = await tideway.client();
});
after(() => tideway[Symbol.asyncDispose]());

const good = JSON.stringify({ rules: [everything] });

interface Documents {
  readonly TableMappings?: string;
  readonly settings?: string;
}

/** Whatever takes documents, by the operation's name; `kept` is what a change has left. */
interface Taker {
  readonly operation: string;
  readonly take: (documents: Documents) => Promise<unknown>;
  readonly kept: () => Promise<readonly (string | undefined)[]>;
}

async function endpoint(EndpointType: dms.ReplicationEndpointTypeValue): Promise<string> {
  const { Endpoint } = await client.send(
    new dms.CreateEndpointCommand({
      ...{ EndpointIdentifier: `an-${EndpointType}`, EndpointType, EngineName: "postgres" },
      ...{ ServerName: "127.0.0.1", Port: 1, Username: "u", Password: "p", DatabaseName: "d" },
    }),
  );
  return Endpoint!.EndpointArn!;
}

async function takers(): Promise<readonly Taker[]> {
  const ends = {
    SourceEndpointArn: await endpoint("source"),
    TargetEndpointArn: await endpoint("target"),
  };
  const { ReplicationInstance } = await client.send(
    new dms.CreateReplicationInstanceCommand({
      ...{ ReplicationInstanceIdentifier: "worker", ReplicationInstanceClass: "dms.t3.medium" },
    }),
  );
  const ReplicationInstanceArn = ReplicationInstance!.ReplicationInstanceArn!;
  await dms.waitUntilReplicationInstanceAvailable(waiting(client), {});
  const createTask = ({ TableMappings = good, settings }: Documents, name: string) =>
    client.send(
      new dms.CreateReplicationTaskCommand({
        ...{ ...ends, ReplicationInstanceArn, ReplicationTaskIdentifier: name, MigrationType: "full-load" },
        ...{ TableMappings, ReplicationTaskSettings: settings },
      }),
    );
  const createConfig = ({ TableMappings = good, settings }: Documents, name: string) =>
    client.send(
      new dms.CreateReplicationConfigCommand({
        ...{ ...ends, ReplicationConfigIdentifier: name, ReplicationType: "full-load", TableMappings },
        ...{ ComputeConfig: { MaxCapacityUnits: 1 }, ReplicationSettings: settings },
      }),
    );
  const task = (await createTask({}, "kept")).ReplicationTask!.ReplicationTaskArn!;
  await dms.waitUntilReplicationTaskReady(waiting(client), {});
  const config = (await createConfig({}, "kept")).ReplicationConfig!.ReplicationConfigArn!;
  const tasks = async (): Promise<readonly dms.ReplicationTask[]> =>
    (await client.send(new dms.DescribeReplicationTasksCommand({}))).ReplicationTasks!;
  const configs = async (): Promise<readonly dms.ReplicationConfig[]> =>
    (await client.send(new dms.DescribeReplicationConfigsCommand({}))).ReplicationConfigs!;
  return [
    {
      operation: "CreateReplicationTask",
      take: (documents) => createTask(documents, "other"),
      kept: async () => (await tasks()).map(({ ReplicationTaskIdentifier }) => ReplicationTaskIdentifier),
    },
    {
      operation: "ModifyReplicationTask",
      take: ({ TableMappings, settings }) =>
        client.send(
          new dms.ModifyReplicationTaskCommand({
            ...{ ReplicationTaskArn: task, TableMappings, ReplicationTaskSettings: settings },
          }),
        ),
      kept: async () =>
        (await tasks()).flatMap((one) => [one.TableMappings, one.ReplicationTaskSettings, one.Status]),
    },
    {
      operation: "CreateReplicationConfig",
      take: (documents) => createConfig(documents, "other"),
      kept: async () =>
        (await configs()).map(({ ReplicationConfigIdentifier }) => ReplicationConfigIdentifier),
    },
    {
      operation: "ModifyReplicationConfig",
      take: ({ TableMappings, settings }) =>
        client.send(
          new dms.ModifyReplicationConfigCommand({
            ...{ ReplicationConfigArn: config, TableMappings, ReplicationSettings: settings },
          }),
        ),
      kept: async () => (await configs()).flatMap((one) => [one.TableMappings, one.ReplicationSettings]),
    },
  ];
}

/** Settings that are refused, and what the answer says. */
const settingRefusals: readonly (readonly [document: string, says: RegExp])[] = [
  ["{", /^Invalid task settings JSON\. /],
  [
    '{"FullLoadSettings":{"MaxFullLoadSubTasks":0}}',
    /FullLoadSettings\.MaxFullLoadSubTasks must be .+1 to 49/,
  ],
  [
    '{"ErrorBehavior":{"DataErrorPolicy":"KEEP"}}',
    /ErrorBehavior\.DataErrorPolicy must be one of LOG_ERROR, /,
  ],
  ['{"TargetMetadata":{"FullLobMode":true,"LimitedSizeLobMode":true}}', /TargetMetadata\.FullLobMode and /],
  ['{"Logging":{"EnableLogContext":true}}', /Logging\.EnableLogContext is not allowed when /],
];

test("documents that cannot be carried out are refused with AWS's fault, the rule, the member and the reason", async () => {
  for (const { operation, take, kept } of await takers()) {
    const before = await kept();
    for (const { because, rules, subject, says } of mappingRefusals) {
      await assert.rejects(take({ TableMappings: JSON.stringify({ rules }) }), (error: Error) => {
        assert.equal(error.name, "InvalidParameterValueException", `${operation}: ${because}`);
        const [, rule, member] = /^rule (.*): (?:.*\.)?(.*)$/.exec(subject) ?? [];
        if (rule !== undefined) {
          assert.match(
            error.message,
            /^Error in mapping rules\. Rule (?:with ruleId = |at place )\S+ failed validation\. /,
          );
          assert.ok(error.message.includes(rule.replace(/^at place /, "")), error.message);
          assert.ok(error.message.includes(member!), error.message);
        }
        assert.match(error.message, new RegExp(says.source.replace(/\$$/, "")));
        return true;
      });
    }
    for (const [settings, message] of settingRefusals) {
      const expected = { name: "InvalidParameterValueException", message };
      await assert.rejects(take({ settings }), expected, `${operation}: ${settings}`);
    }
    assert.deepEqual(await kept(), before, operation);
  }
});
