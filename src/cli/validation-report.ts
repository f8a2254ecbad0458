import { type TableId, tableKey } from "../core/schema.ts";
import type { RowDifference } from "../server/validate.ts";
import { usage } from "./migrate-spec.ts";
import { ReportFile } from "./report-file.ts";
import { validationHtml } from "./validation-html.ts";
import { differenceJson, doneJson, tableJson } from "./validation-json.ts";
import type { ValidationHearer, ValidationTotals } from "./validation-result.ts";

/** A file with what a validation has come to. Disposed before its end, it leaves nothing behind. */
export interface ValidationReport extends ValidationHearer, Disposable {
  end(totals: ValidationTotals): void;
}

/** The form of the report follows from the end of its name. */
export function openReport(path: string, title: string): ValidationReport {
  if (path.endsWith(".json")) return new JsonReport(new ReportFile(path, "--report"), title);
  if (path.endsWith(".html")) return new HtmlReport(new ReportFile(path, "--report"), title);
  throw usage(
    "The file of --report ends neither in .html nor in .json.",
    "Name the file so that its end says what it is to be.",
    path,
  );
}

abstract class FileReport implements ValidationReport {
  protected readonly file: ReportFile;
  protected readonly title: string;
  protected readonly startedAt = new Date();

  constructor(file: ReportFile, title: string) {
    this.file = file;
    this.title = title;
  }

  planned(): void {}
  resumed(): void {}
  progress(): void {}
  finding(): void {}
  task(): void {}
  tasksUnread(): void {}
  validated(): void {}
  checked(): void {}
  repairFound(): void {}
  repaired(): void {}
  comparesAgain(_tables: readonly TableId[]): void {}
  abstract difference(difference: RowDifference): void;
  abstract end(totals: ValidationTotals): void;

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }
}

/**
 * One document. All differences stand in it, each written when it is found: `differences`, and, where tables have been repaired,
 * those that are left in `differencesAfterRepair`.
 */
class JsonReport extends FileReport {
  #isFirst = true;

  constructor(file: ReportFile, title: string) {
    super(file, title);
    this.file.write(
      `{"title":${JSON.stringify(title)},"startedAt":${JSON.stringify(this.startedAt)},"differences":[`,
    );
  }

  difference(difference: RowDifference): void {
    this.file.write(`${this.#isFirst ? "" : ","}\n${JSON.stringify(differenceJson(difference))}`);
    this.#isFirst = false;
  }

  override comparesAgain(): void {
    this.file.write('\n],"differencesAfterRepair":[');
    this.#isFirst = true;
  }

  end({ results, repaired, ...totals }: ValidationTotals): void {
    const { repairs, checks, findings, tasksUnread, takenOver, isEqual, seconds } = totals;
    const tables = results.map((table) => `\n${JSON.stringify(tableJson(table))}`);
    const rest = JSON.stringify({
      ...{ checks, findings, tasksUnread, takenOver, isEqual, seconds, repairs },
      repaired: repaired.map(doneJson),
    });
    this.file.end(`\n],"tables":[${tables.join(",")}\n],${rest.slice(1)}\n`);
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

  override comparesAgain(tables: readonly TableId[]): void {
    for (const table of tables) this.#differences.delete(tableKey(table));
  }

  end(totals: ValidationTotals): void {
    const { title, startedAt } = this;
    this.file.end(validationHtml({ title, startedAt, totals, differences: this.#differences }));
  }
}
