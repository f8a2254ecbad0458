import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { type Certificates, makeCertificates } from "../../../../test/support/certificates.ts";
import { type PostgresServer, startPostgres } from "../../../../test/support/postgres-server.ts";
import { freePort } from "../../../../test/support/server-process.ts";
import { TcpProxy } from "../../../../test/support/tcp-proxy.ts";
import type { EndpointConfig } from "../../../core/engine.ts";
import { type ErrorCode, MigrationError } from "../../../core/error.ts";
import { postgresEngine } from "../engine.ts";
import { parseUrl } from "../url.ts";
import { connect, openWire } from "./connection.ts";
import { destroy } from "./driver-client.ts";

const options = { side: "source", purpose: "tideway connection test" } as const;
const never = new AbortController().signal;
let certificates: Certificates;
/** Has TLS with a certificate for 127.0.0.1, which localhost is not. */
let secure: PostgresServer;
/** Has no TLS. */
let plain: PostgresServer;

before(async () => {
  certificates = makeCertificates(["IP:127.0.0.1"]);
  secure = await startPostgres({
    tls: certificates,
    hba: [
      "local all all scram-sha-256",
      "hostssl all tls_only 127.0.0.1/32 scram-sha-256",
      "host all unlisted 127.0.0.1/32 reject",
      "host all postgres,limited,no_login,missing,plain_reader 127.0.0.1/32 scram-sha-256",
    ],
  });
  await secure.query(`
    create role tls_only login password 'Xsecret';
    create role limited login password 'Xsecret' connection limit 0;
    create role no_login nologin password 'Xsecret';
    create role plain_reader login password 'Xsecret';
    create role unlisted login password 'Xsecret'`);
  await secure.query("create database closed");
  await secure.query("revoke connect on database closed from public");
  plain = await startPostgres();
});

after(async () => {
  await secure?.[Symbol.asyncDispose]();
  await plain?.[Symbol.asyncDispose]();
});

function endpoint(server: PostgresServer, changes: Partial<EndpointConfig> = {}): EndpointConfig {
  return { ...parseUrl(server.url()), ...changes };
}

/** Connecting must fail with this code; the error has a subject and a remedy, and no password anywhere. */
async function refused(config: EndpointConfig, code: ErrorCode): Promise<MigrationError> {
  const error: unknown = await connect(config, options, never).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MigrationError, `expected ${code}, got ${inspect(error)}`);
  assert.equal(error.code, code, error.message);
  assert.ok(error.subject, "subject");
  assert.ok(error.remedy.length > 10, "remedy");
  const shown = JSON.stringify(error) + inspect(error, { depth: 9, showHidden: true });
  if (config.password) assert.ok(!shown.includes(config.password), "the password shows");
  return error;
}

async function encrypted(config: EndpointConfig): Promise<string> {
  const client = await connect(config, options, never);
  try {
    const { rows } = await client.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
    return rows[0].ssl;
  } finally {
    await client.end();
  }
}

test("each SSL mode connects where it may, and is encrypted when it says so", async () => {
  const { ca } = certificates;
  assert.equal(await encrypted(endpoint(secure)), "f");
  assert.equal(await encrypted(endpoint(secure, { sslMode: "require" })), "t");
  assert.equal(await encrypted(endpoint(secure, { sslMode: "verify-ca", caCertificate: ca })), "t");
  assert.equal(await encrypted(endpoint(secure, { sslMode: "verify-full", caCertificate: ca })), "t");
  const byName = { host: "localhost", caCertificate: ca };
  assert.equal(await encrypted(endpoint(secure, { ...byName, sslMode: "verify-ca" })), "t");
});

test("verify-full refuses a certificate for another host", async () => {
  const changes = { host: "localhost", sslMode: "verify-full", caCertificate: certificates.ca } as const;
  const error = await refused(endpoint(secure, changes), "tls.wrong_host");
  assert.match(error.remedy, /verify-ca/);
});

test("a certificate of an unknown CA is refused by both verifying modes", async () => {
  for (const sslMode of ["verify-ca", "verify-full"] as const) {
    await refused(endpoint(secure, { sslMode, caCertificate: certificates.otherCa }), "tls.untrusted");
    await refused(endpoint(secure, { sslMode, caCertificate: undefined }), "tls.untrusted");
  }
});

test("a CA certificate that is no PEM says so", async () => {
  for (const caCertificate of [
    "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    certificates.key,
    "",
  ]) {
    await refused(endpoint(secure, { sslMode: "verify-ca", caCertificate }), "tls.certificate_malformed");
  }
});

test("TLS asked of a server without it is refused, not given up", async () => {
  const error = await refused(endpoint(plain, { sslMode: "require" }), "tls.refused");
  assert.match(error.remedy, /ssl = on/);
});

test("a user that is admitted with TLS only is told to turn it on", async () => {
  const user = { username: "tls_only", password: "Xsecret" };
  const error = await refused(endpoint(secure, user), "auth.not_allowed");
  assert.match(error.remedy, /SSL mode to require/);
  assert.equal(await encrypted(endpoint(secure, { ...user, sslMode: "require" })), "t");
});

test("a unix socket connects, and a missing one is refused with its path", async () => {
  const host = join(plain.directory, "socket");
  const client = await connect(endpoint(plain, { host }), options, never);
  const { rows } = await client.query("select inet_server_addr() is null as socket");
  assert.equal(rows[0].socket, "t");
  await client.end();
  const error = await refused(endpoint(plain, { host: join(plain.directory, "nowhere") }), "connect.refused");
  assert.equal(error.subject, `${plain.directory}/nowhere/.s.PGSQL.${plain.port}`);
});

test("wrong user, password or database each have their code and subject", async () => {
  assert.equal((await refused(endpoint(plain, { password: "Xsecret" }), "auth.failed")).subject, "postgres");
  const missing = { username: "missing", password: "Xsecret" };
  assert.equal((await refused(endpoint(secure, missing), "auth.failed")).subject, "missing");
  assert.equal(
    (await refused(endpoint(plain, { database: "shop" }), "auth.unknown_database")).subject,
    "shop",
  );
  const login = { username: "no_login", password: "Xsecret" };
  assert.match(
    (await refused({ ...endpoint(secure), ...login, password: "Xsecret" }, "auth.not_allowed")).remedy,
    /login/,
  );
});

test("access rules and limits of the server have codes of their own", async () => {
  const unlisted = await refused(
    endpoint(secure, { username: "unlisted", password: "Xsecret" }),
    "auth.not_allowed",
  );
  assert.match(unlisted.remedy, /pg_hba\.conf/);
  const limited = await refused(
    endpoint(secure, { username: "limited", password: "Xsecret" }),
    "connect.too_many",
  );
  assert.equal(limited.retry, "backoff");
  const closed = { username: "plain_reader", password: "Xsecret", database: "closed" };
  assert.match((await refused(endpoint(secure, closed), "source.privilege")).message, /closed/);
});

test("an endpoint without a password never borrows one from the environment", async () => {
  process.env["PGPASSWORD"] = plain.password;
  try {
    for (const password of [undefined, ""]) {
      const error = await refused(endpoint(plain, { password }), "auth.failed");
      assert.match(error.remedy, /give it one/);
    }
  } finally {
    delete process.env["PGPASSWORD"];
  }
});

test("an address where nothing listens, and a name that does not resolve", async () => {
  const port = await freePort();
  const error = await refused(endpoint(plain, { port }), "connect.refused");
  assert.equal(error.subject, `127.0.0.1:${port}`);
  assert.equal(error.retry, "once-worked");
  await refused(endpoint(plain, { host: "no-such-host.invalid" }), "connect.unknown_host");
});

/** A server that accepts connections and then does what it is told. */
async function fakeServer(behave: (server: Server) => void): Promise<Server & { port: number }> {
  const server = createServer();
  behave(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(server, { port: (server.address() as { port: number }).port });
}

test("a server that accepts and never answers times out", async () => {
  const server = await fakeServer(() => undefined);
  const config = endpoint(plain, { port: server.port });
  const connecting = connect(config, { ...options, timeoutMs: 200 }, never);
  await assert.rejects(connecting, { code: "connect.timeout", subject: `127.0.0.1:${server.port}` });
  server.close();
});

test("a server that hangs up while connecting is a lost connection, in TLS a failed handshake", async () => {
  const server = await fakeServer((it) => it.on("connection", (socket) => socket.destroy()));
  await refused(endpoint(plain, { port: server.port }), "connect.lost");
  server.close();
  const halfway = await fakeServer((it) =>
    it.on("connection", (socket) => {
      socket.once("data", () => socket.write("S", () => socket.end()));
    }),
  );
  await refused(endpoint(plain, { port: halfway.port, sslMode: "require" }), "tls.failed");
  halfway.close();
});

test("an abort while connecting throws the signal's reason at once", async () => {
  const server = await fakeServer(() => undefined);
  const abort = new AbortController();
  const reason = new Error("stop");
  server.on("connection", () => abort.abort(reason));
  await assert.rejects(connect(endpoint(plain, { port: server.port }), options, abort.signal), reason);
  server.close();
  await assert.rejects(connect(endpoint(plain), options, abort.signal), reason);
});

test("a session's settings do not depend on the server's or the role's", async () => {
  const database = await plain.createDatabase();
  await plain.query(`
    alter database ${database} set datestyle = 'German';
    alter database ${database} set intervalstyle = 'iso_8601';
    alter database ${database} set extra_float_digits = -5;
    alter database ${database} set bytea_output = 'escape';
    alter database ${database} set statement_timeout = '1s'`);
  const client = await connect(endpoint(plain, { database }), options, never);
  const { rows } =
    await client.query(`select date '2026-02-01' as d, interval '1 day' as i, 0.1::float8 + 0.2 as f,
    '\\x00ff'::bytea as b, current_setting('statement_timeout') as t, true as yes, null as nothing`);
  await client.end();
  assert.deepEqual(
    { ...rows[0] },
    {
      d: "2026-02-01",
      i: "1 day",
      f: "0.30000000000000004",
      b: "\\x00ff",
      t: "0",
      yes: "t",
      nothing: null,
    },
  );
});

test("no limit of time that a database or a role sets holds in any session of ours", async () => {
  const limits = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
  ];
  const database = await plain.createDatabase();
  await plain.query("create role hurried superuser login password 'Xsecret'");
  for (const limit of limits) await plain.query(`alter role hurried set ${limit} = '3s'`);
  const config = endpoint(plain, { database, username: "hurried", password: "Xsecret" });
  const shown = `select ${limits.map((limit) => `current_setting('${limit}')`).join(" || ' ' || ")}`;
  for (const side of ["source", "target"] as const) {
    for (const replication of [false, true]) {
      await using wire = await openWire(config, { side, purpose: "test", replication }, never);
      assert.equal((await wire.query(shown)).rows[0]?.[0], "0 0 0 0 0", `${side} ${replication}`);
    }
  }
});

test("a server is told to notice within a minute that this machine has vanished", async () => {
  const client = await connect(endpoint(plain), options, never);
  const { rows } = await client.query(`select current_setting('tcp_keepalives_idle')::int
    + current_setting('tcp_keepalives_interval')::int * current_setting('tcp_keepalives_count')::int as seconds`);
  await client.end();
  assert.equal(rows[0].seconds, "60");
});

test("AfterConnectScript runs in ordinary target sessions only, and its failure names it", async () => {
  const script = { AfterConnectScript: "create role owner_of_all; set role owner_of_all" };
  const config = endpoint(plain, { settings: script });
  const target = await connect(config, { side: "target", purpose: "test" }, never);
  assert.equal((await target.query("select current_user as u")).rows[0].u, "owner_of_all");
  await target.end();
  const source = await connect(config, options, never);
  assert.equal((await source.query("select current_user as u")).rows[0].u, "postgres");
  await source.end();
  await assert.rejects(connect(config, { side: "target", purpose: "test" }, never), {
    code: "target.query_failed",
    subject: "AfterConnectScript",
  });
});

test("a replication session answers the replication protocol", async () => {
  await using wire = await openWire(endpoint(plain), { ...options, replication: true }, never);
  const { rows } = await wire.query("IDENTIFY_SYSTEM");
  assert.equal(rows[0]?.[3], "postgres");
});

test("the engine's connection test says which version answered", async () => {
  const { serverVersion } = await postgresEngine.testConnection(endpoint(plain), "source", never);
  assert.match(serverVersion, /^18\./);
  await assert.rejects(postgresEngine.testConnection(endpoint(plain, { password: "x" }), "target", never), {
    code: "auth.failed",
  });
  await assert.rejects(postgresEngine.openTarget(endpoint(plain, { password: "x" }), never), {
    code: "auth.failed",
  });
});

test("a destroyed client's query is a lost connection", async () => {
  const client = await connect(endpoint(plain), options, never);
  const query = client.query("select pg_sleep(60)");
  destroy(client);
  await assert.rejects(query);
});

test("a connection that carries nothing any more is closed all the same", async () => {
  await using proxy = await TcpProxy.start(plain.port);
  const client = await connect(endpoint(plain, { port: proxy.port }), options, never);
  proxy.forget();
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  await client.end();
  await ended;
});
