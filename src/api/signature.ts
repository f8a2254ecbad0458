import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import {
  awsSignature,
  SIGNATURE_ALGORITHM,
  type SignatureScope,
  signatureTime,
} from "../base/aws-signature.ts";
import { Fault } from "./faults.ts";

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
  readonly scope: SignatureScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/**
 * Verifies an AWS signature, version 4, by computing it again from the request as it came in.
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
  const { scope, signedHeaders } = authorization;
  const expected = awsSignature({ ...request, scope, signedHeaders, time: date.text }, secret);
  if (!sameHex(expected, authorization.signature)) {
    throw invalid(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
  }
  return { accessKeyId: authorization.accessKeyId, region: scope[1] };
}

function parseAuthorization(headers: IncomingHttpHeaders): Authorization {
  const header = headers.authorization;
  if (header === undefined || header === "") {
    throw new Fault("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  const [algorithm, rest] = splitOnce(header.trim(), " ");
  if (algorithm !== SIGNATURE_ALGORITHM) {
    const given = createHash("sha256").update(header).digest("base64");
    throw incomplete(
      `Unsupported AWS 'algorithm': Authorization header must begin with '${SIGNATURE_ALGORITHM}' (hashed with SHA-256 and encoded with Base64) Authorization=${given}.`,
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
    return { text: signatureTime(ms), ms };
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
  const now = signatureTime(nowMs);
  if (date.ms < nowMs - WINDOW_MS) {
    throw invalid(
      `Signature expired: ${date.text} is now earlier than ${signatureTime(nowMs - WINDOW_MS)} (${now} - 15 min.)`,
    );
  }
  if (date.ms > nowMs + WINDOW_MS) {
    throw invalid(
      `Signature not yet current: ${date.text} is still later than ${signatureTime(nowMs + WINDOW_MS)} (${now} + 15 min.)`,
    );
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
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
