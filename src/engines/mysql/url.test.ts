import assert from "node:assert/strict";
import { test } from "node:test";
import { MigrationError } from "../../core/error.ts";
import { parseUrl } from "./url.ts";

test("a full URL is split into its parts", () => {
  assert.deepEqual(parseUrl("mysql://me:se%2Fcret@db.example:3307/shop"), {
    engine: "mysql",
    host: "db.example",
    port: 3307,
    database: "shop",
    username: "me",
    password: "se/cret",
    sslMode: "none",
    caCertificate: undefined,
    settings: {},
  });
});

test("what is left out has defaults, and no database means the whole server", () => {
  const { engine, host, port, database, password } = parseUrl("mariadb://me@");
  assert.deepEqual(
    { engine, host, port, database, password },
    {
      engine: "mariadb",
      host: "localhost",
      port: 3306,
      database: "",
      password: process.env["MYSQL_PWD"] || undefined,
    },
  );
});

test("a unix socket takes the host's place", () => {
  assert.equal(parseUrl("mysql://me@/shop?socket=/run/mysqld/mysqld.sock").host, "/run/mysqld/mysqld.sock");
});

test("MySQL's and libpq's words for TLS are understood", () => {
  const modes = (["DISABLED", "REQUIRED", "VERIFY_IDENTITY", "verify-ca"] as const).map(
    (mode) => parseUrl(`mysql://me@h/?ssl-mode=${mode}`).sslMode,
  );
  assert.deepEqual(modes, ["none", "require", "verify-full", "verify-ca"]);
});

test("endpoint settings are parameters, checked as such", () => {
  const url = "mysql://me@h/?TreatTinyInt1AsBoolean=true&zerodates=ERROR&ParallelLoadThreads=4";
  assert.deepEqual(parseUrl(url).settings, {
    TreatTinyInt1AsBoolean: true,
    ZeroDates: "error",
    ParallelLoadThreads: 4,
  });
});

test("a target that names a database gets everything there, unless the URL says otherwise", () => {
  assert.deepEqual(parseUrl("mysql://me@h/shop", "target").settings, { TargetDbType: "specific-database" });
  assert.deepEqual(parseUrl("mysql://me@h/", "target").settings, {});
  assert.deepEqual(parseUrl("mysql://me@h/shop", "source").settings, {});
  assert.deepEqual(parseUrl("mysql://me@h/shop?TargetDbType=multiple-databases", "target").settings, {
    TargetDbType: "multiple-databases",
  });
});

test("what cannot be read is refused without repeating it", () => {
  const wrong = [
    "postgresql://me@h/d",
    "mysql://h/d",
    "mysql://me:topsecret@h:port/d",
    "mysql://me@h/d?socket=relative",
    "mysql://me@h/d?topsecret=1",
    "mysql://me@h/d?ssl-mode=topsecret",
    "mysql://me@h/d?ZeroDates=topsecret",
    "mysql://me@h/d?MapTimeAsTime=topsecret",
    "mysql://me:%zztopsecret@h/d",
    "mysql://me@[h/d",
  ];
  for (const url of wrong) {
    assert.throws(
      () => parseUrl(url),
      (error) => {
        assert.ok(error instanceof MigrationError, url);
        assert.equal(error.code, "endpoint.url_malformed");
        assert.doesNotMatch(`${error.message} ${error.remedy}`, /topsecret/);
        return true;
      },
      url,
    );
  }
});
