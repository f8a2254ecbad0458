import assert from "node:assert/strict";
import { test } from "node:test";
import * as dms from "@aws-sdk/client-database-migration-service";
import { waiting } from "../../test/support/dms-client.ts";
import { eventually } from "../../test/support/eventually.ts";
import { everything } from "../../test/support/task-api.ts";
import { taskService } from "../../test/support/task-service.ts";

const { postgres, tideway, api } = await taskService();

test("a killed worker and a restarted server lose nothing: a running task goes on", async () => {
  const databases = await api.pair(100);
  const arn = await api.createTask(databases, { MigrationType: "full-load-and-cdc" });
  await api.start(arn);
  await api.inState(arn, "running");
  await api.untilRows(databases.target, 100);
  await assert.rejects(api.client.send(new dms.DeleteReplicationTaskCommand({ ReplicationTaskArn: arn })), {
    name: "InvalidResourceStateFault",
  });
  await assert.rejects(
    api.client.send(new dms.ModifyEndpointCommand({ EndpointArn: databases.sourceArn, Port: 1 })),
    { name: "InvalidResourceStateFault" },
  );
  await assert.rejects(api.start(arn, "resume-processing"), { message: /invalid state/ });

  await eventually("the end of the load", async () => {
    return (await api.describe(arn)).ReplicationTaskStats?.FullLoadFinishDate !== undefined;
  });
  const pid = tideway.server.workerPid(api.instanceArn)!;
  const dead = new Date();
  process.kill(pid, "SIGKILL");
  await postgres.query("insert into item select n from generate_series(101, 200) n", databases.source);
  await api.untilRows(databases.target, 200);
  assert.notEqual(tideway.server.workerPid(api.instanceArn), pid);
  await api.inState(arn, "running");
  const applied = (inserts: number): Promise<dms.TableStatistics> =>
    eventually(`${inserts} applied rows`, async () => {
      const statistics = new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn });
      const [item] = (await api.client.send(statistics)).TableStatistics!;
      return item?.AppliedInserts === inserts && item;
    });
  // What a worker has applied it tells a moment later.
  await applied(100);

  await tideway.stop();
  await postgres.query("insert into item select n from generate_series(201, 300) n", databases.source);
  await tideway.start();
  api.client = await tideway.client();
  await api.untilRows(databases.target, 300);
  const { FullLoadRows, FullLoadStartTime, FullLoadEndTime, Inserts } = await applied(200);
  assert.deepEqual([FullLoadRows, Inserts], [100, 200]);
  const { FullLoadFinishDate } = (await api.describe(arn)).ReplicationTaskStats!;
  assert.ok(
    FullLoadStartTime! <= FullLoadEndTime! && FullLoadFinishDate! < dead,
    "times are those of the load",
  );

  await api.stop(arn);
  const stopped = await api.describe(arn);
  assert.equal(stopped.StopReason, "Stop Reason NORMAL");
  assert.match(stopped.RecoveryCheckpoint ?? "", /^checkpoint:V1#1#[0-9A-F]+\/[0-9A-F]+#/);
  const slots = async (): Promise<number> =>
    (await postgres.query(`select from pg_replication_slots where database = '${databases.source}'`)).length;
  assert.equal(await slots(), 1);
  await api.remove(arn);
  assert.equal(await slots(), 0);
  assert.deepEqual(await postgres.query("select from pg_publication", databases.source), []);
});

test("a task whose start failed says why, and starts again with resume-processing once mended", async () => {
  const databases = await api.pair(10);
  const wrong = await api.endpoint("source", databases.source, { Password: "Wrong-Xyzzy" });
  const arn = await api.createTask({ ...databases, sourceArn: wrong });
  await api.start(arn);
  const failed = await api.inState(arn, "failed");
  assert.match(failed.LastFailureMessage ?? "", /^auth\.failed.+Correct the endpoint's user name/);
  assert.equal(failed.StopReason, "Stop Reason FATAL_ERROR");
  assert.deepEqual(await api.eventsOf(arn), ["0074", "0069", "0078"]);
  assert.equal(JSON.stringify(failed).includes("Wrong-Xyzzy"), false);
  await api.client.send(new dms.ModifyEndpointCommand({ EndpointArn: wrong, Password: postgres.password }));
  await api.start(arn, "resume-processing");
  const done = await api.inState(arn, "stopped");
  assert.equal(done.LastFailureMessage, undefined);
  assert.equal(await api.count(databases.target), 10);
});

test("a task is deleted although its source is out of reach, and an event says what is left", async () => {
  const databases = await api.pair(1);
  const arn = await api.createTask(databases, {
    MigrationType: "full-load-and-cdc",
    ResourceIdentifier: "Left-Behind",
  });
  await api.start(arn);
  await api.untilRows(databases.target, 1);
  await api.stop(arn);
  await api.client.send(new dms.ModifyEndpointCommand({ EndpointArn: databases.sourceArn, Port: 1 }));
  const { ReplicationTaskIdentifier } = await api.describe(arn);
  await api.remove(arn);
  const message = await eventually("the event", async () => {
    const { Events } = await api.client.send(new dms.DescribeEventsCommand({ EventCategories: ["failure"] }));
    const event = Events!.find((one) => one.SourceIdentifier === ReplicationTaskIdentifier);
    return event?.Message ?? false;
  });
  assert.match(message, /connect\.refused.+named after left_behind.+DMS-EVENT-0082/);
  await postgres.query("select pg_drop_replication_slot('tideway_left_behind')");
});

test("the load of single tables can be asked for again while a task runs", async () => {
  const databases = await api.pair(5);
  const arn = await api.createTask(databases, { MigrationType: "full-load-and-cdc" });
  const reload = (TableName: string, ReloadOption?: dms.ReloadOptionValue, times = 1): Promise<unknown> =>
    api.client.send(
      new dms.ReloadTablesCommand({
        ReplicationTaskArn: arn,
        TablesToReload: Array.from({ length: times }, () => ({ SchemaName: "public", TableName })),
        ReloadOption,
      }),
    );
  await assert.rejects(reload("item"), { name: "InvalidResourceStateFault" });
  await api.start(arn);
  await api.inState(arn, "running");
  await api.untilRows(databases.target, 5);
  await postgres.query("insert into item values (6)", databases.source);
  await api.untilRows(databases.target, 6);
  await assert.rejects(reload("none"), {
    name: "InvalidParameterValueException",
    message: /no table public\.none/,
  });
  await assert.rejects(reload("item", "all" as "data-reload"), { name: "ValidationException" });
  await assert.rejects(reload("item", "validate-only"), {
    name: "InvalidParameterCombinationException",
    message: /only when EnableValidation is true/,
  });
  for (const times of [0, 11]) {
    await assert.rejects(reload("item", "data-reload", times), { message: /must name 1 to 10 tables/ });
  }
  await postgres.query("delete from item where id = 1", databases.target);
  await reload("item", "data-reload");
  await api.untilRows(databases.target, 6);
  const instance = { ReplicationInstanceArn: api.instanceArn };
  await api.client.send(new dms.RebootReplicationInstanceCommand(instance));
  // Without a process that could be told, and with a server that ends before there is one.
  await postgres.query("delete from item where id = 2", databases.target);
  await reload("item");
  await tideway.stop();
  await tideway.start();
  api.client = await tideway.client();
  await api.untilRows(databases.target, 6);
  await dms.waitUntilReplicationInstanceAvailable(waiting(api.client), {});
  const logging = { Logging: { LogComponents: [{ Id: "IO", Severity: "LOGGER_SEVERITY_DEBUG" }] } };
  const modify = (settings: object): Promise<unknown> =>
    api.client.send(
      new dms.ModifyReplicationTaskCommand({
        ReplicationTaskArn: arn,
        ReplicationTaskSettings: JSON.stringify(settings),
      }),
    );
  await modify(logging);
  await assert.rejects(modify({ FullLoadSettings: { CommitRate: 1 } }), {
    message: /excluding logging severity task settings, cannot be modified while it is running state/,
  });
  await api.stop(arn);
  await api.remove(arn);
});

test("other table mappings than a table was loaded by set it aside when the task is resumed, until it is loaded again", async () => {
  const databases = await api.pair(5);
  const arn = await api.createTask(databases, { MigrationType: "full-load-and-cdc" });
  await api.start(arn);
  await api.untilRows(databases.target, 5);
  await api.inState(arn, "running");
  await api.stop(arn);
  const { rules } = JSON.parse(everything) as { rules: object[] };
  const mask = {
    ...{ "rule-type": "transformation", "rule-id": "2", "rule-name": "2", "rule-target": "column" },
    "object-locator": { "schema-name": "public", "table-name": "item", "column-name": "name" },
    ...{ "rule-action": "data-masking-digits-mask", value: "#" },
  };
  await api.client.send(
    new dms.ModifyReplicationTaskCommand({
      ReplicationTaskArn: arn,
      TableMappings: JSON.stringify({ rules: [...rules, mask] }),
    }),
  );
  await api.inState(arn, "stopped");
  await api.start(arn, "resume-processing");
  const table = (state: string): Promise<dms.TableStatistics> =>
    eventually(`the table to be in the state ${state}`, async () => {
      const statistics = new dms.DescribeTableStatisticsCommand({ ReplicationTaskArn: arn });
      const [item] = (await api.client.send(statistics)).TableStatistics!;
      return item?.TableState === state && item;
    });
  const { ValidationStateDetails } = await table("Table error");
  assert.match(
    ValidationStateDetails!,
    /^mapping\.rules_changed: .+: they treat the column name in another way\. Reload the table, /,
  );
  const masked = async (): Promise<number> => {
    const [row] = await postgres.query(
      "select count(*)::int as n from item where name = 'name #'",
      databases.target,
    );
    return row.n;
  };
  assert.equal(await masked(), 0);
  await api.inState(arn, "running");
  await api.client.send(
    new dms.ReloadTablesCommand({
      ReplicationTaskArn: arn,
      TablesToReload: [{ SchemaName: "public", TableName: "item" }],
    }),
  );
  await table("Table completed");
  assert.equal(await masked(), 5);
  await api.stop(arn);
  await api.remove(arn);
});
