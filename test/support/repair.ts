import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { text } from "node:stream/consumers";
import type { EndpointConfig } from "../../src/core/engine.ts";
import type { ValidationSpec } from "../../src/server/validate.ts";
import type { TaskSpec } from "../../src/task/task.ts";
import { executables } from "./debian-tools.ts";
import { type Validated, validated } from "./validation.ts";

/** Compares what a task moves, and has statements written that repair the target. */
export async function writtenRepair(
  spec: TaskSpec,
  options: Partial<ValidationSpec> = {},
): Promise<Validated & { readonly sql: Buffer }> {
  const parts: Buffer[] = [];
  const write = (bytes: string | Uint8Array): void => {
    parts.push(Buffer.from(bytes));
  };
  const repair = { kind: "file", directory: tmpdir(), head: ["A repair."], write } as const;
  return { ...(await validated(spec, { ...options, repair })), sql: Buffer.concat(parts) };
}

/** Has what differs repaired as somebody would who was given the file. Resolves with how many rows that was said to change. */
export async function repairedByClient(spec: TaskSpec): Promise<number> {
  const { sql, repairs } = await writtenRepair(spec);
  await runByClient(spec.target, sql);
  return repairs.reduce((total, { rows }) => total + rows.insert + rows.update + rows.delete, 0);
}

/** Has the client of the target's kind carry statements out, as somebody would who was given the file. */
export async function runByClient(
  { engine, host, port, username, password, database }: EndpointConfig,
  sql: Buffer,
): Promise<void> {
  const isPostgres = engine === "postgres";
  const to = ["-h", host, isPostgres ? "-p" : "-P", String(port), isPostgres ? "-U" : "-u", username];
  const [name, args] = isPostgres
    ? (["psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", ...to, database]] as const)
    : (["mariadb", ["--no-defaults", ...to]] as const);
  const environment = isPostgres ? { PGPASSWORD: password } : { MYSQL_PWD: password };
  const child = spawn(executables(name)[0] ?? name, args, { env: environment, stdio: "pipe" });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.stdin.end(sql);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  assert.equal(await ended, 0, `${out}${errors}`);
  assert.equal(errors, "");
}
