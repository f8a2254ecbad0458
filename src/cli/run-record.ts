import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { MigrationError } from "../core/error.ts";
import { takeLock } from "./process-lock.ts";

/** What `tideway migrate` remembers of a task between runs. Holds no passwords. */
export interface RunRecord {
  readonly version: 1;
  readonly taskId: string;
  readonly name: string;
  readonly type: string;
  /** unfinished: it has changed the target and can be resumed. finished: its work is over. */
  readonly state: "unfinished" | "finished";
  /** ISO 8601. */
  readonly changedAt: string;
}

/** $TIDEWAY_DATA_DIR, else tideway in the user's state directory (XDG base directory specification). */
export function defaultDataDir(): string {
  const chosen = process.env["TIDEWAY_DATA_DIR"];
  if (chosen !== undefined && chosen !== "") return chosen;
  const state = process.env["XDG_STATE_HOME"];
  const base = state?.startsWith("/") === true ? state : join(homedir(), ".local", "state");
  return join(base, "tideway");
}

/**
 * A task's record, held by this process alone until disposed: two runs of one task at a time would
 * write the same rows twice. Throws `usage.run_in_progress`, `server.data_dir`.
 */
export async function holdRun(dataDir: string, taskId: string): Promise<HeldRun> {
  const directory = join(dataDir, "migrate");
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await takeLock(join(directory, `${taskId}.lock`), (pid) => inProgress(pid, taskId));
  } catch (error) {
    throw dataDirError(error, dataDir);
  }
  return new HeldRun(directory, taskId);
}

export class HeldRun implements AsyncDisposable {
  readonly #file: string;
  readonly #lockFile: string;

  constructor(directory: string, taskId: string) {
    this.#file = join(directory, `${taskId}.json`);
    this.#lockFile = join(directory, `${taskId}.lock`);
  }

  /** undefined when the task has not run, or when its record cannot be understood. */
  async read(): Promise<RunRecord | undefined> {
    try {
      const record = JSON.parse(await readFile(this.#file, "utf8")) as Partial<RunRecord> | null;
      return record?.version === 1 ? (record as RunRecord) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Atomic: a crash leaves the old record or the new one. */
  async write(record: RunRecord): Promise<void> {
    const draft = `${this.#file}.new`;
    try {
      await writeFile(draft, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600, flush: true });
      await rename(draft, this.#file);
    } catch (error) {
      throw dataDirError(error, this.#file);
    }
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#lockFile, { force: true });
  }
}

function inProgress(pid: number, taskId: string): MigrationError {
  return new MigrationError("usage.run_in_progress", {
    message: `This migration is being run by process ${pid}.`,
    subject: taskId,
  });
}

function dataDirError(error: unknown, subject: string): unknown {
  if (error instanceof MigrationError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  return new MigrationError("server.data_dir", {
    message: `The data directory cannot be used (${code}).`,
    subject,
    cause: error,
  });
}
