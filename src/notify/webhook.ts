import type { Notification } from "./notification.ts";
import { type Post, post } from "./post.ts";
import type { Topic } from "./topics.ts";

/**
 * A topic whose notifications are posted to one address, in the envelope in which Amazon SNS posts them to
 * subscribers by HTTP (docs.aws.amazon.com/sns/latest/dg/http-notification-json.html), but for the signature:
 * there is no certificate of AWS's behind it.
 */
export class WebhookTopic implements Topic {
  readonly #url: URL;
  readonly #authorization: Readonly<Record<string, string>>;

  /** User name and password of the address are sent as HTTP's basic authentication. */
  constructor(address: URL) {
    this.#url = new URL(address);
    this.#url.username = "";
    this.#url.password = "";
    const credentials = [address.username, address.password].map(decodeURIComponent).join(":");
    this.#authorization =
      credentials === ":" ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
  }

  publish(notification: Notification, signal: AbortSignal): Promise<void> {
    return post(this.#request(notification), signal);
  }

  #request({ id, topicArn, subject, message, atMs }: Notification): Post {
    const envelope = {
      Type: "Notification",
      MessageId: id,
      TopicArn: topicArn,
      Subject: subject,
      Message: message,
      Timestamp: new Date(atMs).toISOString(),
    };
    return {
      url: this.#url,
      headers: {
        ...this.#authorization,
        "content-type": "application/json; charset=UTF-8",
        "x-amz-sns-message-type": "Notification",
        "x-amz-sns-message-id": id,
        "x-amz-sns-topic-arn": topicArn,
      },
      body: JSON.stringify(envelope),
    };
  }
}
