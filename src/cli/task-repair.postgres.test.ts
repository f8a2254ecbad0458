import assert from "node:assert/strict";
import { test } from "node:test";
import type * as dms from "@aws-sdk/client-database-migration-service";
import { eventually } from "../../test/support/eventually.ts";
import { taskService } from "../../test/support/task-service.ts";
import { runCommandLine } from "./main.ts";

const { postgres, tideway, api } = await taskService();

/** What `tideway task` prints. */
async function printed(args: readonly string[], expected = 0): Promise<string> {
  let text = "";
  const stdout = { write: (more: string) => (text += more) };
  const server = ["--data-dir", tideway.dataDir, "--endpoint-url", tideway.server.address];
  const code = await runCommandLine(["task", ...args, ...server], { stdout, stderr: stdout });
  assert.equal(code, expected, text);
  return text;
}

async function idsOf(table: string, database: string): Promise<readonly number[]> {
  return (await postgres.query(`select id from ${table} order by id`, database)).map(({ id }) => id);
}

async function start(
  databases: Parameters<typeof api.createTask>[0],
  name: string,
  parts: Record<string, object> = {},
  type = "full-load-and-cdc",
): Promise<string> {
  const settings = { ErrorBehavior: { RecoverableErrorInterval: 1 }, ...parts };
  const arn = await api.createTask(databases, {
    ...{ ReplicationTaskIdentifier: name, MigrationType: type as dms.MigrationTypeValue },
    ReplicationTaskSettings: JSON.stringify(settings),
  });
  await api.start(arn);
  return arn;
}

test("a repair tells what it would change, changes it when it is told to, and ends when it has been compared", async () => {
  const databases = await api.pair(9);
  await postgres.query(
    "create table loose (id int, t text); alter table loose replica identity full; insert into loose values (1, 'a')",
    databases.source,
  );
  await start(databases, "mend", { ValidationSettings: { EnableValidation: true } });
  await api.untilRows(databases.target, 9);
  const isValidated = async (count: number): Promise<boolean> => {
    const tables = JSON.parse(await printed(["tables", "mend", "--json"])) as dms.TableStatistics[];
    return (
      tables.length === 2 &&
      tables.filter(({ ValidationState }) => ValidationState === "Validated").length === count
    );
  };
  await eventually("both tables to be compared", () => isValidated(2));
  assert.equal(await printed(["repair", "mend"]), "No rows are recorded that differ.\n");

  await postgres.query(
    "delete from item where id in (2, 3); update item set name = 'secret' where id = 4; insert into item values (77, 'x'); insert into loose values (2, 'stray')",
    databases.target,
  );
  await printed(["reload", "mend", "--validate-only", "--table", "public.item", "--table", "public.loose"]);
  await eventually("the rows to be found", () => isValidated(0));
  const found = await eventually("all to be recorded", async () => {
    const text = await printed(["repair", "mend"], 3);
    const isFound = /public\.item: 2 rows to insert, 1 row to update, 1 row to delete/.test(text);
    return isFound && text.includes("public.loose: 1 row to delete") && text;
  });
  assert.match(found, /public\.loose: 1 row to delete\n {2}1 cannot be repaired: its rows have no key/);
  assert.match(found, /Nothing has been changed\. With --yes/);
  assert.deepEqual(await idsOf("item", databases.target), [1, 4, 5, 6, 7, 8, 9, 77]);

  const done = await printed(["repair", "mend", "--yes", "--wait", "--table", "public.item"]);
  assert.match(done, /public\.item: 4 recorded, 4 equal now, 0 left\n/);
  assert.doesNotMatch(done, /secret/);
  assert.deepEqual(await idsOf("item", databases.target), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const all = JSON.parse(await printed(["repair", "mend", "--yes", "--wait", "--json"], 3));
  assert.deepEqual(
    [all.Status, all.DryRun, all.Tables],
    [
      "done",
      false,
      [
        {
          ...{ SchemaName: "public", TableName: "loose", Recorded: 1, Missing: 0, Extra: 1, Different: 0 },
          ...{ Settled: 0, Left: 1, Untried: 1 },
          Reason: "its rows have no key to be found by; reload the table",
          Codes: [],
        },
      ],
    ],
  );
  assert.match(await printed(["repair", "mend", "--table", "public.none"], 2), /has no table public\.none/);
  await printed(["stop", "mend", "--wait"]);
  assert.match(
    await printed(["repair", "mend"], 1),
    /The task mend is stopped: rows are repaired while it runs/,
  );
});

test("tasks that cannot repair say what does", async () => {
  const databases = await api.pair(1);
  await start(databases, "blind");
  await api.untilRows(databases.target, 1);
  assert.match(
    await printed(["repair", "blind"], 1),
    /does not compare its tables.* modify it so that EnableValidation is true.*validate --repair FILE/,
  );
  const others = await api.pair(1);
  await start(others, "once", { ValidationSettings: { EnableValidation: true } }, "full-load");
  await api.untilRows(others.target, 1);
  assert.match(await printed(["repair", "once"], 1), /brings no changes.*validate --repair=apply/);
  const kept = { FullLoadSettings: { TargetTablePrepMode: "DO_NOTHING" } };
  const only = { ...kept, ValidationSettings: { EnableValidation: true, ValidationOnly: true } };
  await start(others, "looks", only, "full-load");
  assert.match(await printed(["repair", "looks"], 1), /only compares and writes no rows/);
});
