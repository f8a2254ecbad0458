import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { errorTable } from "../src/core/error-table.ts";
import { type PostgresServer, startPostgres } from "./support/postgres-server.ts";
import { type Ended, runProgram } from "./support/run-program.ts";

const root = join(import.meta.dirname, "..");
const aws = process.env["TIDEWAY_TEST_AWS"];
const psql = process.env["TIDEWAY_TEST_PSQL"];
const lacking = aws === undefined || psql === undefined ? "needs aws 2 and psql; npm test finds them" : false;

let directory: string;
let readme: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "tideway-readme-"));
  readme = await readFile(join(root, "README.md"), "utf8");
});
after(() => rm(directory, { recursive: true, force: true }));

test("the README's AWS DMS walkthrough works as it is written", { skip: lacking }, async () => {
  const [serve, connect, source, instance, mappings, settings, task] = blocks("The AWS DMS walkthrough");
  assert.ok(serve && connect && source && instance && mappings && settings && task);
  assert.match(serve, /tideway serve/);
  await using from = await startPostgres({ version: 14 });
  await using to = await startPostgres();
  await using service = await startService(join(directory, "tideway-data"));
  await writeFile(join(directory, "table-mappings.json"), mappings);
  await writeFile(join(directory, "task-settings.json"), settings);
  await writeFile(join(directory, "source.sql"), source);
  await tools();
  await to.query("create database demo_db");
  const script = [
    "set -euo pipefail",
    `psql -q '${from.url()}' -f source.sql`,
    connect.replace("http://127.0.0.1:8367", service.address),
    withServers(instance, from, to),
    withServers(task, from, to),
  ].join("\n");
  const { code, output } = await bash(script);
  assert.equal(code, 0, output);
  assert.match(output, /demo_accounts\s*\|\s*3\s*\|\s*Table completed/);
  assert.match(output, /Grace\s*\|\s*Hopper\s*\|\s*12:15:00/);
});

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "CHANGELOG.md",
  "docs/api.md",
  "docs/table-mappings.md",
  "docs/performance.md",
  "docs/engines/postgres.md",
  "docs/engines/mysql.md",
  "docs/decisions/README.md",
  "examples/terraform/README.md",
];

test("every error code that the documents name is in the table", async () => {
  const groups = new Set(Object.keys(errorTable).map((code) => code.split(".")[0]));
  for (const document of documents) {
    const text = await readFile(join(root, document), "utf8");
    for (const [, code = ""] of text.matchAll(/`([a-z]+\.[a-z]+(?:_[a-z]+)*)`/g)) {
      if (groups.has(code.split(".")[0]) && !code.endsWith(".ts"))
        assert.ok(code in errorTable, `${document} names ${code}`);
    }
  }
});

test("every file that the documents link to is there", async () => {
  for (const document of documents) {
    const text = await readFile(join(root, document), "utf8");
    for (const [, link = ""] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(link)) continue;
      await assert.doesNotReject(
        readFile(join(root, document, "..", link)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EISDIR") throw error;
        }),
        `${document} links to ${link}`,
      );
    }
  }
});

/** The code blocks of a section, in order. */
function blocks(heading: string): readonly string[] {
  const section = readme.slice(readme.indexOf(`## ${heading}`)).split(/^## /m)[1] ?? "";
  return [...section.matchAll(/^```\w+\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? "");
}

/** Puts real servers in the place of those that the README only names. */
function withServers(text: string, from: PostgresServer, to: PostgresServer): string {
  const replaced = text
    .replace("SOURCE_HOST --port 5432", `127.0.0.1 --port ${from.port}`)
    .replace("TARGET_HOST --port 5432", `127.0.0.1 --port ${to.port}`)
    .replaceAll("--username me --password '...'", `--username postgres --password ${to.password}`)
    .replace("postgresql://me@TARGET_HOST/demo_db", to.url("demo_db"));
  assert.doesNotMatch(replaced, /_HOST/);
  return replaced;
}

/** A directory in which `aws` and `psql` are what the tests were told to use. */
async function tools(): Promise<void> {
  await mkdir(join(directory, "bin"));
  await symlink(aws!, join(directory, "bin", "aws"));
  await symlink(psql!, join(directory, "bin", "psql"));
}

interface Service extends AsyncDisposable {
  readonly address: string;
}

async function startService(dataDir: string): Promise<Service> {
  const command = [join(root, "bin", "tideway.js"), "serve", "--port", "0", "--data-dir", dataDir];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    const address = / at (http:\S+)$/.exec(line)?.[1];
    if (address === undefined) continue;
    return {
      address,
      async [Symbol.asyncDispose]() {
        child.kill("SIGINT");
        await ended;
      },
    };
  }
  throw new Error("tideway serve ended without saying where it listens");
}

async function bash(script: string): Promise<Ended> {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  const env = {
    ...Object.fromEntries(inherited),
    PATH: `${join(directory, "bin")}:${process.env["PATH"]}`,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_PAGER: "",
  };
  return await runProgram("bash", ["-c", script], { cwd: directory, env });
}
