import type { DigestForm } from "../core/row-digest.ts";
import type { Column, LogicalType } from "../core/schema.ts";

/** How the values of two columns are compared. */
export interface ColumnForm {
  readonly form: DigestForm;
  /** What is not compared, in a sentence; absent where everything is. */
  readonly loss?: string;
}

/** One column as both sides have it. */
export interface ColumnPair {
  readonly source: Column;
  readonly target: Column;
}

type Kind = LogicalType["kind"];

/** Whether one side's type is of a kind of the first, and the other's of one of the second. */
export function joins({ source, target }: ColumnPair, some: readonly Kind[], others = some): boolean {
  const [a, b] = [source.type.kind, target.type.kind];
  return (some.includes(a) && others.includes(b)) || (others.includes(a) && some.includes(b));
}
