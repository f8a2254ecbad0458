import { printable } from "./text-width.ts";

/** A table with rows that were tried again, as the API tells of it. */
export interface RetriedTable {
  readonly SchemaName: string;
  readonly TableName: string;
  readonly Recorded: number;
  readonly Settled: number;
  readonly Left: number;
  readonly Untried: number;
  readonly Reason?: string;
  readonly Codes: readonly { readonly Code: string; readonly Count: number }[];
}

/** One line for each table, and one for each reason why something is left. */
export function retryText(tables: readonly RetriedTable[]): string {
  if (tables.length === 0) return "Nothing is recorded that the target has refused.\n";
  const lines = tables.flatMap(
    ({ SchemaName, TableName, Recorded, Settled, Left, Untried, Reason, Codes }) => [
      `${printable(`${SchemaName}.${TableName}`)}: ${Recorded} recorded, ${Settled} came or are settled, ${Left} left`,
      ...Codes.map(({ Code, Count }) => `  ${Count} with ${printable(Code)}`),
      ...(Untried === 0 ? [] : [`  ${Untried} could not be tried: ${Reason ?? ""}`]),
    ],
  );
  return lines.map((line) => `${line}\n`).join("");
}
