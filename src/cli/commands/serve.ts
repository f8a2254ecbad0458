import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Command, Option } from "commander";
import { ExitCode } from "../exit-code.ts";
import { onInterrupt } from "../interrupts.ts";
import { wholeNumberIn } from "../number-options.ts";
import type { Output } from "../output.ts";
import { defaultDataDir } from "../run-record.ts";

const HELP = `
Example:
  tideway serve --data-dir ./tideway-data

The first start makes an access key in DIR/credentials. On the screen is a line to paste that lets the
aws command, an AWS SDK or Terraform use this server. Ctrl-C stops it in order; its tasks resume at
the next start.

Event subscriptions are delivered to the topics of --topics and --sns-endpoint; credentials for the latter
are taken from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.`;

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: string;
  readonly topics?: string;
  readonly snsEndpoint?: string;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"];

export function serveCommand(program: Command, output: Output): void {
  program
    .command("serve")
    .description("Serve the AWS DMS API.")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 for any free one", wholeNumberIn(0, 65_535), 8367)
    .option("--data-dir <dir>", "where everything is kept", defaultDataDir())
    .addOption(new Option("--log-level <level>", "what is logged").choices(LOG_LEVELS).default("info"))
    .option("--topics <file>", "JSON file of topic ARNs and the addresses their events are posted to")
    .option(
      "--sns-endpoint <url>",
      "address of Amazon SNS, or what speaks its protocol, for all other topics",
    )
    .addHelpText("after", HELP)
    .action((options: ServeOptions) => serve(options, output));
}

/** Runs the server until it is told to end. Throws when it cannot start. */
export async function serve(options: ServeOptions, output: Output): Promise<void> {
  const [{ startServer }, { pasteLine }, { registry }, { pino }] = await Promise.all([
    import("../../server/main.ts"),
    import("../../server/access-key.ts"),
    import("../../server/engines.ts"),
    import("pino"),
  ]);
  const logger = pino({ level: options.logLevel }, pino.destination({ dest: 2, sync: true }));
  const server = await startServer({
    host: options.host,
    port: options.port,
    dataDir: options.dataDir,
    registry,
    workerPath: workerPath(),
    topics: {
      topicsFile: options.topics,
      snsEndpoint: options.snsEndpoint,
      environment: process.env,
    },
    log: (level, message, fields) => logger[level](fields ?? {}, message),
  });
  // For the API client commands, which then need no address.
  const addressFile = join(options.dataDir, "address");
  writeFileSync(addressFile, `${server.address}\n`, { mode: 0o600 });
  const interrupted = new Promise<void>((resolve) => {
    onInterrupt(resolve, () => process.exit(ExitCode.interrupted));
  });
  // Whoever reads this may send a signal at once.
  output.stdout.write(
    `Tideway serves the AWS DMS API at ${server.address}\n` +
      (server.firstStart ? `Made an access key in ${server.credentialsFile}\n` : "") +
      `Try it:\n  ${pasteLine(server.credentialsFile, server.address)}\n`,
  );
  await interrupted;
  output.stdout.write("Stopping in order; Ctrl-C again ends at once.\n");
  rmSync(addressFile, { force: true });
  await server.close();
}

/** The worker's file lies where this one does: TypeScript in a clone, JavaScript in the package. */
function workerPath(): string {
  const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
  return fileURLToPath(new URL(`../../server/worker.${extension}`, import.meta.url));
}
