import { things } from "./human.ts";
import { printable } from "./text-width.ts";

/** A table with rows that differ, as the API tells of it. */
export interface RepairedTable {
  readonly SchemaName: string;
  readonly TableName: string;
  readonly Recorded: number;
  /** Of those, rows that the target lacks, has too many, and has otherwise. */
  readonly Missing?: number;
  readonly Extra?: number;
  readonly Different?: number;
  readonly Settled: number;
  readonly Left: number;
  readonly Untried: number;
  readonly Reason?: string;
  readonly Codes: readonly { readonly Code: string; readonly Count: number }[];
}

/** What there is to repair: a line for each table, and one for what cannot be. */
export function foundText(tables: readonly RepairedTable[]): string {
  const found = tables.filter(({ Recorded }) => Recorded > 0);
  if (found.length === 0) return NOTHING;
  const lines = found.flatMap((table) => {
    const { Missing = 0, Extra = 0, Different = 0 } = table;
    const parts = [
      ...(Missing > 0 ? [`${things(Missing, "row")} to insert`] : []),
      ...(Different > 0 ? [`${things(Different, "row")} to update`] : []),
      ...(Extra > 0 ? [`${things(Extra, "row")} to delete`] : []),
    ];
    return [`${nameOf(table)}: ${parts.join(", ")}`, ...untriedLines(table)];
  });
  const isAny = found.some(({ Recorded, Untried }) => Untried < Recorded);
  return text([...lines, ...(isAny ? [UNCHANGED] : [])]);
}

/** What has become of it. */
export function repairedText(tables: readonly RepairedTable[]): string {
  const found = tables.filter(({ Recorded, Left }) => Recorded + Left > 0);
  if (found.length === 0) return NOTHING;
  return text(
    found.flatMap((table) => {
      const { Recorded, Settled, Left, Codes } = table;
      return [
        `${nameOf(table)}: ${Recorded} recorded, ${Settled} equal now, ${Left} left`,
        ...Codes.map(({ Code, Count }) => `  ${Count} refused with ${printable(Code)}`),
        ...untriedLines(table),
      ];
    }),
  );
}

interface OpenTable {
  readonly SchemaName?: string | undefined;
  readonly TableName?: string | undefined;
  readonly ValidationState?: string | undefined;
}

/** Of tables whose rows are not known to be equal, though none is recorded that differs. */
export function uncomparedText(tables: readonly OpenTable[]): string {
  return text(
    tables.map(
      ({ SchemaName = "", TableName = "", ValidationState = "" }) =>
        `${nameOf({ SchemaName, TableName })}: not known to be equal (${ValidationState})`,
    ),
  );
}

const NOTHING = "No rows are recorded that differ.\n";
const UNCHANGED = "Nothing has been changed. With --yes the task brings these rows.";

function untriedLines({ Untried, Reason }: RepairedTable): readonly string[] {
  return Untried === 0 ? [] : [`  ${Untried} cannot be repaired: ${Reason ?? ""}`];
}

function nameOf({ SchemaName, TableName }: Pick<RepairedTable, "SchemaName" | "TableName">): string {
  return printable(`${SchemaName}.${TableName}`);
}

function text(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
