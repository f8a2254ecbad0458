import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { startPostgres } from "./support/postgres-server.ts";

const root = join(import.meta.dirname, "..");
let directory: string;
let packed: readonly string[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tideway-pack-"));
  const pack = npm("pack", "--json", "--pack-destination", directory);
  const [tarball] = JSON.parse(pack.stdout.slice(pack.stdout.indexOf("["))) as [Tarball];
  packed = tarball.files.map((file) => file.path);
  // As on a machine that has Node 24: the one that comes as an optional dependency is left out.
  const install = ["install", "--global", "--omit=optional", "--no-audit", "--no-fund", "--prefer-offline"];
  npm(...install, "--prefix", join(directory, "global"), join(directory, tarball.filename));
});
after(() => rm(directory, { recursive: true, force: true }));

interface Tarball {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

test("the package holds what was built and what people read, no sources and no tests", () => {
  for (const path of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "bin/tideway.js"]) {
    assert.ok(packed.includes(path), `${path} is missing`);
  }
  assert.ok(packed.includes("dist/cli/main.js"));
  assert.deepEqual(
    packed.filter((path) => /\.ts$|\.test\.|^(?:src|test|scripts|demo)\//.test(path)),
    [],
  );
});

test("the installed command shows its help and its version", async () => {
  const help = tideway("--help");
  assert.equal(help.status, 0, help.stderr);
  for (const command of ["migrate", "serve", "task"])
    assert.match(help.stdout, new RegExp(`\\b${command}\\b`));
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  assert.equal(tideway("--version").stdout.trim(), version);
});

test("the installed command moves a database", async () => {
  await using server = await startPostgres();
  const from = await server.createDatabase("from");
  const to = await server.createDatabase("to");
  await server.query(
    `create table account (id bigint primary key, name text not null);
     insert into account select number, 'name ' || number from generate_series(1, 1000) number;
     create index account_name on account (name)`,
    from,
  );
  const data = join(directory, "data");
  const done = tideway("migrate", server.url(from), server.url(to), "--data-dir", data);
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  const digest = "select md5(string_agg(a::text, ',' order by id)) as digest from account a";
  assert.deepEqual(await server.query(digest, to), await server.query(digest, from));
  const [index] = await server.query("select indexdef from pg_indexes where indexname = 'account_name'", to);
  assert.ok(index !== undefined);
});

function npm(...parameters: readonly string[]): SpawnSyncReturns<string> {
  const path = process.env["npm_execpath"];
  const command = path === undefined ? ["npm"] : [process.execPath, path];
  const result = run([...command, ...parameters], root);
  assert.equal(result.status, 0, result.stderr);
  return result;
}

function tideway(...parameters: readonly string[]): SpawnSyncReturns<string> {
  return run([join(directory, "global", "bin", "tideway"), ...parameters], directory);
}

/** As from a shell with this Node first in PATH, without what `npm test` adds to the environment. */
function run([program = "", ...parameters]: readonly string[], cwd: string): SpawnSyncReturns<string> {
  const clean = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  const PATH = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const env = { ...Object.fromEntries(clean), PATH };
  return spawnSync(program, parameters, { cwd, env, encoding: "utf8", timeout: 240_000 });
}
