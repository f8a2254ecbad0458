import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import type { EndpointConfig } from "../../../core/engine.ts";
import { type ErrorCode, MigrationError } from "../../../core/error.ts";
import type { ErrorContext } from "../../shared/connection/error-context.ts";
import { classify } from "./errors.ts";
import { ServerError, type ServerErrorFields } from "./server-error.ts";

const endpoint: EndpointConfig = {
  engine: "postgres",
  host: "db.example.org",
  port: 5433,
  database: "shop",
  username: "mover",
  password: "Xsecret",
  sslMode: "none",
  caCertificate: undefined,
  settings: {},
};
const table = { schema: "public", name: "orders" };

function server(code: string, more: Partial<ServerErrorFields> = {}): ServerError {
  return new ServerError({
    severity: "ERROR",
    code,
    message: "the server's words",
    detail: undefined,
    where: undefined,
    schema: undefined,
    table: undefined,
    column: undefined,
    constraint: undefined,
    ...more,
  });
}

function code(error: unknown, context: Partial<ErrorContext> = {}): ErrorCode {
  return classify(error, { side: "source", endpoint, ...context }).code;
}

test("data and constraint errors never show what the server said, only names", () => {
  for (const sqlstate of ["22001", "22P02", "22021", "23505", "23514", "P0001", "XX000", "42601"]) {
    const raw = server(sqlstate, {
      message: 'invalid input "row value 4711"',
      detail: "Key (id)=(4711) already exists.",
      schema: "public",
      table: "orders",
      column: "note",
      constraint: "orders_pkey",
    });
    const error = classify(raw, { side: "target", endpoint, table, phase: "load" });
    assert.equal(error.code, "load.rejected");
    assert.equal(error.nativeCode, sqlstate);
    assert.equal(error.table, table);
    assert.match(error.message, /table public\.orders, column note, constraint orders_pkey/);
    assert.doesNotMatch(inspect(error, { depth: 9 }), /4711|Xsecret/);
  }
  assert.match(classify(server("23505"), { side: "target", table }).message, /unique_violation \(23505\)/);
});

test("a text that comes out of a trigger is not shown whatever its SQLSTATE", () => {
  const raised = server("42501", {
    message: "no access to 4711",
    where: "PL/pgSQL function guard() line 3 at RAISE",
  });
  assert.doesNotMatch(JSON.stringify(classify(raised, { side: "target", endpoint, table })), /4711/);
});

test("the same error on the target is named after what the table was given", () => {
  const error = server("23505");
  assert.equal(code(error, { side: "target", table }), "load.rejected");
  assert.equal(code(error, { side: "target", table, phase: "load" }), "load.rejected");
  assert.equal(code(error, { side: "target", table, phase: "apply" }), "apply.rejected");
  assert.equal(code(error, { side: "target", table, phase: "build" }), "target.object_failed");
  assert.equal(code(error, { side: "target" }), "target.query_failed");
});

test("what concerns the whole server is not blamed on the table at work", () => {
  const context = { side: "target", table, phase: "apply" } as const;
  assert.equal(code(server("53100"), context), "target.full");
  assert.equal(code(server("25006"), context), "target.read_only");
  assert.equal(code(server("53200"), context), "target.out_of_resources");
  assert.equal(code(server("57P01"), context), "connect.lost");
  assert.equal(code(server("53300"), context), "connect.too_many");
  assert.equal(code(server("08006"), context), "connect.lost");
});

test("transient errors are tried again", () => {
  const later = ["57P02", "57P03", "53300"];
  const onceWorked = ["40001", "40P01", "55P03", "57014", "53200", "53100", "57P01", "08006"];
  for (const side of ["source", "target"] as const) {
    const retry = (sqlstate: string) => classify(server(sqlstate), { side, table }).retry;
    for (const sqlstate of later) assert.equal(retry(sqlstate), "backoff", `${side} ${sqlstate}`);
    for (const sqlstate of onceWorked) assert.equal(retry(sqlstate), "once-worked", `${side} ${sqlstate}`);
  }
  assert.equal(classify(server("55006"), { side: "source" }).retry, "once-worked");
  assert.equal(classify(server("23505"), { side: "target", table }).retry, "never");
});

test("a missing privilege names the object and the grant", () => {
  const denied = server("42501", { message: "permission denied for table orders" });
  const onSource = classify(denied, { side: "source", endpoint, table });
  assert.equal(onSource.code, "source.table_privilege");
  assert.match(onSource.remedy, /grant select on "public"."orders" to "mover"/);
  const whole = classify(denied, { side: "target", endpoint });
  assert.deepEqual([whole.code, whole.subject], ["target.privilege", "table orders"]);
  assert.match(whole.message, /permission denied for table orders/);
  const inTable = classify(denied, { side: "target", endpoint, table, phase: "build" });
  assert.deepEqual([inTable.code, inTable.subject], ["target.object_failed", "public.orders"]);
  assert.match(inTable.remedy, /mover/);
});

test("texts that only one SQLSTATE's meaning can be told by are told apart", () => {
  const said = (sqlstate: string, message: string, detail?: string): ErrorCode =>
    code(server(sqlstate, { message, detail }));
  assert.equal(said("42704", 'replication slot "s" does not exist'), "source.slot_missing");
  assert.equal(said("42704", 'publication "p" does not exist'), "source.publication_missing");
  assert.equal(said("42704", 'snapshot "00-1" does not exist'), "source.snapshot_lost");
  assert.equal(said("42704", 'type "t" does not exist'), "source.query_failed");
  assert.equal(said("55000", 'logical decoding requires "wal_level" >= "logical"'), "source.wal_level");
  assert.equal(said("55000", 'can no longer access replication slot "s"'), "source.slot_lost");
  assert.equal(said("55000", "something else"), "source.query_failed");
  assert.equal(said("53400", "all replication slots are in use"), "source.no_free_slot");
  assert.equal(said("53300", "exceeds max_wal_senders (currently 1)"), "source.no_free_slot");
  assert.equal(said("42501", "must be superuser or replication role to start walsender"), "source.privilege");
});

test("a slot's error has the slot as subject", () => {
  const error = classify(server("55006", { message: 'replication slot "tideway_1" is active for PID 7' }), {
    side: "source",
    endpoint,
  });
  assert.deepEqual([error.code, error.subject], ["source.slot_in_use", "tideway_1"]);
});

test("a lost connection gets the address that its thrower did not know", () => {
  const error = classify(new MigrationError("connect.lost", { message: "lost" }), {
    side: "source",
    endpoint,
  });
  assert.equal(error.subject, "db.example.org:5433");
});

test("a MigrationError stays what it is, a stop is a stop, and a defect is a defect", () => {
  const own = new MigrationError("source.no_key", { message: "x" });
  assert.equal(classify(own, { side: "source" }), own);
  assert.equal(code(new DOMException("aborted", "AbortError")), "task.stopped_by_request");
  assert.equal(code(new TypeError("undefined is not a function")), "internal.unexpected");
});

test("socket, resolver and TLS errors have their codes", () => {
  const system = (native: string): ErrorCode => code(Object.assign(new Error(native), { code: native }));
  assert.equal(system("EAI_AGAIN"), "connect.unknown_host");
  assert.equal(system("ETIMEDOUT"), "connect.timeout");
  assert.equal(system("ECONNRESET"), "connect.lost");
  assert.equal(system("CERT_HAS_EXPIRED"), "tls.untrusted");
  assert.equal(system("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "tls.untrusted");
  assert.equal(system("SELF_SIGNED_CERT_IN_CHAIN"), "tls.untrusted");
  assert.equal(system("ERR_SSL_WRONG_VERSION_NUMBER"), "tls.failed");
  assert.equal(code(new Error("timeout expired")), "connect.timeout");
  assert.equal(code(new Error("Connection terminated unexpectedly")), "connect.lost");
});
