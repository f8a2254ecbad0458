import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program of others that tests or benchmarks run. */
export interface Tool {
  readonly name: string;
  /** An environment variable that says where it is. */
  readonly variable: string;
  readonly debianPackage: string;
  find(): string | undefined;
}

export interface FoundTools {
  /** By the tool's name. */
  readonly paths: ReadonlyMap<string, string>;
  /** What could not be had, with the command that installs it. */
  readonly missing: readonly string[];
}

/** What a network that is not there may take of every run for a tool without which the tests go on. */
const OPTIONAL_MS = 60_000;
const SHORTLY = [
  "-o",
  "Acquire::http::Timeout=5",
  "-o",
  "Acquire::https::Timeout=5",
  "-o",
  "Acquire::Retries=0",
];

/** Finds all of them and, as root on Debian, installs what is missing; `isOptional`: unless that takes long. */
export function findTools(
  tools: readonly Tool[],
  say: (line: string) => void,
  { isOptional = false } = {},
): FoundTools {
  installPackages(tools, say, isOptional);
  const paths = new Map<string, string>();
  const missing: string[] = [];
  for (const tool of tools) {
    const path = locate(tool);
    if (path !== undefined) paths.set(tool.name, path);
    else missing.push(`${tool.name}: apt-get install ${tool.debianPackage}, or set ${tool.variable}`);
  }
  return { paths, missing };
}

/** All programs of that name: the distribution's own first, PostgreSQL's newest first, then PATH. */
export function executables(name: string): readonly string[] {
  const postgres = "/usr/lib/postgresql";
  const versions = existsSync(postgres)
    ? readdirSync(postgres).sort((left, right) => Number(right) - Number(left))
    : [];
  const places = [
    ...versions.map((version) => join(postgres, version, "bin")),
    "/usr/bin",
    "/usr/local/bin",
    ...(process.env["PATH"] ?? "").split(delimiter),
  ];
  return [...new Set(places.map((place) => join(place, name)))].filter((path) => existsSync(path));
}

export function versionOf(path: string): string {
  const result = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 30_000 });
  return `${result.stdout ?? ""}${result.stderr ?? ""}`.trim();
}

/** Runs a command; its output is shown only when it fails. */
export function quietly(
  program: string,
  parameters: readonly string[],
  say: (line: string) => void,
  timeout?: number,
): void {
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync(program, parameters, { env: environment, encoding: "utf8", timeout });
  if (result.status === 0) return;
  say(`${program} ${parameters.join(" ")} failed:`);
  say(`${result.stdout ?? ""}${result.stderr ?? ""}`.trim().split("\n").slice(-20).join("\n"));
}

function installPackages(tools: readonly Tool[], say: (line: string) => void, isOptional: boolean): void {
  const lacking = tools.filter((tool) => locate(tool) === undefined).map((tool) => tool.debianPackage);
  if (lacking.length === 0 || process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const install = ["install", "-y", "--no-install-recommends", ...new Set(lacking)];
  say(`installing what is missing (apt-get ${install.join(" ")})`);
  if (isOptional) quietly("apt-get", [...SHORTLY, "update"], say, OPTIONAL_MS);
  else quietly("apt-get", ["update"], say);
  // It is not cut off in the middle of an installation: only its downloads give up soon.
  withoutStarting(() => quietly("apt-get", isOptional ? [...SHORTLY, ...install] : install, say));
}

/** Debian starts the servers that it installs, unless this file says no; ours are started by the tests. */
function withoutStarting(install: () => void): void {
  const policy = "/usr/sbin/policy-rc.d";
  const own = !existsSync(policy);
  if (own) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    install();
  } finally {
    if (own) rmSync(policy);
  }
}

function locate(tool: Tool): string | undefined {
  const given = process.env[tool.variable];
  return given !== undefined && existsSync(given) ? given : tool.find();
}
