import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { registry } from "../../src/server/engines.ts";
import { type RunningServer, startServer } from "../../src/server/main.ts";
import { eventually } from "../support/eventually.ts";
import { type PostgresServer, startPostgres } from "../support/postgres-server.ts";

/** Debian's `aws` (2.9); the test command finds or installs it. */
const aws = process.env["TIDEWAY_TEST_AWS"] ?? "aws";

let source: PostgresServer;
let target: PostgresServer;
let server: RunningServer;
let directory: string;

const accounts = `create schema demo_schema;
  create table demo_schema.demo_accounts ("accountNumber" bigint not null, "firstName" varchar(20),
    "lastName" varchar(20), "creationTime" time not null);
  insert into demo_schema.demo_accounts values
    (1001, 'Ada', 'Lovelace', '09:00'), (1002, 'Alan', 'Turing', '10:30'), (1003, E'G\\tH', null, '23:59:59.5')`;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tideway-walkthrough-"));
  [source, target] = await Promise.all([startPostgres(), startPostgres()]);
  await source.query("create database demo_db");
  await target.query("create database demo_db");
  await source.query(accounts, "demo_db");
  server = await start();
});

after(async () => {
  await server?.close();
  await Promise.all([source?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
  await rm(directory, { recursive: true, force: true });
});

function start(): Promise<RunningServer> {
  return startServer({
    host: "127.0.0.1",
    port: 0,
    dataDir: join(directory, "data"),
    registry,
    workerPath: join(import.meta.dirname, "../../src/server/worker.ts"),
    log: () => undefined,
  });
}

/** Runs `aws dms ...` as a user would, with the credentials file the server made. */
async function dms(...args: string[]): Promise<string> {
  const child = spawn(aws, ["dms", ...args], {
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      HOME: directory,
      AWS_SHARED_CREDENTIALS_FILE: server.credentialsFile,
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_PAGER: "",
      AWS_EC2_METADATA_DISABLED: "true",
    },
    argv0: aws,
  });
  return finished(child, args);
}

async function finished(child: ReturnType<typeof spawn>, args: readonly string[]): Promise<string> {
  let out = "";
  let err = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`aws dms ${args[0]} ended with ${code}: ${err}`);
  return out.trim();
}

function command(...args: string[]): Promise<string> {
  return dms(...args, "--endpoint-url", server.address);
}

async function taskStatus(
  arn: string,
): Promise<{ Status: string; StopReason?: string; LastFailureMessage?: string }> {
  const text = await command(
    "describe-replication-tasks",
    "--filters",
    `Name=replication-task-arn,Values=${arn}`,
    "--query",
    "ReplicationTasks[0]",
  );
  return JSON.parse(text);
}

/** As people do: asks in a loop until the status is one of the wanted ones. */
async function untilTask(arn: string, ...wanted: string[]): Promise<Awaited<ReturnType<typeof taskStatus>>> {
  const asked = async () => {
    const task = await taskStatus(arn);
    if (wanted.includes(task.Status)) return task;
    assert.notEqual(task.Status, "failed", task.LastFailureMessage);
    return undefined;
  };
  return await eventually(`the task to be ${wanted.join(" or ")}`, asked);
}

let sourceArn: string;
let targetArn: string;
let instanceArn: string;

test("the credentials file is the user's alone, and a request without a good signature is refused", async () => {
  assert.equal((await stat(server.credentialsFile)).mode & 0o777, 0o600);
  const credentials = await readFile(server.credentialsFile, "utf8");
  const wrong = join(directory, "wrong");
  await writeFile(wrong, credentials.replace(/(aws_secret_access_key *= *).*/, "$1wrong"));
  await assert.rejects(
    finished(
      spawn(aws, ["dms", "describe-endpoints", "--endpoint-url", server.address], {
        env: {
          PATH: process.env["PATH"],
          HOME: directory,
          AWS_SHARED_CREDENTIALS_FILE: wrong,
          AWS_DEFAULT_REGION: "us-east-1",
        },
      }),
      ["describe-endpoints"],
    ),
    /InvalidSignatureException/,
  );
  const unsigned = await fetch(server.address, {
    method: "POST",
    headers: {
      "X-Amz-Target": "AmazonDMSv20160101.DescribeEndpoints",
      "Content-Type": "application/x-amz-json-1.1",
    },
    body: "{}",
  });
  assert.equal(unsigned.status, 400);
  assert.match(await unsigned.text(), /MissingAuthenticationToken/);
});

test("instance and endpoints are created, tested and found by the walkthrough's queries", async () => {
  await command(
    ...["create-replication-instance", "--replication-instance-identifier", "demo-instance"],
    ...["--replication-instance-class", "dms.t3.medium"],
  );
  await command(
    "wait",
    "replication-instance-available",
    "--filters",
    "Name=replication-instance-id,Values=demo-instance",
  );
  for (const [type, database] of [
    ["source", source],
    ["target", target],
  ] as const) {
    const shown = await command(
      ...["create-endpoint", "--endpoint-identifier", `demo-${type}`, "--endpoint-type", type],
      ...["--engine-name", "postgres", "--server-name", "127.0.0.1", "--port", String(database.port)],
      ...["--username", "postgres", "--password", database.password, "--database-name", "demo_db"],
    );
    assert.ok(!shown.includes(database.password));
  }
  sourceArn = await command(
    ...["describe-endpoints", "--filters", "Name=endpoint-type,Values=SOURCE"],
    ...["--query", "Endpoints[0].EndpointArn", "--output", "text"],
  );
  targetArn = await command(
    ...["describe-endpoints", "--filters", "Name=endpoint-type,Values=TARGET"],
    ...["--query", "Endpoints[0].EndpointArn", "--output", "text"],
  );
  instanceArn = await command(
    ...["describe-replication-instances", "--query", "ReplicationInstances[0].ReplicationInstanceArn"],
    ...["--output", "text"],
  );
  for (const arn of [sourceArn, targetArn]) {
    assert.match(arn, /^arn:aws:dms:us-east-1:\d{12}:endpoint:/);
    await command("test-connection", "--replication-instance-arn", instanceArn, "--endpoint-arn", arn);
    await command("wait", "test-connection-succeeds", "--filters", `Name=endpoint-arn,Values=${arn}`);
  }
});

for (const prepMode of ["DO_NOTHING", "DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD"]) {
  test(`the published walkthrough works word for word with ${prepMode}`, async () => {
    await writeFile(
      join(directory, "table-mappings.json"),
      JSON.stringify({
        rules: [
          {
            "rule-type": "selection",
            "rule-id": "1",
            "rule-name": "1",
            "object-locator": { "schema-name": "demo_schema", "table-name": "demo_accounts" },
            "rule-action": "include",
          },
        ],
      }),
    );
    await writeFile(
      join(directory, "task-settings.json"),
      JSON.stringify({
        FullLoadSettings: { TargetTablePrepMode: prepMode },
        Logging: { EnableLogging: true },
      }),
    );
    const arn = await command(
      ...["create-replication-task", "--replication-task-identifier", "dms-task-demo"],
      ...["--source-endpoint-arn", sourceArn, "--target-endpoint-arn", targetArn],
      ...["--replication-instance-arn", instanceArn, "--migration-type", "full-load"],
      ...["--table-mappings", "file://table-mappings.json"],
      ...["--replication-task-settings", "file://task-settings.json"],
      ...["--query", "ReplicationTask.ReplicationTaskArn", "--output", "text"],
    );
    await untilTask(arn, "ready");
    await command(
      ...["start-replication-task", "--replication-task-arn", arn],
      ...["--start-replication-task-type", "start-replication"],
    );
    const stopped = await untilTask(arn, "stopped");
    assert.equal(stopped.StopReason, "Stop Reason FULL_LOAD_ONLY_FINISHED");
    assert.match(await command("describe-replication-tasks", "--output", "table"), /dms-task-demo/);
    const sql = `select * from demo_schema.demo_accounts order by "accountNumber"`;
    const expected = await source.query(sql, "demo_db");
    const rows = await target.query(sql, "demo_db");
    assert.deepEqual(rows, expected);
    const statistics = JSON.parse(await command("describe-table-statistics", "--replication-task-arn", arn));
    assert.equal(statistics.TableStatistics[0].FullLoadRows, 3);
    assert.equal(statistics.TableStatistics[0].TableState, "Table completed");
    await assert.rejects(
      command(
        ...["start-replication-task", "--replication-task-arn", arn],
        ...["--start-replication-task-type", "start-replication"],
      ),
      /valid only for tasks running for the first time/,
    );
    await command("delete-replication-task", "--replication-task-arn", arn);
    await command("wait", "replication-task-deleted", "--filters", `Name=replication-task-arn,Values=${arn}`);
    await target.query("truncate demo_schema.demo_accounts", "demo_db");
  });
}

test("killing the instance's process leaves the API up, and its task resumes without losing a row", async () => {
  await source.query(
    `create schema app; create table app.t (id int primary key, v text);
     insert into app.t select i, 'v' from generate_series(1, 1000) i`,
    "demo_db",
  );
  await writeFile(
    join(directory, "app.json"),
    JSON.stringify({
      rules: [
        {
          "rule-type": "selection",
          "rule-id": "1",
          "rule-name": "1",
          "object-locator": { "schema-name": "app", "table-name": "%" },
          "rule-action": "include",
        },
      ],
    }),
  );
  const arn = await command(
    ...["create-replication-task", "--replication-task-identifier", "dms-task-cdc"],
    ...["--source-endpoint-arn", sourceArn, "--target-endpoint-arn", targetArn],
    ...["--replication-instance-arn", instanceArn, "--migration-type", "full-load-and-cdc"],
    ...["--table-mappings", "file://app.json"],
    ...["--query", "ReplicationTask.ReplicationTaskArn", "--output", "text"],
  );
  await untilTask(arn, "ready");
  await command(
    ...["start-replication-task", "--replication-task-arn", arn],
    ...["--start-replication-task-type", "start-replication"],
  );
  await untilRows(1000);
  const [worker] = await workers();
  await source.query("insert into app.t select i, 'w' from generate_series(1001, 1500) i", "demo_db");
  process.kill(worker!, "SIGKILL");
  await source.query("insert into app.t select i, 'x' from generate_series(1501, 2000) i", "demo_db");
  await untilRows(2000);
  await untilTask(arn, "running");
  assert.ok(!(await workers()).includes(worker!));

  // The control plane itself may die and come back: the task goes on.
  await server.close();
  await source.query("insert into app.t select i, 'y' from generate_series(2001, 2100) i", "demo_db");
  server = await start();
  await untilRows(2100);

  await command("stop-replication-task", "--replication-task-arn", arn);
  await untilTask(arn, "stopped");
  await command("delete-replication-task", "--replication-task-arn", arn);
  await command("wait", "replication-task-deleted", "--filters", `Name=replication-task-arn,Values=${arn}`);
  const left = await source.query(
    "select slot_name from pg_replication_slots union all select pubname from pg_publication",
    "demo_db",
  );
  assert.deepEqual(left, [], "the deleted task left something on the source");
});

/** Process ids of this process's workers, from the kernel's list. */
async function workers(): Promise<number[]> {
  const ids: number[] = [];
  const children = await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8");
  for (const id of children.split(" ").filter(Boolean)) {
    const line = await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "");
    if (line.includes("worker.ts")) ids.push(Number(id));
  }
  return ids;
}

async function untilRows(count: number): Promise<void> {
  const reached = async (): Promise<boolean> => {
    const [row] = await target.query("select count(*)::int as n from app.t", "demo_db");
    return row.n === count;
  };
  await eventually(`${count} rows`, () => reached().catch(() => false));
}
