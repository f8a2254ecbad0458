import { type Command, InvalidArgumentError } from "commander";
import { onInterrupt } from "../interrupts.ts";
import type { Output } from "../output.ts";
import { defaultDataDir } from "../run-record.ts";

const HELP = `
Example:
  tideway serve --data-dir ./tideway-data

The first start makes an access key in DIR/credentials. On the screen is a line to paste that lets the
aws command, an AWS SDK or Terraform use this server. Ctrl-C stops it in order; its tasks resume at
the next start.`;

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logLevel: string;
}

export function serveCommand(program: Command, output: Output): void {
  program
    .command("serve")
    .description("Serve the AWS DMS API.")
    .option("--host <host>", "address to listen on", "127.0.0.1")
    .option("--port <port>", "port to listen on; 0 for any free one", portNumber, 8367)
    .option("--data-dir <dir>", "where everything is kept", defaultDataDir())
    .option("--log-level <level>", "trace, debug, info, warn or error", "info")
    .addHelpText("after", HELP)
    .action((options: ServeOptions) => serve(options, output));
}

/** Runs the server until it is told to end. Throws when it cannot start. */
export async function serve(options: ServeOptions, output: Output): Promise<void> {
  const [{ startServer }, { registry }, { pino }] = await Promise.all([
    import("../../server/main.ts"),
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
    log: (level, message, fields) => logger[level](fields ?? {}, message),
  });
  output.stdout.write(welcome(server));
  await new Promise<void>((resolve) => {
    onInterrupt(resolve, () => process.exit(130));
  });
  output.stdout.write("Stopping in order; Ctrl-C again ends at once.\n");
  await server.close();
}

interface Serving {
  readonly address: string;
  readonly credentialsFile: string;
  readonly firstStart: boolean;
}

function welcome(server: Serving): string {
  const made = server.firstStart ? `Made an access key in ${server.credentialsFile}\n` : "";
  const environment = [
    `AWS_SHARED_CREDENTIALS_FILE=${shellWord(server.credentialsFile)}`,
    `AWS_ENDPOINT_URL=${server.address}`,
    "AWS_DEFAULT_REGION=us-east-1",
  ].join(" ");
  return `Tideway serves the AWS DMS API at ${server.address}\n${made}Try it:\n  ${environment} aws dms describe-endpoints\n`;
}

/** A path as a POSIX shell takes it. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The worker's file lies where this one does: TypeScript in a clone, JavaScript in the package. */
function workerPath(): string {
  const extension = import.meta.filename.endsWith(".ts") ? "ts" : "js";
  return new URL(`../../server/worker.${extension}`, import.meta.url).pathname;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("A port is a number from 0 to 65535.");
}
