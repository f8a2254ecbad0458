import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { MigrationError } from "../core/error.ts";
import { tableKey } from "../core/schema.ts";
import type { RowDifference } from "../server/validate.ts";
import { validationHtml } from "./validation-html.ts";
import { differenceJson, tableJson } from "./validation-json.ts";
import type { ValidationHearer, ValidationTotals } from "./validation-result.ts";

/** A file with what a validation has come to. Disposed before its end, it leaves nothing behind. */
export interface ValidationReport extends ValidationHearer, Disposable {
  end(totals: ValidationTotals): void;
}

/** Opens the file first: a validation of hours is not to end in a path that cannot be written. */
export function openReport(path: string, title: string): ValidationReport {
  if (path.endsWith(".json")) return new JsonReport(new DraftFile(path), title);
  if (path.endsWith(".html")) return new HtmlReport(new DraftFile(path), title);
  throw new MigrationError("usage.invalid", {
    message: "The file of --report ends neither in .html nor in .json.",
    subject: path,
    remedy: "Name the file so that its end says what it is to be.",
  });
}

/** Written beside its place, and put there when it is whole. Only its owner may read it: keys are values of rows. */
class DraftFile implements Disposable {
  readonly #path: string;
  readonly #file: number;
  #isOpen = true;

  constructor(path: string) {
    this.#path = path;
    try {
      rmSync(`${path}.new`, { force: true });
      this.#file = openSync(`${path}.new`, "wx", 0o600);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
      throw new MigrationError("usage.invalid", {
        message: `The file of --report cannot be written (${code}).`,
        subject: path,
        remedy: "Give a path in a directory that can be written.",
      });
    }
  }

  write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
  }

  end(): void {
    this.#close();
    renameSync(`${this.#path}.new`, this.#path);
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#close();
    rmSync(`${this.#path}.new`, { force: true });
  }

  #close(): void {
    this.#isOpen = false;
    closeSync(this.#file);
  }
}

abstract class FileReport implements ValidationReport {
  protected readonly file: DraftFile;
  protected readonly title: string;
  protected readonly startedAt = new Date();

  constructor(file: DraftFile, title: string) {
    this.file = file;
    this.title = title;
  }

  planned(): void {}
  progress(): void {}
  finding(): void {}
  task(): void {}
  tasksUnread(): void {}
  validated(): void {}
  checked(): void {}
  abstract difference(difference: RowDifference): void;
  abstract end(totals: ValidationTotals): void;

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }
}

/** One document. All differences stand in it, each written when it is found. */
class JsonReport extends FileReport {
  #isFirst = true;

  constructor(file: DraftFile, title: string) {
    super(file, title);
    this.file.write(
      `{"title":${JSON.stringify(title)},"startedAt":${JSON.stringify(this.startedAt)},"differences":[`,
    );
  }

  difference(difference: RowDifference): void {
    this.file.write(`${this.#isFirst ? "" : ","}\n${JSON.stringify(differenceJson(difference))}`);
    this.#isFirst = false;
  }

  end({ results, checks, findings, tasksUnread, isEqual, seconds }: ValidationTotals): void {
    const tables = results.map((table) => `\n${JSON.stringify(tableJson(table))}`);
    const rest = JSON.stringify({ checks, findings, tasksUnread, isEqual, seconds });
    this.file.write(`\n],"tables":[${tables.join(",")}\n],${rest.slice(1)}\n`);
    this.file.end();
  }
}

/** Differences of a table that a page shows; the JSON report has all. */
const MOST_SHOWN = 500;

class HtmlReport extends FileReport {
  readonly #differences = new Map<string, RowDifference[]>();

  difference(difference: RowDifference): void {
    const key = tableKey(difference.table);
    const shown = this.#differences.get(key);
    if (shown === undefined) this.#differences.set(key, [difference]);
    else if (shown.length < MOST_SHOWN) shown.push(difference);
  }

  end(totals: ValidationTotals): void {
    const { title, startedAt } = this;
    this.file.write(validationHtml({ title, startedAt, totals, differences: this.#differences }));
    this.file.end();
  }
}
