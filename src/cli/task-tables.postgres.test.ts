import assert from "node:assert/strict";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { eventually } from "../../test/support/eventually.ts";
import { taskService } from "../../test/support/task-service.ts";
import { runCommandLine } from "./main.ts";

const { postgres, tideway, api } = await taskService();

/** The first table of the task, once it is as wanted. */
function statistics(
  arn: string,
  isWanted: (table: dms.TableStatistics) => boolean,
): Promise<dms.TableStatistics> {
  return eventually("the table's statistics", async () => {
    const command = new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn });
    const [table] = (await api.client.send(command)).TableStatistics!;
    return table !== undefined && isWanted(table) && table;
  });
}

/** What `tideway task tables` prints. */
async function printed(name: string): Promise<string> {
  let text = "";
  const stdout = { write: (more: string) => (text += more) };
  const code = await runCommandLine(
    ["task", "tables", name, "--data-dir", tideway.dataDir, "--endpoint-url", tideway.server.address],
    {
      ...{ stdout, stderr: stdout },
    },
  );
  assert.equal(code, 0, text);
  return text;
}

test("changes that the target refuses show in the table's statistics, until it is loaded again", async () => {
  const databases = await api.pair(3);
  await postgres.query(
    `create table item (id int primary key, name text check (name <> 'secret'))`,
    databases.target,
  );
  await postgres.query("update item set name = 'secret' where id = 3", databases.source);
  const settings = {
    FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" },
    ErrorBehavior: { RecoverableErrorInterval: 1 },
  };
  const arn = await api.createTask(databases, {
    ...{ ReplicationTaskIdentifier: "left-out", MigrationType: "full-load-and-cdc" },
    ReplicationTaskSettings: JSON.stringify(settings),
  });
  await api.start(arn);
  await api.untilRows(databases.target, 2);
  const loaded = await statistics(arn, ({ FullLoadErrorRows }) => FullLoadErrorRows === 1);
  assert.match(loaded.ValidationStateDetails!, /^apply\.rows_left_out: .+ refused 1 row of the full load, /);
  await postgres.query(
    "insert into item values (4, 'secret'); update item set name = 'secret' where id = 1; delete from item where id = 2",
    databases.source,
  );
  await postgres.query("delete from item where id = 2", databases.target);
  const refused = await statistics(arn, ({ ValidationStateDetails = "" }) =>
    /1 row of the full load and 2 changes, .+ 1 change found no row/.test(ValidationStateDetails),
  );
  assert.deepEqual(
    [refused.TableState, refused.FullLoadErrorRows, refused.AppliedInserts, refused.AppliedDeletes],
    ["Table completed", 1, 0, 0],
  );
  assert.doesNotMatch(refused.ValidationStateDetails!, /secret/);
  assert.match(
    await printed("left-out"),
    /^public\.item +Table completed .+\n\npublic\.item: apply\.rows_left_out: .+ and 2 changes, /m,
  );

  await postgres.query("alter table item drop constraint item_name_check", databases.target);
  await api.client.send(
    new dms.ReloadTablesCommand({
      ReplicationTaskArn: arn,
      TablesToReload: [{ SchemaName: "public", TableName: "item" }],
    }),
  );
  const whole = await statistics(
    arn,
    ({ FullLoadReloaded, TableState }) => FullLoadReloaded === true && TableState === "Table completed",
  );
  assert.deepEqual([whole.ValidationStateDetails, whole.FullLoadErrorRows], [undefined, 0]);
  assert.equal(await api.count(databases.target), 3);
  await api.stop(arn);
  await api.remove(arn);
});
