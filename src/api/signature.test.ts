import assert from "node:assert/strict";
import { test } from "node:test";
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "../../test/support/aws-signer.ts";
import { type SignedRequest, verifySignature } from "./signature.ts";

const KEY = { accessKeyId: "AKIATEST", secretAccessKey: "secret/+key" };
const NOW = Date.parse("2026-03-01T10:00:00Z");
const BODY = '{"Marker":"a b"}';

interface Changes {
  readonly service?: string;
  readonly region?: string;
  readonly atMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request as AWS's own signer signs it. */
async function signed(changes: Changes = {}): Promise<SignedRequest> {
  const signer = new SignatureV4({
    service: changes.service ?? "dms",
    region: changes.region ?? "eu-central-1",
    credentials: KEY,
    sha256: Sha256,
  });
  const request = await signer.sign(
    {
      method: "POST",
      protocol: "http:",
      hostname: "127.0.0.1",
      port: 8367,
      path: "/",
      headers: {
        host: "127.0.0.1:8367",
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonDMSv20160101.DescribeEndpoints",
        "x-spaces": "  a   b  ",
        ...changes.headers,
      },
      body: BODY,
    },
    { signingDate: new Date(changes.atMs ?? NOW) },
  );
  return { method: "POST", url: "/", headers: request.headers, body: Buffer.from(BODY) };
}

function check(request: SignedRequest) {
  const secretOf = (id: string): string | undefined =>
    id === KEY.accessKeyId ? KEY.secretAccessKey : undefined;
  return verifySignature(request, { secretOf, nowMs: NOW });
}

function withHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  const { [name]: _old, ...headers } = request.headers;
  return { ...request, headers: value === undefined ? headers : { ...headers, [name]: value } };
}

const MISMATCH = { code: "InvalidSignatureException", message: /^The request signature we calculated/ };

test("a request that AWS's signer has signed is accepted and names its region", async () => {
  assert.deepEqual(check(await signed()), { accessKeyId: "AKIATEST", region: "eu-central-1" });
});

test("every change of a signed request is noticed", async () => {
  const request = await signed();
  const changed: SignedRequest[] = [
    { ...request, body: Buffer.from(`${BODY} `) },
    { ...request, body: new Uint8Array() },
    { ...request, method: "PUT" },
    { ...request, url: "/other" },
    { ...request, url: "/?Action=x" },
    withHeader(request, "x-amz-target", "AmazonDMSv20160101.DeleteEndpoint"),
    withHeader(request, "host", "example.org"),
    withHeader(request, "x-spaces", "a b c"),
    withHeader(request, "x-amz-date", "20260301T100001Z"),
  ];
  for (const one of changed) assert.throws(() => check(one), MISMATCH);
});

test("a signature that is shortened, lengthened or not hexadecimal is refused", async () => {
  const request = await signed();
  const header = request.headers.authorization ?? "";
  const signature = /Signature=(.*)$/.exec(header)?.[1] ?? "";
  for (const wrong of [
    signature.slice(2),
    `${signature}00`,
    "zz".repeat(32),
    signature.replace(/.$/, "g"),
    "-",
  ]) {
    const forged = withHeader(request, "authorization", header.replace(signature, wrong));
    assert.throws(() => check(forged), MISMATCH);
  }
});

test("a request without a signature, or with half of one, is refused with AWS's errors", async () => {
  const request = await signed();
  const authorization = request.headers.authorization ?? "";
  assert.throws(() => check(withHeader(request, "authorization", undefined)), {
    code: "MissingAuthenticationTokenException",
    message: "Missing Authentication Token",
  });
  const incomplete: readonly [string, RegExp][] = [
    ["Basic dXNlcjpwYXNz", /algorithm/],
    ["AWS4-HMAC-SHA256", /requires 'Credential'.+requires 'Signature'.+requires 'SignedHeaders'/],
    [authorization.replace(/, Signature=.*/, ""), /requires 'Signature' parameter/],
    [authorization.replace("/aws4_request", ""), /InvalidSignature|Credential|slash/],
    ["AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00", /5 slash-delimited/],
  ];
  for (const [header, message] of incomplete) {
    assert.throws(() => check(withHeader(request, "authorization", header)), {
      code: "IncompleteSignatureException",
      message,
    });
  }
  for (const date of [undefined, "yesterday", "20261301T000000Z"]) {
    assert.throws(() => check(withHeader(request, "x-amz-date", date)), {
      code: "IncompleteSignatureException",
    });
  }
});

test("a request is good for fifteen minutes before and after its date", async () => {
  const minute = 60_000;
  for (const offset of [-15, -1, 1, 15]) check(await signed({ atMs: NOW + offset * minute }));
  const early = await signed({ atMs: NOW - 15 * minute - 1000 });
  assert.throws(() => check(early), {
    code: "InvalidSignatureException",
    message:
      "Signature expired: 20260301T094459Z is now earlier than 20260301T094500Z (20260301T100000Z - 15 min.)",
  });
  const late = await signed({ atMs: NOW + 15 * minute + 1000 });
  assert.throws(() => check(late), {
    code: "InvalidSignatureException",
    message: /^Signature not yet current/,
  });
});

test("a signature for another service, day or key is refused", async () => {
  const other = await signed({ service: "rds" });
  assert.throws(() => check(other), {
    code: "InvalidSignatureException",
    message: "Credential should be scoped to correct service: 'dms'.",
  });
  const request = await signed();
  const header = request.headers.authorization ?? "";
  const otherDay = withHeader(request, "authorization", header.replace("/20260301/", "/20260302/"));
  assert.throws(() => check(otherDay), {
    code: "InvalidSignatureException",
    message: /'20260302' != '20260301'/,
  });
  const otherKey = withHeader(request, "authorization", header.replace("AKIATEST", "AKIAOTHER"));
  assert.throws(() => check(otherKey), {
    code: "UnrecognizedClientException",
    message: "The security token included in the request is invalid.",
  });
});

test("the operation and the host must be part of what is signed", async () => {
  const request = await signed();
  const header = request.headers.authorization ?? "";
  for (const name of ["host", "x-amz-target", "x-amz-date"]) {
    const without = header.replace(new RegExp(`([=;])${name};?`), "$1").replace(";,", ",");
    assert.throws(() => check(withHeader(request, "authorization", without)), {
      code: "InvalidSignatureException",
      message: /must be a 'SignedHeader'/,
    });
  }
});

test("a signed header that every object inherits is an absent header like any other", async () => {
  const request = await signed();
  for (const name of ["constructor", "__proto__", "toString"]) {
    const header = (request.headers.authorization ?? "").replace("SignedHeaders=", `SignedHeaders=${name};`);
    assert.throws(() => check(withHeader(request, "authorization", header)), MISMATCH, name);
  }
});

test("no refusal tells the secret or the right signature", async () => {
  const request = { ...(await signed()), body: Buffer.from("tampered") };
  const right = /Signature=(.*)$/.exec((await signed()).headers.authorization ?? "")?.[1] ?? "";
  assert.throws(
    () => check(request),
    (error: Error) => !error.message.includes(KEY.secretAccessKey) && !error.message.includes(right),
  );
});
