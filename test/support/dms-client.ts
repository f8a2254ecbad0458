import { readFile } from "node:fs/promises";
import { DatabaseMigrationServiceClient } from "@aws-sdk/client-database-migration-service";
import { PATIENCE_S } from "./eventually.ts";

/** Where a Tideway server answers, and the file with its access key. */
export interface ServerAddress {
  readonly address: string;
  readonly credentialsFile: string;
}

export async function readCredentials(
  file: string,
): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }> {
  const text = await readFile(file, "utf8");
  const value = (name: string): string => new RegExp(`^${name} = (.+)$`, "m").exec(text)?.[1] ?? "";
  return { accessKeyId: value("aws_access_key_id"), secretAccessKey: value("aws_secret_access_key") };
}

/** AWS's own client with the server's key, for one region. */
export async function dmsClient(
  { address, credentialsFile }: ServerAddress,
  region = "us-east-1",
): Promise<DatabaseMigrationServiceClient> {
  const credentials = await readCredentials(credentialsFile);
  return new DatabaseMigrationServiceClient({ endpoint: address, region, credentials, maxAttempts: 1 });
}

/** How AWS's waiters ask: often, because a server on the same machine has little to do. */
export function waiting(client: DatabaseMigrationServiceClient) {
  return { client, maxWaitTime: PATIENCE_S, minDelay: 0.1, maxDelay: 0.1 };
}
