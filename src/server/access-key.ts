import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { failpoint } from "../base/failpoint.ts";
import { writeWhole } from "../base/whole-file.ts";
import type { Store } from "../task/store.ts";

const OWNER = "access-key";
export const DEFAULT_REGION = "us-east-1";

/** The one access key of a server. */
export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

/** The server's access key, made when the store has none; `created` tells which. */
export async function loadAccessKey(store: Store): Promise<AccessKey & { readonly created: boolean }> {
  const id = await store.secret(OWNER, "id");
  const secret = await store.secret(OWNER, "secret");
  if (id !== undefined && secret !== undefined) return { id, secret, created: false };
  const fresh = { id: `AKIA${letters(16)}`, secret: randomBytes(30).toString("base64") };
  await store.setSecret(OWNER, "secret", fresh.secret);
  await store.setSecret(OWNER, "id", fresh.id);
  failpoint("service.access-key-made");
  return { ...fresh, created: true };
}

/**
 * Writes the key to DIR/credentials in the form of AWS's shared credentials file, readable by the
 * owner alone, unless a file there holds this key. It is the only place where the secret stands in clear.
 */
export function writeCredentials(dataDir: string, key: AccessKey, address: string): string {
  const path = join(dataDir, "credentials");
  if (holds(path, key)) return path;
  const text = `# Access key of this Tideway server. To use it with the aws command:
#   ${pasteLine(path, address)}
# A version of aws that does not know AWS_ENDPOINT_URL takes --endpoint-url ${address}
[default]
aws_access_key_id = ${key.id}
aws_secret_access_key = ${key.secret}
region = ${DEFAULT_REGION}
`;
  writeWhole(path, text);
  failpoint("service.credentials-written");
  return path;
}

/** A file of an earlier store in the same directory, or half a one, would lock everybody out. */
function holds(path: string, key: AccessKey): boolean {
  try {
    const text = readFileSync(path, "utf8");
    return text.includes(key.id) && text.includes(key.secret);
  } catch {
    return existsSync(path);
  }
}

/** A command line that reaches the server from any shell. */
export function pasteLine(credentialsFile: string, address: string): string {
  const file = /^[\w./-]+$/.test(credentialsFile)
    ? credentialsFile
    : `'${credentialsFile.replaceAll("'", "'\\''")}'`;
  return `AWS_SHARED_CREDENTIALS_FILE=${file} AWS_ENDPOINT_URL=${address} AWS_DEFAULT_REGION=${DEFAULT_REGION} aws dms describe-endpoints`;
}

function letters(count: number): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from(randomBytes(count), (byte) => alphabet.charAt(byte % alphabet.length)).join("");
}
