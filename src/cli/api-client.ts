import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  DatabaseMigrationServiceClient,
  DatabaseMigrationServiceServiceException,
} from "@aws-sdk/client-database-migration-service";
import type { Command } from "commander";
import { MigrationError } from "../core/error.ts";
import { ReportedFault } from "./output.ts";
import { defaultDataDir } from "./run-record.ts";

/** Finds the server and its access key as the aws command would, and in the server's data directory. */

export interface ApiOptions {
  readonly endpointUrl?: string;
  readonly dataDir: string;
  readonly json: boolean;
}

const DEFAULT_URL = "http://127.0.0.1:8367";

/** Adds the options that every command of the API client has. */
export function withApiOptions(command: Command): Command {
  return command
    .option("--endpoint-url <url>", "where the server is; otherwise AWS_ENDPOINT_URL or what DIR says")
    .option(
      "--data-dir <dir>",
      "the server's data directory, for its address and access key",
      defaultDataDir(),
    )
    .option("--json", "print the API's answer", false);
}

/** Runs calls of the API and closes the client. What fails is thrown with a remedy. */
export async function withApi<Result>(
  options: ApiOptions,
  work: (client: DatabaseMigrationServiceClient) => Promise<Result>,
): Promise<Result> {
  const endpoint = serverUrl(options);
  const client = new DatabaseMigrationServiceClient({
    endpoint,
    region: process.env["AWS_REGION"] ?? process.env["AWS_DEFAULT_REGION"] ?? "us-east-1",
    credentials: accessKey(options),
    maxAttempts: 2,
  });
  try {
    return await work(client);
  } catch (error) {
    throw reported(error, endpoint, options);
  } finally {
    client.destroy();
  }
}

function serverUrl(options: ApiOptions): string {
  const { env } = process;
  const url =
    options.endpointUrl ??
    env["AWS_ENDPOINT_URL_DATABASE_MIGRATION_SERVICE"] ??
    env["AWS_ENDPOINT_URL"] ??
    textOf(join(options.dataDir, "address")) ??
    DEFAULT_URL;
  if (URL.canParse(url) && /^https?:/.test(url)) return url;
  throw new MigrationError("usage.invalid", {
    message: `The server's address ${JSON.stringify(url)} is not a URL.`,
    remedy: `Write it as ${DEFAULT_URL}.`,
  });
}

interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The server's own key first: an AWS key in the environment is usually meant for AWS. */
function accessKey(options: ApiOptions): AccessKey {
  const own = keyInFile(join(options.dataDir, "credentials"), "default");
  if (own !== undefined) return own;
  const { env } = process;
  const accessKeyId = env["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"];
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  const shared = env["AWS_SHARED_CREDENTIALS_FILE"];
  const key = shared === undefined ? undefined : keyInFile(shared, env["AWS_PROFILE"] ?? "default");
  if (key !== undefined) return key;
  throw new MigrationError("usage.invalid", {
    message: `There is no access key in ${options.dataDir} nor in the environment.`,
    remedy:
      "Give the server's --data-dir, or set AWS_SHARED_CREDENTIALS_FILE to its credentials file; " +
      "`tideway serve` makes one at its first start.",
  });
}

/** The shared credentials format: sections in brackets, `name = value` lines. */
function keyInFile(path: string, profile: string): AccessKey | undefined {
  const values = new Map<string, string>();
  let section = "";
  for (const line of (textOf(path) ?? "").split("\n")) {
    const heading = /^\s*\[\s*(.+?)\s*\]/.exec(line);
    if (heading !== null) section = heading[1]!;
    const pair = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (pair !== null && section === profile) values.set(pair[1]!, pair[2]!);
  }
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  return accessKeyId === undefined || secretAccessKey === undefined
    ? undefined
    : { accessKeyId, secretAccessKey };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

const KEY_FAULTS = [
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
];

function reported(error: unknown, endpoint: string, options: ApiOptions): unknown {
  if (error instanceof DatabaseMigrationServiceServiceException) {
    const remedy = KEY_FAULTS.includes(error.name)
      ? `Use the key of that server: --data-dir names its directory, here ${options.dataDir}.`
      : undefined;
    return new ReportedFault(error.name, error.message, remedy);
  }
  const code = networkCode(error);
  if (code === undefined) return error;
  return new MigrationError("server.unreachable", {
    message: `No Tideway server answers at ${endpoint} (${code}).`,
    subject: endpoint,
    cause: error,
  });
}

function networkCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z_]+$/.test(code)) return code;
  if (error instanceof AggregateError) return networkCode(error.errors[0]);
  return error.name === "TimeoutError" ? error.name : undefined;
}
