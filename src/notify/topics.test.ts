import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EventReceiver } from "../../test/support/event-receiver.ts";
import { isTopicArn, openTopics } from "./topics.ts";

const ARN = "arn:aws:sns:us-east-1:000000000000:events";
const key = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "secret" };

let directory: string;
let topicsFile: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tideway-topics-"));
  topicsFile = join(directory, "topics.json");
});
after(() => rm(directory, { recursive: true }));

test("a topic's notifications are posted to its address in SNS's envelope, with its password", async () => {
  await using receiver = await EventReceiver.start();
  const address = receiver.address.replace("http://", "http://us%20er:p%40ss@");
  await writeFile(topicsFile, JSON.stringify({ [ARN]: `${address}/hook?key=1` }));
  const find = openTopics({ topicsFile, environment: {} });
  assert.equal(find(`${ARN}2`), undefined);
  const notification = { id: "i", topicArn: ARN, subject: "s", message: "{}", atMs: 0 };
  await find(ARN)!.publish(notification, AbortSignal.timeout(60_000));
  const [request] = receiver.received;
  assert.equal(request?.url, "/hook?key=1");
  assert.equal(request?.headers.authorization, `Basic ${Buffer.from("us er:p@ss").toString("base64")}`);
  assert.equal(request?.headers["x-amz-sns-message-type"], "Notification");
  assert.deepEqual(JSON.parse(request!.body), {
    Type: "Notification",
    MessageId: "i",
    TopicArn: ARN,
    Subject: "s",
    Message: "{}",
    Timestamp: "1970-01-01T00:00:00.000Z",
  });
});

test("with an SNS endpoint there is a way to every topic, those of the file first", async () => {
  await using hook = await EventReceiver.start();
  await using sns = await EventReceiver.start();
  await writeFile(topicsFile, JSON.stringify({ [ARN]: hook.address }));
  const find = openTopics({ topicsFile, snsEndpoint: sns.address, environment: key });
  for (const topicArn of [ARN, `${ARN}2`]) {
    const notification = { id: "i", topicArn, subject: "s", message: "{}", atMs: 0 };
    await find(topicArn)!.publish(notification, AbortSignal.timeout(60_000));
  }
  assert.deepEqual([hook.received.length, sns.received.length], [1, 1]);
});

test("options that cannot be meant are refused, and no address is repeated", async () => {
  const files: readonly [string, RegExp][] = [
    ["{", /is not JSON: see line 1 column 2/],
    ["[]", /must hold a JSON object/],
    ['{"events":"http://a"}', /names events, which is not the ARN/],
    [`{"${ARN}":"ftp://Xyzzy@a"}`, /address of HTTP or HTTPS/],
    [`{"${ARN}":7}`, /address of HTTP or HTTPS/],
    [`{"${ARN}":"http://me:100%Xyzzy@a"}`, /is not percent-encoded/],
  ];
  for (const [text, message] of files) {
    await writeFile(topicsFile, text);
    const open = (): unknown => openTopics({ topicsFile, environment: {} });
    assert.throws(open, { code: "usage.invalid", message });
    assert.throws(open, (error: Error) => !error.message.includes("Xyzzy"));
  }
  const missing = join(directory, "none");
  assert.throws(() => openTopics({ topicsFile: missing, environment: {} }), {
    message: /cannot be read: ENOENT/,
  });
  assert.throws(() => openTopics({ snsEndpoint: "sns", environment: key }), { message: /The SNS endpoint/ });
  assert.throws(() => openTopics({ snsEndpoint: "http://me:Xyzzy@sns", environment: key }), {
    message: "The SNS endpoint cannot have a user name or a password.",
  });
  assert.throws(() => openTopics({ snsEndpoint: "http://sns", environment: {} }), {
    code: "usage.invalid",
    message: /needs credentials/,
  });
});

test("only standard topics have an ARN that events go to", () => {
  for (const arn of [ARN, "arn:aws-us-gov:sns:us-gov-west-1:123456789012:a_b-C"])
    assert.ok(isTopicArn(arn), arn);
  for (const arn of ["", "events", `${ARN}.fifo`, "arn:aws:sqs:us-east-1:000000000000:events"]) {
    assert.equal(isTopicArn(arn), false, arn);
  }
});
