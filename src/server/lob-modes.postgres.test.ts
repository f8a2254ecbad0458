import assert from "node:assert/strict";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { taskService } from "../../test/support/task-service.ts";

const { postgres, api } = await taskService();

const SIZE = 100_000;

async function modify(arn: string, settings: string): Promise<void> {
  const change = { ReplicationTaskArn: arn, ReplicationTaskSettings: settings };
  await api.client.send(new dms.ModifyReplicationTaskCommand(change));
}

async function metadataOf(arn: string): Promise<Record<string, unknown>> {
  return JSON.parse((await api.describe(arn)).ReplicationTaskSettings!).TargetMetadata;
}

test("a task cuts large values off where somebody asks for it, and not because AWS's defaults were sent back", async () => {
  const databases = await api.pair(3);
  await postgres.query(`update item set name = repeat('x', ${SIZE}) where id = 2`, databases.source);
  const arn = await api.createTask(databases);
  const load = async (): Promise<{ readonly size: number; readonly told: string | undefined }> => {
    await api.start(arn, "reload-target");
    await api.inState(arn, "stopped");
    const [row] = await postgres.query(
      "select length(name) as size from item where id = 2",
      databases.target,
    );
    const statistics = new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn });
    const [item] = (await api.client.send(statistics)).TableStatistics!;
    return { size: row.size, told: item!.ValidationStateDetails };
  };
  await api.start(arn);
  await api.inState(arn, "stopped");
  assert.deepEqual(await load(), { size: SIZE, told: undefined });

  const described = (await api.describe(arn)).ReplicationTaskSettings!;
  assert.equal(JSON.parse(described).TargetMetadata.LimitedSizeLobMode, true);
  await modify(arn, described);
  assert.equal((await load()).size, SIZE);

  await modify(arn, JSON.stringify({ TargetMetadata: { FullLobMode: true } }));
  assert.equal((await metadataOf(arn)).LimitedSizeLobMode, false);
  await modify(arn, described);
  const { LimitedSizeLobMode, LobMaxSize } = await metadataOf(arn);
  assert.deepEqual([LimitedSizeLobMode, LobMaxSize], [true, 32]);
  const cut = await load();
  assert.equal(cut.size, 32 * 1024);
  assert.match(cut.told!, /^mapping\.value_cut: 1 value of the table was longer than large objects may be/);

  await modify(arn, JSON.stringify({ Logging: { EnableLogging: true } }));
  assert.equal((await load()).size, 32 * 1024);
  const tooSmall = JSON.stringify({ TargetMetadata: { LobMaxSize: 0 } });
  await assert.rejects(modify(arn, tooSmall), {
    name: "InvalidParameterValueException",
    message: /TargetMetadata\.LobMaxSize must be a whole number from 1 to 102400 with LimitedSizeLobMode/,
  });
});
