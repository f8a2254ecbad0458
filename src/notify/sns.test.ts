import assert from "node:assert/strict";
import { test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "../../test/support/aws-signer.ts";
import { EventReceiver, type Received } from "../../test/support/event-receiver.ts";
import type { Notification } from "./notification.ts";
import { SnsTopic } from "./sns.ts";

const notification: Notification = {
  id: "x",
  topicArn: "arn:aws:sns:eu-west-2:123456789012:dms",
  subject: "DMS Notification Message",
  message: '{"Event Message":"a + b & c = ü"}',
  atMs: 0,
};
const key = { accessKeyId: "AKIATEST", secretAccessKey: "secret/+key" };

/** The Authorization header that AWS's own signer makes of the same request. */
async function expected(
  { headers, url, body }: Received,
  sessionToken?: string,
): Promise<string | undefined> {
  const signer = new SignatureV4({
    service: "sns",
    region: "eu-west-2",
    credentials: { ...key, ...(sessionToken !== undefined && { sessionToken }) },
    sha256: Sha256,
    applyChecksum: false,
  });
  const [, time = ""] = /^(\d{8}T\d{6}Z)$/.exec(String(headers["x-amz-date"])) ?? [];
  const iso = time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const [path = "/", query] = url.split("?");
  const signed = await signer.sign(
    {
      method: "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      path,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers: { "content-type": String(headers["content-type"]), host: String(headers.host) },
      body,
    },
    { signingDate: new Date(iso) },
  );
  return signed.headers.authorization;
}

test("a notification is published by SNS's query protocol, signed as AWS's own signer signs it", async () => {
  await using receiver = await EventReceiver.start();
  for (const sessionToken of [undefined, "token+/="]) {
    const endpoint = new URL(`${receiver.address}/sns?x=1`);
    const topic = new SnsTopic(endpoint, { ...key, sessionToken });
    await topic.publish(notification, AbortSignal.timeout(60_000));
    const request = receiver.received.at(-1)!;
    assert.deepEqual(Object.fromEntries(new URLSearchParams(request.body)), {
      Action: "Publish",
      Version: "2010-03-31",
      TopicArn: notification.topicArn,
      Subject: notification.subject,
      Message: notification.message,
    });
    assert.equal(request.headers.authorization, await expected(request, sessionToken));
    assert.equal(request.headers["x-amz-security-token"], sessionToken);
  }
});

test("whatever is no success is a failure that names no address", async () => {
  await using receiver = await EventReceiver.start();
  const topic = new SnsTopic(new URL(receiver.address), { ...key, sessionToken: undefined });
  const publish = (): Promise<void> => topic.publish(notification, AbortSignal.timeout(60_000));
  for (const status of [302, 403, 500]) {
    receiver.status = status;
    await assert.rejects(publish(), { name: "DeliveryFailure", message: `HTTP status ${status}`, status });
  }
  await receiver.stop();
  await assert.rejects(publish(), {
    name: "DeliveryFailure",
    // The latter where a connection of before is tried.
    message: /^(ECONNREFUSED|UND_ERR_SOCKET)$/,
    status: undefined,
  });
});
