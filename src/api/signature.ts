import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Fault } from "./faults.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "dms";
const WINDOW_MS = 15 * 60 * 1000;
/** Headers that decide what a request does and when: AWS insists that they are signed. */
const MUST_BE_SIGNED = ["host", "x-amz-date", "x-amz-target"];

export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface SignatureCheck {
  /** The secret access key of an access key id, undefined for one that is not known. */
  secretOf(accessKeyId: string): string | undefined;
  readonly nowMs: number;
}

/** Who sent a request, and to which region. */
export interface Caller {
  readonly accessKeyId: string;
  readonly region: string;
}

interface Authorization {
  readonly accessKeyId: string;
  /** date, region, service, "aws4_request" */
  readonly scope: readonly [string, string, string, string];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/**
 * Verifies an AWS signature, version 4, by computing it again from the request as it came in
 * (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 * Throws the faults that AWS answers with; none of them tells what the right signature were.
 */
export function verifySignature(request: SignedRequest, check: SignatureCheck): Caller {
  const authorization = parseAuthorization(request.headers);
  const date = requestDate(request.headers);
  checkScope(authorization, date.text);
  checkSignedHeaders(request, authorization);
  checkTime(date, check.nowMs);
  const secret = check.secretOf(authorization.accessKeyId);
  if (secret === undefined) {
    throw new Fault("UnrecognizedClientException", "The security token included in the request is invalid.");
  }
  const [day, region] = authorization.scope;
  const text = [
    ALGORITHM,
    date.text,
    authorization.scope.join("/"),
    sha256(canonicalRequest(request, authorization.signedHeaders)),
  ].join("\n");
  let key = hmac(`AWS4${secret}`, day);
  for (const part of authorization.scope.slice(1)) key = hmac(key, part);
  if (!sameHex(hmac(key, text), authorization.signature)) {
    throw invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
  }
  return { accessKeyId: authorization.accessKeyId, region };
}

function parseAuthorization(headers: IncomingHttpHeaders): Authorization {
  const header = headers.authorization;
  if (header === undefined || header === "") {
    throw new Fault("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const [algorithm, rest] = splitOnce(header.trim(), " ");
  if (algorithm !== ALGORITHM) {
    const given = createHash("sha256").update(header).digest("base64");
    throw incomplete(
      `Unsupported AWS 'algorithm': Authorization header must begin with '${ALGORITHM}' (hashed with SHA-256 and encoded with Base64) Authorization=${given}.`,
    );
  }
  const fields = new Map(rest.split(",").map((field) => splitOnce(field.trim(), "=")));
  const credential = fields.get("Credential");
  const signedHeaders = fields.get("SignedHeaders");
  const signature = fields.get("Signature");
  const lacking = (["Credential", "Signature", "SignedHeaders"] as const)
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (!headers["x-amz-date"] && !headers.date) {
    lacking.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  if (!credential || !signedHeaders || !signature || lacking.length > 0) throw incomplete(lacking.join(" "));
  const parts = credential.split("/");
  const [day, region, service, end] = parts.slice(-4);
  if (!day || !region || !service || !end || parts.length < 5) {
    throw incomplete(
      "Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    );
  }
  return {
    accessKeyId: parts.slice(0, -4).join("/"),
    scope: [day, region, service, end],
    signedHeaders: signedHeaders.split(";"),
    signature,
  };
}

interface RequestDate {
  /** As in the string to sign: 20150830T123600Z. */
  readonly text: string;
  readonly ms: number;
}

function requestDate(headers: IncomingHttpHeaders): RequestDate {
  const given = headers["x-amz-date"];
  if (typeof given !== "string") {
    const ms = Date.parse(headers.date ?? "");
    if (Number.isNaN(ms)) throw incomplete("The 'Date' header is not a date in the form of RFC 1123.");
    return { text: dateText(ms), ms };
  }
  const [, day = "", time = ""] = /^(\d{8})T(\d{6})Z$/.exec(given) ?? [];
  const iso = `${day.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`;
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) {
    throw incomplete("Date must be in ISO-8601 'basic format', such as 20150830T123600Z.");
  }
  return { text: given, ms };
}

function checkScope(authorization: Authorization, date: string): void {
  const [day, , service, end] = authorization.scope;
  if (service !== SERVICE) throw invalid(`Credential should be scoped to correct service: '${SERVICE}'.`);
  if (end !== "aws4_request") {
    throw invalid("Credential should be scoped with a valid terminator: 'aws4_request'.");
  }
  if (day !== date.slice(0, 8)) {
    throw invalid(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${date.slice(0, 8)}', from '${date}'.`,
    );
  }
}

function checkSignedHeaders(request: SignedRequest, authorization: Authorization): void {
  for (const name of MUST_BE_SIGNED) {
    if (request.headers[name] !== undefined && !authorization.signedHeaders.includes(name)) {
      const shown = name === "host" ? "'Host' or ':authority'" : `'${name}'`;
      throw invalid(`${shown} must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
}

function checkTime(date: RequestDate, nowMs: number): void {
  const now = dateText(nowMs);
  if (date.ms < nowMs - WINDOW_MS) {
    throw invalid(
      `Signature expired: ${date.text} is now earlier than ${dateText(nowMs - WINDOW_MS)} (${now} - 15 min.)`,
    );
  }
  if (date.ms > nowMs + WINDOW_MS) {
    throw invalid(
      `Signature not yet current: ${date.text} is still later than ${dateText(nowMs + WINDOW_MS)} (${now} + 15 min.)`,
    );
  }
}

function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const [path, query] = splitOnce(request.url, "?");
  const headers = signedHeaders.map((name) => `${name}:${headerText(given(request.headers, name))}\n`);
  return [
    request.method,
    path,
    query.split("&").filter(Boolean).map(withEquals).sort().join("&"),
    headers.join(""),
    signedHeaders.join(";"),
    sha256(request.body),
  ].join("\n");
}

/** The client names the headers: what every object inherits is none of them. */
function given(headers: IncomingHttpHeaders, name: string): string | string[] | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined;
}

function withEquals(parameter: string): string {
  return parameter.includes("=") ? parameter : `${parameter}=`;
}

function headerText(value: string | string[] | undefined): string {
  const texts = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return texts.map((text) => text.trim().replace(/ +/g, " ")).join(",");
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** In constant time. Text that is not hexadecimal has another length and is refused at once. */
function sameHex(expected: Uint8Array, given: string): boolean {
  const bytes = Buffer.from(given, "hex");
  return (
    bytes.length === expected.length && given.length === 2 * bytes.length && timingSafeEqual(bytes, expected)
  );
}

function invalid(message: string): Fault {
  return new Fault("InvalidSignatureException", message);
}

function incomplete(message: string): Fault {
  return new Fault("IncompleteSignatureException", message);
}
