import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { MigrationError } from "../../core/error.ts";
import { parseUrl } from "./url.ts";

const password = process.env["PGPASSWORD"];
before(() => {
  delete process.env["PGPASSWORD"];
});
after(() => {
  if (password !== undefined) process.env["PGPASSWORD"] = password;
});

function refused(url: string): MigrationError {
  try {
    parseUrl(url);
  } catch (error) {
    assert.ok(error instanceof MigrationError);
    assert.equal(error.code, "endpoint.url_malformed");
    return error;
  }
  throw new assert.AssertionError({ message: "The URL was taken." });
}

test("every part of a URL is read, percent-encoded where it needs to be", () => {
  assert.deepEqual(
    parseUrl("postgresql://us%40er:p%40s%2Fs%3A%25@db.example.org:6543/my%20db?sslmode=require"),
    {
      engine: "postgres",
      host: "db.example.org",
      port: 6543,
      database: "my db",
      username: "us@er",
      password: "p@s/s:%",
      sslMode: "require",
      caCertificate: undefined,
      settings: {},
    },
  );
});

test("what is left out gets libpq's defaults", () => {
  const { host, port, database, username, sslMode, password } = parseUrl("postgres://joe@db");
  assert.deepEqual(
    { host, port, database, username, sslMode, password },
    {
      host: "db",
      port: 5432,
      database: "joe",
      username: "joe",
      sslMode: "none",
      password: undefined,
    },
  );
  assert.equal(parseUrl("postgresql:///x").host, "localhost");
  assert.equal(parseUrl("postgresql://").username, userInfo().username);
});

test("the password comes from PGPASSWORD when the URL has none", () => {
  process.env["PGPASSWORD"] = "from the environment";
  assert.equal(parseUrl("postgres://joe@db").password, "from the environment");
  assert.equal(parseUrl("postgres://joe:own@db").password, "own");
  delete process.env["PGPASSWORD"];
});

test("an IPv6 address stands in brackets", () => {
  const { host, port } = parseUrl("postgresql://u@[::1]:5433/d");
  assert.deepEqual([host, port], ["::1", 5433]);
  assert.equal(parseUrl("postgresql://u@[fe80::1%eth0]/d").host, "fe80::1%eth0");
  refused("postgresql://u@::1:5432/d");
  refused("postgresql://u@[::1/d");
});

test("a unix socket's directory is the host, encoded or as a parameter", () => {
  for (const url of [
    "postgresql://u@%2Fvar%2Frun%2Fpostgresql:5433/d",
    "postgresql://u@:5433/d?host=/var/run/postgresql",
    "postgresql:///d?host=%2Fvar%2Frun%2Fpostgresql&port=5433&user=u",
    "postgresql://u@elsewhere:1/d?host=/var/run/postgresql&port=5433",
  ]) {
    const { host, port, database, username } = parseUrl(url);
    assert.deepEqual([host, port, database, username], ["/var/run/postgresql", 5433, "d", "u"]);
  }
});

test("each sslmode of libpq has its mode", () => {
  const modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
  assert.deepEqual(
    modes.map((mode) => parseUrl(`postgresql://u@h/d?sslmode=${mode}`).sslMode),
    ["none", "none", "require", "require", "verify-ca", "verify-full"],
  );
  assert.match(refused("postgresql://u@h/d?sslmode=on").remedy, /verify-full/);
  refused("postgresql://u@h/d?sslmode=toString");
});

test("sslrootcert is read, and turns require into verify-ca as in libpq", () => {
  const directory = mkdtempSync(join(tmpdir(), "tideway-url-"));
  try {
    const file = join(directory, "ca.pem");
    writeFileSync(file, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    const plain = parseUrl(`postgresql://u@h/d?sslrootcert=${encodeURIComponent(file)}`);
    assert.equal(plain.sslMode, "verify-ca");
    assert.match(plain.caCertificate!, /MIIB/);
    assert.equal(parseUrl(`postgresql://u@h/d?sslmode=require&sslrootcert=${file}`).sslMode, "verify-ca");
    assert.equal(
      parseUrl(`postgresql://u@h/d?sslmode=verify-full&sslrootcert=${file}`).sslMode,
      "verify-full",
    );
    assert.match(refused(`postgresql://u@h/d?sslrootcert=${file}.gone`).message, /ENOENT/);
    writeFileSync(file, "a key");
    assert.match(refused(`postgresql://u@h/d?sslrootcert=${file}`).message, /no certificate/);
  } finally {
    rmSync(directory, { recursive: true });
  }
  assert.equal(parseUrl("postgresql://u@h/d?sslrootcert=system").sslMode, "verify-full");
});

test("an unknown parameter is refused, by its name when it is one of libpq's", () => {
  assert.match(refused("postgresql://u@h/d?connect_timeout=3").message, /connect_timeout/);
  assert.match(refused("postgresql://u@h/d?target=x").message, /does not know/);
});

test("no error repeats a piece of the URL", () => {
  const secret = "Xsecret";
  for (const url of [
    `postgresql://user:${secret}/x@host/db`,
    `postgresql://user:12?${secret}@host/db`,
    `postgresql://user:12?${secret}=1@host/db`,
    `postgresql://user:${secret}%@host/db`,
    `postgresql://user:${secret}%00@host/db`,
    `postgresql://user:${secret}@ho:st:1/db`,
    `postgresql://user:${secret}@h1,h2/db`,
    `postgresql://user:${secret}@host:70000/db`,
    `postgresql://user:${secret}@host:0/db`,
    `mysql://user:${secret}@host/db`,
    `${secret}`,
    `postgresql://u@h/d?sslrootcert=/${secret}`,
    `postgresql://u@h/d?password=${secret}%`,
  ]) {
    const error = refused(url);
    assert.doesNotMatch(JSON.stringify(error), /Xsecret/, url);
    assert.doesNotMatch(error.stack ?? "", /Xsecret/);
    assert.equal(error.cause, undefined);
    assert.notEqual(error.remedy, "");
  }
});

test("a password with a raw @ or # is taken as it stands", () => {
  const { password, host } = parseUrl("postgresql://u:a@b#c@host/d");
  assert.deepEqual([password, host], ["a@b#c", "host"]);
});
