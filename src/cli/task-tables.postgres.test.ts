import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
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

/** What `tideway task` prints. */
async function printed(args: readonly string[], expected = 0): Promise<string> {
  let text = "";
  const stdout = { write: (more: string) => (text += more) };
  const server = ["--data-dir", tideway.dataDir, "--endpoint-url", tideway.server.address];
  const code = await runCommandLine(["task", ...args, ...server], { stdout, stderr: stdout });
  assert.equal(code, expected, text);
  return text;
}

/** Changes a row of a table all the time. */
async function write(database: string, table: string, signal: AbortSignal): Promise<void> {
  const client = await postgres.connect(database);
  try {
    for (let i = 0; !signal.aborted; i++) {
      await client.query(`update ${table} set name = 'written ${i}' where id = 1`);
      await setTimeout(20);
    }
  } finally {
    await client.end();
  }
}

/** Keys and kinds of rows that are recorded as different. */
async function recorded(database: string): Promise<readonly unknown[]> {
  const rows = await postgres.query(
    `select "KEY", "FAILURE_TYPE", "DETAILS" from awsdms_validation_failures_v1 order by 1`,
    database,
  );
  return rows.map((row) => Object.values(row));
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
    ValidationSettings: { EnableValidation: true },
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
  const different = await statistics(
    arn,
    ({ ValidationFailedRecords, ValidationPendingRecords }) =>
      ValidationFailedRecords === 3 && ValidationPendingRecords === 0,
  );
  assert.equal(different.ValidationState, "Mismatched records");
  assert.match(different.ValidationStateDetails!, /^apply\.rows_left_out: /);
  assert.deepEqual(await recorded(databases.target), [
    ['{"key": ["1"]}', "RECORD_DIFF", "name"],
    ['{"key": ["3"]}', "MISSING_TARGET", ""],
    ['{"key": ["4"]}', "MISSING_TARGET", ""],
  ]);
  assert.match(
    await printed(["tables", "left-out"]),
    /^public\.item +Table completed +Mismatched records .+ 3 +0\n\npublic\.item: apply\.rows_left_out: .+ and 2 changes, /m,
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
  await statistics(arn, ({ ValidationState }) => ValidationState === "Validated");
  assert.deepEqual(await recorded(databases.target), []);

  // What somebody else writes on the target no change tells of.
  await postgres.query("update item set name = 'other' where id = 4", databases.target);
  const anew = ["reload", "left-out", "--validate-only", "--wait"];
  assert.match(await printed([...anew, "--table", "public.item"], 3), /1 of 1 tables compared/);
  assert.deepEqual(await recorded(databases.target), [['{"key": ["4"]}', "RECORD_DIFF", "name"]]);
  assert.match(
    await printed(["show", "left-out"]),
    /^validation +1 table mismatched records, 1 row differs$/m,
  );
  await postgres.query("update item set name = 'secret' where id = 4", databases.target);
  await printed(anew);
  assert.match(await printed(["show", "left-out"]), /^validation +1 table validated$/m);
  await api.stop(arn);
  assert.equal((await statistics(arn, () => true)).ValidationState, "Validated");
  await api.remove(arn);
});

test("whoever waits for tables to be compared anew need not wait until nobody writes to them any more", async () => {
  const databases = await api.pair(3);
  await postgres.query(
    `create table bag (id int, name text); alter table bag replica identity full; insert into bag values (1, 'a'), (2, 'b')`,
    databases.source,
  );
  const settings = {
    ErrorBehavior: { RecoverableErrorInterval: 1 },
    // Of what has been written there is always something left to compare.
    ValidationSettings: { EnableValidation: true, ValidationQueryCdcDelaySeconds: 3 },
  };
  const arn = await api.createTask(databases, {
    ...{ ReplicationTaskIdentifier: "written", MigrationType: "full-load-and-cdc" },
    ReplicationTaskSettings: JSON.stringify(settings),
  });
  await api.start(arn);
  const stop = new AbortController();
  const writing = ["item", "bag"].map((table) => write(databases.source, table, stop.signal));
  try {
    await statistics(arn, ({ ValidationPendingRecords = 0 }) => ValidationPendingRecords > 0);
    const anew = ["reload", "written", "--validate-only", "--wait"];
    assert.match(await printed(anew), /2 of 2 tables compared/);
    await postgres.query("insert into bag values (9, 'stray')", databases.target);
    assert.match(await printed([...anew, "--table", "public.bag"], 3), /1 of 1 tables compared/);
  } finally {
    stop.abort();
    await Promise.all(writing);
  }
  await api.stop(arn);
  await api.remove(arn);
});
