import { randomUUID } from "node:crypto";
import { MigrationError } from "../core/error.ts";
import { IdentifierTaken } from "../task/store.ts";
import { alreadyExists, Fault, invalidValue } from "./faults.ts";
import { findOperation } from "./operations.ts";
import type { Service } from "./service.ts";
import { checkRequest, toWire } from "./shapes.ts";
import { type SignedRequest, verifySignature } from "./signature.ts";

const TARGET_PREFIX = "AmazonDMSv20160101.";
export const CONTENT_TYPE = "application/x-amz-json-1.1";

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Gate {
  readonly service: Service;
  /** The secret access key of an access key id, undefined for one that is not known. */
  secretOf(accessKeyId: string): string | undefined;
}

/**
 * Answers one request of the AWS JSON 1.1 protocol: `POST /` with the operation in X-Amz-Target and
 * its input as the body. Never throws; whatever goes wrong is an answer, with a request id to look
 * for in the log. Bodies are not logged: they hold passwords.
 */
export async function answer(request: SignedRequest, gate: Gate): Promise<WireResponse> {
  const requestId = randomUUID();
  const { log } = gate.service;
  const operation = targetOf(request);
  const started = performance.now();
  try {
    const caller = verifySignature(request, { secretOf: gate.secretOf, nowMs: Date.now() });
    const output = await perform(operation, request.body, { ...gate.service, region: caller.region });
    const ms = Math.round(performance.now() - started);
    log("info", "request", { requestId, operation, status: 200, ms });
    return { status: 200, headers: headers(requestId), body: JSON.stringify(toWire(output)) };
  } catch (error) {
    const fault = asFault(error);
    const detail = fault.code === "InternalFailure" && error instanceof Error ? { stack: error.stack } : {};
    const level = fault.status === 500 ? "error" : "info";
    log(level, "request", { requestId, operation, status: fault.status, fault: fault.code, ...detail });
    return {
      status: fault.status,
      headers: { ...headers(requestId), "x-amzn-ErrorType": fault.code },
      body: JSON.stringify({ __type: fault.code, message: fault.message, ...fault.members }),
    };
  }
}

async function perform(
  name: string | undefined,
  body: Uint8Array,
  call: Service & { readonly region: string },
): Promise<unknown> {
  const operation = name === undefined ? undefined : findOperation(name);
  if (operation === undefined) throw new Fault("UnknownOperationException", "");
  if (operation.handle === undefined) {
    throw new Fault(
      "InvalidOperationFault",
      `The operation ${name} is not built in this version of Tideway.`,
    );
  }
  const { handle, input } = operation;
  const request = checkRequest(input, parseBody(body));
  return /^(Describe|List)/.test(name ?? "")
    ? handle(request, call)
    : call.turns.take(() => handle(request, call));
}

function targetOf(request: SignedRequest): string | undefined {
  const target = request.headers["x-amz-target"];
  if (typeof target !== "string" || !target.startsWith(TARGET_PREFIX)) return undefined;
  return target.slice(TARGET_PREFIX.length);
}

function parseBody(body: Uint8Array): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) ?? {};
  } catch {
    // The parser's own text quotes the body, which may hold a password.
    throw new Fault("SerializationException", "The request's body is not JSON");
  }
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof IdentifierTaken) {
    return alreadyExists(`There is another resource with the identifier ${error.message}.`);
  }
  if (error instanceof MigrationError && error.scope === "usage") {
    return invalidValue(`${error.message} ${error.remedy}`);
  }
  if (error instanceof MigrationError && error.code === "server.store_full") {
    return new Fault("InternalFailure", `${error.message} ${error.remedy}`);
  }
  return new Fault(
    "InternalFailure",
    "An internal error has occurred. The request id leads to it in the log.",
  );
}

function headers(requestId: string): Record<string, string> {
  return { "content-type": CONTENT_TYPE, "x-amzn-RequestId": requestId };
}
