import { dirname } from "node:path";
import type { DoneRepair, FoundRepair, RepairWish } from "../server/validate.ts";
import { things } from "./human.ts";
import { usage } from "./migrate-spec.ts";
import { tableLabel } from "./output.ts";
import type { Paint } from "./paint.ts";
import { ReportFile } from "./report-file.ts";
import { printable } from "./text-width.ts";

/** The word that has the statements carried out. A file of that name is "./apply". */
const APPLY = "apply";

export interface RepairOptions {
  readonly resume?: string;
  readonly repair?: string;
  readonly yes: boolean;
}

/** What --repair asks for, and the file that it leaves. Disposed before end(), it leaves none. */
export class AskedRepair implements Disposable {
  readonly wish: RepairWish | undefined;
  readonly #file: ReportFile | undefined;

  /** `title`: which databases these are. */
  constructor({ repair, yes, resume }: RepairOptions, title: string) {
    if (yes && repair !== APPLY)
      throw usage(
        "--yes goes with --repair=apply alone.",
        "Leave it out: a file of statements changes nothing by itself.",
      );
    if (repair === undefined) return;
    if (resume !== undefined)
      throw usage(
        "--repair and --resume do not go together.",
        "Leave one of them out: what an earlier start has found may have been repaired, or changed, since.",
      );
    if (repair === APPLY) {
      this.wish = { kind: yes ? "apply" : "count" };
      return;
    }
    const file = new ReportFile(repair, "--repair");
    this.#file = file;
    this.wish = {
      kind: "file",
      directory: dirname(repair),
      head: [
        "What makes the rows of the target those of the source, by tideway validate.",
        `${title}, ${new Date().toISOString()}`,
      ],
      write: (bytes) => file.write(bytes),
    };
  }

  /** Puts the file in its place. */
  end(): void {
    this.#file?.end();
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

export function foundRepairText({ table, target, rows, remarks }: FoundRepair, paint: Paint): string {
  const parts = [
    ...(rows.insert > 0 ? [`${things(rows.insert, "row")} to insert`] : []),
    ...(rows.update > 0 ? [`${things(rows.update, "row")} to update`] : []),
    ...(rows.delete > 0 ? [`${things(rows.delete, "row")} to delete`] : []),
  ];
  const name = printable(tableLabel(table, target));
  return [
    ...(parts.length === 0 ? [] : [`${paint.active("repair   ")}  ${name}  ${parts.join(", ")}\n`]),
    ...remarks.map((remark) => `${paint.faint("note     ")}  ${name}: ${printable(remark)}\n`),
  ].join("");
}

export function doneRepairText({ table, target, done, refused, errors }: DoneRepair, paint: Paint): string {
  const name = printable(tableLabel(table, target));
  const line = `${paint.good("repaired ")}  ${name}  ${things(done, "statement")} carried out\n`;
  if (refused === 0) return line;
  const codes = errors.map(({ code, nativeCode }) =>
    nativeCode === undefined ? code : `${code} (${nativeCode})`,
  );
  const said = `${things(refused, "statement")} refused: ${codes.join(", ")}`;
  return `${line}${paint.bad("refused  ")}  ${name}  ${said}\n`;
}

/** What is left to do once the statements are there; undefined where nothing is. */
export function repairHint(
  { repair, yes }: RepairOptions,
  found: readonly FoundRepair[],
): string | undefined {
  const changed = found.filter(({ rows }) => rows.insert + rows.update + rows.delete > 0);
  if (repair === undefined || changed.length === 0) return undefined;
  const what = `what repairs ${things(changed.length, "table")}`;
  if (repair !== APPLY) return `${repair} has ${what}.`;
  return yes ? undefined : `Nothing has been changed. With --yes ${what} is carried out.`;
}
