import {
  awsSignature,
  SIGNATURE_ALGORITHM,
  type SignatureScope,
  signatureTime,
} from "../base/aws-signature.ts";
import type { Notification } from "./notification.ts";
import { post } from "./post.ts";
import type { Topic } from "./topics.ts";

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken: string | undefined;
}

/**
 * A topic of Amazon SNS, or of a server that speaks its protocol: the action Publish of the query API,
 * version 2010-03-31, signed for the region of the topic's ARN.
 */
export class SnsTopic implements Topic {
  readonly #endpoint: URL;
  readonly #credentials: AwsCredentials;

  constructor(endpoint: URL, credentials: AwsCredentials) {
    this.#endpoint = endpoint;
    this.#credentials = credentials;
  }

  publish({ topicArn, subject, message }: Notification, signal: AbortSignal): Promise<void> {
    const parameters = {
      Action: "Publish",
      Version: "2010-03-31",
      TopicArn: topicArn,
      Subject: subject,
      Message: message,
    };
    const body = new URLSearchParams(parameters).toString();
    const [, , , region = ""] = topicArn.split(":");
    return post({ url: this.#endpoint, headers: this.#signed(body, region), body }, signal);
  }

  #signed(body: string, region: string): Record<string, string> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#credentials;
    const time = signatureTime(Date.now());
    const scope: SignatureScope = [time.slice(0, 8), region, "sns", "aws4_request"];
    const headers = {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      host: this.#endpoint.host,
      "x-amz-date": time,
      ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
    };
    const signedHeaders = Object.keys(headers);
    const signature = awsSignature(
      {
        method: "POST",
        url: this.#endpoint.pathname + this.#endpoint.search,
        headers,
        signedHeaders,
        body: Buffer.from(body),
        scope,
        time,
      },
      secretAccessKey,
    );
    const authorization = `${SIGNATURE_ALGORITHM} Credential=${accessKeyId}/${scope.join("/")}, SignedHeaders=${signedHeaders.join(";")}, Signature=${Buffer.from(signature).toString("hex")}`;
    // The client writes the host by itself.
    const { host: _written, ...sent } = headers;
    return { ...sent, authorization };
  }
}
