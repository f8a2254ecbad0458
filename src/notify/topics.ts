import { readFileSync } from "node:fs";
import { parseJson } from "../base/json-text.ts";
import { MigrationError } from "../core/error.ts";
import type { Notification } from "./notification.ts";
import { type AwsCredentials, SnsTopic } from "./sns.ts";
import { WebhookTopic } from "./webhook.ts";

/** Somewhere notifications can be sent to. */
export interface Topic {
  /** Resolves when the notification has been taken. Throws DeliveryFailure, or the signal's reason. */
  publish(notification: Notification, signal: AbortSignal): Promise<void>;
}

/** Standard topics alone: AWS DMS does not publish to FIFO topics either. */
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/;

export function isTopicArn(text: string): boolean {
  return TOPIC_ARN.test(text);
}

export interface TopicOptions {
  /** Path of a JSON file: an object of topic ARNs with the address that each one's notifications are posted to. */
  readonly topicsFile?: string | undefined;
  /** Where all other topics are: an address that speaks Amazon SNS's protocol. */
  readonly snsEndpoint?: string | undefined;
  /** Holds the credentials for `snsEndpoint`, by the names that AWS's tools use. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Finds what is behind a topic's ARN; undefined where nothing is. */
export type FindTopic = (arn: string) => Topic | undefined;

/** Throws `usage.invalid` for options that cannot be meant. Addresses, which may hold keys, are not repeated. */
export function openTopics({ topicsFile, snsEndpoint, environment }: TopicOptions): FindTopic {
  const webhooks = topicsFile === undefined ? new Map<string, Topic>() : readTopics(topicsFile);
  const sns =
    snsEndpoint === undefined ? undefined : new SnsTopic(snsAddress(snsEndpoint), credentialsOf(environment));
  return (arn) => webhooks.get(arn) ?? sns;
}

function readTopics(path: string): ReadonlyMap<string, Topic> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw invalid(path, `cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
  const json = parseJson(text);
  if (!json.valid) throw invalid(path, `is not JSON: see ${json.place}.`);
  if (typeof json.value !== "object" || json.value === null || Array.isArray(json.value)) {
    throw invalid(path, "must hold a JSON object of topic ARNs and addresses.");
  }
  return new Map(
    Object.entries(json.value).map(([arn, address]) => {
      if (!isTopicArn(arn)) throw invalid(path, `names ${arn}, which is not the ARN of a standard topic.`);
      return [arn, new WebhookTopic(httpAddress(address, `The address of ${arn}`))];
    }),
  );
}

function invalid(path: string, what: string): MigrationError {
  return new MigrationError("usage.invalid", {
    message: `The file of topics ${path} ${what}`,
    subject: path,
  });
}

function httpAddress(text: unknown, what: string): URL {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new MigrationError("usage.invalid", { message: `${what} must be an address of HTTP or HTTPS.` });
  }
  if (isEncoded(url.username) && isEncoded(url.password)) return url;
  throw new MigrationError("usage.invalid", {
    message: `${what} has a user name or a password that is not percent-encoded.`,
    remedy: "Write % as %25, and other characters that mean something in addresses likewise.",
  });
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** No request can be made to an address with a user name or a password; SNS knows its callers by their signature. */
function snsAddress(text: string): URL {
  const url = httpAddress(text, "The SNS endpoint");
  if (url.username === "" && url.password === "") return url;
  throw new MigrationError("usage.invalid", {
    message: "The SNS endpoint cannot have a user name or a password.",
    remedy: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead.",
  });
}

function credentialsOf(environment: NodeJS.ProcessEnv): AwsCredentials {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment;
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, sessionToken: sessionToken || undefined };
  }
  throw new MigrationError("usage.invalid", {
    message: "An SNS endpoint needs credentials.",
    remedy: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN for temporary ones.",
  });
}
