import { existsSync, rmSync } from "node:fs";
import { failpoint } from "../base/failpoint.ts";
import { LineFile } from "../base/line-file.ts";
import { writeWhole } from "../base/whole-file.ts";
import { MigrationError } from "../core/error.ts";
import { tableKey } from "../core/schema.ts";
import type { PlannedTable, RowDifference, TableValidation } from "../server/validate.ts";
import { takeLock } from "./process-lock.ts";

/** What a comparison is of, by words for each part; parts that are secret, or long, as digests. */
export type RequestParts = Readonly<Record<string, string>>;

interface Head {
  readonly tideway: "validation";
  readonly version: 1;
  readonly startedAt: string;
  readonly request: RequestParts;
}

/** A line behind the head. */
type Entry =
  /** Of a table whose line follows, unless a start lies between them. */
  | { readonly difference: RowDifference }
  /** A table has been compared whole. `shape`: see PlannedTable. */
  | { readonly table: TableValidation; readonly shape: string }
  /** Another start: what was not whole by then is compared anew. */
  | { readonly resumedAt: string };

export type TakenEntry = Exclude<Entry, { readonly resumedAt: string }>;

/** What earlier starts have done. */
export interface TakenOver {
  /** Of the first, ISO 8601. */
  readonly startedAt: string;
  readonly tables: number;
  /** Tables that are still to be compared. */
  readonly left: number;
}

/**
 * What a comparison has done, so that another start can go on: a line for each table that was compared whole, behind lines for
 * its differences. Only its owner may read it, as keys are values of rows. One process at a time has it.
 */
export class ProgressFile implements Disposable {
  readonly #path: string;
  readonly #lines: LineFile;
  readonly #head: Head;
  #shapes: ReadonlyMap<string, string> = new Map();
  /** In which start each table was compared that is taken over. */
  readonly #done = new Map<string, number>();
  #hasFailed = false;

  private constructor(path: string, lines: LineFile, head: Head) {
    this.#path = path;
    this.#lines = lines;
    this.#head = head;
  }

  /** Makes the file when it is not there. Throws `validation.progress_file`, `validation.other_request`, `usage.run_in_progress`. */
  static async open(path: string, request: RequestParts): Promise<ProgressFile> {
    await guarded(path, () => takeLock(lockOf(path), (pid) => inProgress(pid, path)));
    try {
      return await guarded(path, () => openHeld(path, request));
    } catch (error) {
      rmSync(lockOf(path), { force: true });
      throw error;
    }

    async function openHeld(file: string, asked: RequestParts): Promise<ProgressFile> {
      if (!existsSync(file)) {
        const startedAt = new Date().toISOString();
        const head: Head = { tideway: "validation", version: 1, startedAt, request: asked };
        writeWhole(file, `${JSON.stringify(head)}\n`);
      }
      const lines = new LineFile(file);
      try {
        const head = readHead(lines, file);
        refuseOther(head.request, asked, file);
        return new ProgressFile(file, lines, head);
      } catch (error) {
        lines[Symbol.dispose]();
        throw error;
      }
    }
  }

  /** Finds what is done of these tables, as they are now. */
  takeOver(planned: readonly PlannedTable[]): TakenOver {
    this.#shapes = new Map(planned.map(({ table, shape }) => [tableKey(table), shape]));
    for (const { entry, start } of this.#entries()) {
      if (!("table" in entry)) continue;
      const key = tableKey(entry.table.table);
      if (this.#shapes.get(key) === entry.shape) this.#done.set(key, start);
    }
    const { startedAt } = this.#head;
    return { startedAt, tables: this.#done.size, left: planned.length - this.#done.size };
  }

  get done(): ReadonlySet<string> {
    return new Set(this.#done.keys());
  }

  /** The results of the tables that are taken over, each behind its differences. To be read to the end before anything is recorded. */
  *taken(): Generator<TakenEntry> {
    for (const { entry, start } of this.#entries()) {
      if ("resumedAt" in entry) continue;
      const table = "table" in entry ? entry.table.table : entry.difference.table;
      if (this.#done.get(tableKey(table)) === start) yield entry;
    }
    this.#add({ resumedAt: new Date().toISOString() });
    this.#keep();
  }

  difference(difference: RowDifference): void {
    this.#add({ difference });
    failpoint("validation.difference-recorded");
  }

  /** One that has failed is compared again by another start. */
  validated(table: TableValidation): void {
    if (table.verdict === "failed") {
      this.#hasFailed = true;
      return;
    }
    this.#add({ table, shape: this.#shapes.get(tableKey(table.table)) ?? "" });
    this.#keep();
    failpoint("validation.table-recorded");
  }

  /** All tables have been compared, and the result stands elsewhere. Where some have failed, another start may compare them. */
  end(): void {
    if (!this.#hasFailed) rmSync(this.#path, { force: true });
  }

  [Symbol.dispose](): void {
    this.#lines[Symbol.dispose]();
    rmSync(lockOf(this.#path), { force: true });
  }

  *#entries(): Generator<{ readonly entry: Entry; readonly start: number }> {
    let start = 0;
    let isHead = true;
    for (const line of this.#lines.lines()) {
      const entry = isHead ? undefined : parsed<Entry>(line, this.#path);
      isHead = false;
      if (entry === undefined) continue;
      if ("resumedAt" in entry) start++;
      yield { entry, start };
    }
  }

  #add(entry: Entry): void {
    try {
      this.#lines.add(JSON.stringify(entry));
    } catch (error) {
      throw fileError(this.#path, error);
    }
  }

  #keep(): void {
    try {
      this.#lines.keep();
    } catch (error) {
      throw fileError(this.#path, error);
    }
  }
}

function lockOf(path: string): string {
  return `${path}.lock`;
}

function readHead(lines: LineFile, path: string): Head {
  const [first = ""] = lines.lines();
  const head = parsed<Partial<Head>>(first, path);
  if (head.tideway !== "validation" || head.version !== 1 || head.request === undefined) throw notOurs(path);
  return head as Head;
}

function parsed<Value extends object>(line: string, path: string): Value {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Value;
  } catch {
    // Said below.
  }
  throw notOurs(path);
}

function notOurs(path: string): MigrationError {
  return new MigrationError("validation.progress_file", {
    message: "The file of --resume is none that a comparison has made, or it is damaged.",
    subject: path,
  });
}

function refuseOther(known: RequestParts, asked: RequestParts, path: string): void {
  const parts = new Set([...Object.keys(known), ...Object.keys(asked)]);
  const others = [...parts].filter((part) => known[part] !== asked[part]);
  if (others.length === 0) return;
  throw new MigrationError("validation.other_request", {
    message: `The file of --resume is of a comparison with another ${others.join(", another ")}.`,
    subject: path,
  });
}

function inProgress(pid: number, path: string): MigrationError {
  return new MigrationError("usage.run_in_progress", {
    message: `The file of --resume is in use by process ${pid}.`,
    subject: path,
    remedy: "Wait for it or stop it with Ctrl-C; then the same command goes on.",
  });
}

async function guarded<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw fileError(path, error);
  }
}

function fileError(path: string, error: unknown): MigrationError {
  if (error instanceof MigrationError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
  return new MigrationError("validation.progress_file", {
    message: `The file of --resume cannot be used (${code}).`,
    subject: path,
    cause: error,
  });
}
