import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CommandLine, tideway } from "../../test/support/command-line.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres-server.ts";

let server: PostgresServer;
let directory: string;
before(async () => {
  server = await startPostgres();
  directory = await mkdtemp(join(tmpdir(), "tideway-serve-"));
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

test("a server is driven by the command line alone, from its first start to its end", async () => {
  const source = await server.createDatabase("source");
  const target = await server.createDatabase("target");
  await server.query("create table t as select i as id from generate_series(1, 100) i", source);
  await using serving = new CommandLine(["serve", "--port", "0", "--data-dir", directory]);
  const paste = await serving.line((line) => line.includes("aws dms describe-endpoints"));
  assert.match(
    paste,
    /AWS_SHARED_CREDENTIALS_FILE=\S+credentials AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+ /,
  );
  assert.equal((await stat(join(directory, "credentials"))).mode & 0o777, 0o600);

  const run = async (...args: string[]): Promise<string> => {
    const result = await tideway([...args, "--data-dir", directory]);
    assert.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
    return result.stdout;
  };
  await run("instance", "create", "worker-1", "--wait");
  await run("endpoint", "create", "old", server.url(source), "--type", "source");
  await run("endpoint", "create", "new", server.url(target), "--type", "target");
  await run("endpoint", "test", "old");
  assert.match(await run("endpoint", "list"), /^ENDPOINT +TYPE .*\nold +source +postgres +127\.0\.0\.1:/);
  await run("task", "create", "move", "--source", "old", "--target", "new", "--include", "public.*");
  await server.query("create table t (id int); create view v as select * from t", target);
  const assessed = await tideway(["task", "assess", "move", "--data-dir", directory]);
  assert.equal(assessed.code, 3, assessed.stderr);
  assert.match(assessed.stdout, /^error target\.table_in_use\n {2}.*view public\.v[\s\S]*\nmove: failed\n$/);
  const create = ["task", "create", "bold", "--source", "old", "--target", "new", "--include", "public.*"];
  const wrong = await tideway([...create, "--pass-over", "source.no_key", "--data-dir", directory]);
  assert.notEqual(wrong.code, 0);
  assert.match(wrong.stderr, /source\.no_key, which cannot be passed over: /);
  await run(...create, "--pass-over", "target.table_in_use:public.t");
  assert.match(
    await run("task", "assess", "bold"),
    /^warning target\.table_in_use\n.*This is passed over as told\.[\s\S]*\nbold: warning\n$/,
  );
  await run("task", "delete", "bold", "--wait");
  await server.query("drop view v", target);
  assert.match(await run("task", "assess", "move"), /\nmove: passed\n$/);
  await run("task", "start", "move", "--wait");
  assert.match(await run("task", "tables", "move"), /public\.t +Table completed +100 /);
  assert.match(await run("task", "show", "move"), /status +stopped/);
  const [task] = JSON.parse(await run("task", "list", "--json")) as { ReplicationTaskIdentifier: string }[];
  assert.equal(task?.ReplicationTaskIdentifier, "move");
  const [count] = await server.query("select count(*)::int as n from t", target);
  assert.equal(count.n, 100);

  const twice = await tideway(["task", "start", "move", "--data-dir", directory]);
  assert.equal(twice.code, 1);
  assert.match(twice.stderr, /^error [A-Za-z]+: .*\n/);
  const unknown = await tideway(["task", "show", "nothing", "--data-dir", directory]);
  assert.match(unknown.stderr, /^error ResourceNotFoundFault: There is no task nothing\.\nremedy: /);
  await run("task", "delete", "move", "--wait");
  await run("endpoint", "delete", "old");
  await run("endpoint", "delete", "new");
  await run("instance", "delete", "worker-1", "--wait");
  serving.kill("SIGTERM");
  const result = await serving.result;
  assert.equal(result.code, 0, result.stderr);
  for (const line of result.stderr.trim().split("\n")) JSON.parse(line);
});

test("without a server the client says what to do", async () => {
  const env = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_ENDPOINT_URL: "" };
  const empty = join(directory, "empty");
  const args = ["task", "list", "--data-dir", empty, "--endpoint-url", "http://127.0.0.1:9"];
  const result = await tideway(args, { env });
  assert.equal(result.code, 2);
  assert.match(result.stderr, /^error server\.unreachable: .*\nremedy: Start one with `tideway serve`/);
});

test("a server that could not tell anybody of events as it is asked to does not start", async () => {
  const topics = join(directory, "topics.json");
  await writeFile(topics, '{"events":"http://127.0.0.1:9"}');
  const env = { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" };
  const refusals: readonly [string[], RegExp][] = [
    [["--topics", topics], /names events, which is not the ARN of a standard topic/],
    [["--sns-endpoint", "http://127.0.0.1:9"], /An SNS endpoint needs credentials/],
  ];
  for (const [options, message] of refusals) {
    const dataDir = join(directory, "refused");
    const result = await tideway(["serve", "--port", "0", "--data-dir", dataDir, ...options], { env });
    assert.equal(result.code, 2, result.stderr);
    assert.match(result.stderr, message);
  }
});
