import { join } from "node:path";
import { parseArgs } from "node:util";
import { count, duration, short } from "../src/cli/human.ts";
import { errorLines, textFields } from "../src/cli/output.ts";
import { lagTexts, progressTotals } from "../src/cli/progress-rates.ts";
import { taskDisplay } from "../src/cli/task-display.ts";
import { MigrationError } from "../src/core/error.ts";
import { pasteLine } from "../src/server/access-key.ts";
import { registry } from "../src/server/engines.ts";
import { startServer } from "../src/server/main.ts";
import type { LagProgress } from "../src/task/task.ts";
import type { PostgresServer } from "../test/support/postgres-server.ts";
import { Stage } from "../test/support/stage.ts";
import type { DemoSource, Verdict } from "./demo-source.ts";
import { mariadbSource } from "./mariadb-source.ts";
import { type MigrationResult, runMigration } from "./migration.ts";
import { postgresSource } from "./postgres-source.ts";

const HELP = `npm run demo [-- options]

Starts two servers, fills one with a million rows, lets an application write to it, moves it to the
other meanwhile, and compares every row. Leaves nothing behind.

  --source <kind>   postgres (default), or mariadb, which has to be installed (mariadb-server)
  --keep            leave the servers up, and a Tideway server with its API, until Ctrl-C
  --rows <number>   rows to start with (default 1000000)
  --seconds <number>
                    how long changes are watched once they arrive (default 15)
  --help
`;

const DATABASE = "shop";
const SOURCES = ["postgres", "mariadb"] as const;
type SourceKind = (typeof SOURCES)[number];
const CLIENTS = 4;
const TRANSACTIONS_PER_SECOND = 200;

interface DemoOptions {
  readonly source: SourceKind;
  readonly keep: boolean;
  readonly rows: number;
  readonly seconds: number;
}

const startedMs = performance.now();

/** Resolves with whether both databases are equal. */
async function demo(options: DemoOptions, stage: Stage): Promise<boolean> {
  say("Tideway moves a database to PostgreSQL while an application goes on writing to it.\n\n");
  const [source, target] = await step("starting two servers", () => startServers(stage, options.source));
  say(`  source  ${source.url}\n  target  ${target.url(DATABASE)}\n`);
  await step(`making ${count(options.rows)} rows in related tables`, () => source.fill(options.rows));
  await using application = await source.startApplication({
    clients: CLIENTS,
    transactionsPerSecond: TRANSACTIONS_PER_SECOND,
  });
  say(`an application writes: ${CLIENTS} connections, ${TRANSACTIONS_PER_SECOND} transactions/s\n\n`);
  const display = taskDisplay(process, {
    title: "source → target",
    hint: "Ctrl-C ends the demo and removes everything.",
    verbose: false,
  });
  stage.defer(async () => display.close(undefined));
  const result = await runMigration({
    sourceUrl: source.url,
    patterns: source.patterns,
    targetUrl: target.url(DATABASE),
    application,
    display,
    replicateMs: 1000 * options.seconds,
  });
  display.close(result.outcome);
  if (result.outcome.error !== undefined) throw MigrationError.fromJSON(result.outcome.error);
  say("\n");
  const verdict = await step("comparing every row of every table on both sides", () =>
    source.verify(target, DATABASE),
  );
  say(report(result, verdict));
  if (options.keep) await keep(stage, source, target);
  return verdict.equal && result.outcome.suspendedTables.length === 0;
}

async function startServers(stage: Stage, kind: SourceKind): Promise<readonly [DemoSource, PostgresServer]> {
  const [source, target] = await Promise.all([startSource(stage, kind), stage.server()]);
  await target.query(`create database ${DATABASE}`);
  return [source, target];
}

async function startSource(stage: Stage, kind: SourceKind): Promise<DemoSource> {
  if (kind === "mariadb") {
    const server = await stage.mysqlServer({ flavour: "mariadb" });
    await server.query(`create database ${DATABASE} character set utf8mb4`);
    return mariadbSource(server, DATABASE);
  }
  const server = await stage.server();
  await server.query(`create database ${DATABASE}`);
  return postgresSource(server, DATABASE);
}

/** Leaves everything up, with an API server beside it, until a signal ends the process. */
async function keep(stage: Stage, source: DemoSource, target: PostgresServer): Promise<void> {
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    dataDir: join(stage.directory, "tideway"),
    registry,
    workerPath: join(import.meta.dirname, "..", "src", "server", "worker.ts"),
    log: () => undefined,
  });
  stage.defer(() => server.close());
  say(
    `\nUntil Ctrl-C these stay up:\n  ${source.shell}\n  psql ${target.url(DATABASE)}\n` +
      `and a Tideway server at ${server.address}:\n  ${pasteLine(server.credentialsFile, server.address)}\n`,
  );
  await new Promise(() => undefined);
}

async function step<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const begunMs = performance.now();
  say(`${what} ...`);
  const result = await work();
  say(` ${((performance.now() - begunMs) / 1000).toFixed(1)} s\n`);
  return result;
}

function report({ outcome, application, withoutWritesMs }: MigrationResult, verdict: Verdict): string {
  const { progress } = outcome;
  const totals = progressTotals(progress);
  const loadMs = (progress.fullLoadEndMs ?? 0) - (progress.fullLoadStartMs ?? 0);
  const { lag } = progress;
  const fields: [string, string][] = [
    [
      "full load",
      `${count(totals.rows)} rows in ${seconds(loadMs)}: ${short(totals.rows / (loadMs / 1000))} rows/s`,
    ],
    ["application", `${count(application.commits)} transactions committed meanwhile`],
    ["changes applied", `${count(lag?.changes ?? 0)} in ${count(lag?.transactions ?? 0)} transactions`],
    ["replication lag", lag === undefined ? "-" : lagText(lag)],
    ["without writes", `${seconds(withoutWritesMs)} from the last commit until the target had everything`],
    ["compared", verdict.compared],
    ["all in all", duration((performance.now() - startedMs) / 1000)],
  ];
  const verdictLine = verdict.equal
    ? "Source and target are equal.\n"
    : `Source and target DIFFER:\n${verdict.differences}\n`;
  return `\n${textFields(fields)}\n(Both servers run on one machine and do not wait for its disk.)\n${verdictLine}`;
}

function lagText(lag: LagProgress): string {
  const { p50, p99 } = lagTexts(lag);
  const isRough = lag.resolutionMs > 1;
  return `p50 ${p50}, p99 ${p99}${isRough ? " (the source's log tells commits in whole seconds)" : ""}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

function say(text: string): void {
  process.stdout.write(text);
}

function readOptions(): DemoOptions | undefined {
  const { values } = parseArgs({
    options: {
      source: { type: "string", default: "postgres" },
      keep: { type: "boolean", default: false },
      rows: { type: "string", default: "1000000" },
      seconds: { type: "string", default: "15" },
      help: { type: "boolean", default: false },
    },
  });
  const rows = Number(values.rows);
  const source = SOURCES.find((kind) => kind === values.source);
  const seconds = Number(values.seconds);
  if (values.help || !(rows >= 1000) || !(seconds > 0) || source === undefined) return undefined;
  return { source, keep: values.keep, rows, seconds };
}

/** Unlike the product, the demo's own parts throw plain errors that say what is wrong. */
function failureText(error: unknown): string {
  if (error instanceof MigrationError || !(error instanceof Error)) return errorLines(error);
  return `error: ${error.message}\n`;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) {
    say(HELP);
    return;
  }
  // Node's remarks about its own parts would end up in the middle of the display.
  process.removeAllListeners("warning");
  const stage = new Stage({ prefix: "tideway-demo-" });
  let ending = false;
  const end = (code: number) => (): void => {
    ending = true;
    const struck = stage.strike();
    say("\ncleaning up ...\n");
    void struck.finally(() => process.exit(code));
  };
  process.once("SIGINT", end(130)).once("SIGTERM", end(143)).once("SIGHUP", end(129));
  process.stdout.once("error", end(141));
  try {
    process.exitCode = (await demo(options, stage)) ? 0 : 1;
  } catch (error) {
    // Servers that are taken away make everything else fail; that is no news.
    if (!ending) process.stderr.write(`\n${failureText(error)}`);
    process.exitCode = 1;
  }
  if (ending) return;
  await stage.strike();
  process.exit();
}

await main();
