import { createHash, createHmac } from "node:crypto";

/** First word of the Authorization header. */
export const SIGNATURE_ALGORITHM = "AWS4-HMAC-SHA256";

/** date (20150830), region, service, "aws4_request" */
export type SignatureScope = readonly [date: string, region: string, service: string, end: string];

export interface RequestToSign {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  /** By their names in lower case; those that are signed matter. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Lower case, in the order in which the request lists them. */
  readonly signedHeaders: readonly string[];
  readonly body: Uint8Array;
  readonly scope: SignatureScope;
  /** The request's time: 20150830T123600Z. */
  readonly time: string;
}

/**
 * The signature, version 4, of a request to an AWS service
 * (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 */
export function awsSignature(request: RequestToSign, secret: string): Uint8Array {
  const { scope, time } = request;
  const text = [SIGNATURE_ALGORITHM, time, scope.join("/"), sha256(canonicalRequest(request))].join("\n");
  let key: Uint8Array = Buffer.from(`AWS4${secret}`);
  for (const part of scope) key = hmac(key, part);
  return hmac(key, text);
}

/** A time as signatures write it. */
export function signatureTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
}

function canonicalRequest({ method, url, headers, signedHeaders, body }: RequestToSign): string {
  const at = url.indexOf("?");
  const [path, query] = at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  const lines = signedHeaders.map((name) => `${name}:${headerText(given(headers, name))}\n`);
  return [
    method,
    path,
    query.split("&").filter(Boolean).map(withEquals).sort().join("&"),
    lines.join(""),
    signedHeaders.join(";"),
    sha256(body),
  ].join("\n");
}

/** The request names the headers: what every object inherits is none of them. */
function given(headers: RequestToSign["headers"], name: string): string | readonly string[] | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

function withEquals(parameter: string): string {
  return parameter.includes("=") ? parameter : `${parameter}=`;
}

function headerText(value: string | readonly string[] | undefined): string {
  const texts = value === undefined ? [] : typeof value === "string" ? [value] : value;
  return texts.map((text) => text.trim().replace(/ +/g, " ")).join(",");
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
