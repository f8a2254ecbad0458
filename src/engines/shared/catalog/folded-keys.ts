import type { Finding } from "../../../core/finding.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type Column, displayTable } from "../../../core/schema.ts";
import { finding } from "../finding.ts";

/** Types of PostgreSQL whose texts are equal when their characters are: others, as citext, compare in their own way. */
const TEXT = /^(?:text|name|character varying|character)\b(?!.*\[\])/;
/** A collation of one's own may take other texts for equal. */
const DETERMINISTIC = /^"(?:C|POSIX|ucs_basic|[\w-]+-x-icu)"$/;
/** Collations of MySQL. Most of them take no notice of spaces at the end. */
const BINARY = /_bin$|^binary$/;
const BINARY_WITH_SPACES = /_(?:0900|nopad)_bin$|^binary$/;

/** Whether a column's own server certainly takes no two texts for the same that differ in more than spaces at their end. */
export function tellsTextsApart({ type, nativeType, collation }: Column): boolean {
  if (type.kind !== "string") return false;
  if (collation === undefined) return TEXT.test(nativeType);
  return BINARY.test(collation) || DETERMINISTIC.test(collation);
}

/**
 * Ordinals of a table's key of which the target takes some values for the same that the source tells apart: for it the key of
 * a row that it has refused may be that of another one. `folds`: by the name of the target's column.
 */
export function foldedKey(plan: TablePlan, folds: (column: string) => boolean): readonly number[] {
  return foldedOf(plan.source.key, plan, folds);
}

/** Those of some ordinals of which it is so. */
export function foldedOf(
  ordinals: readonly number[],
  { source, target }: TablePlan,
  folds: (column: string) => boolean,
): readonly number[] {
  return ordinals.filter((o) => tellsTextsApart(source.columns[o]!) && folds(target.columns[o]!.name));
}

/** Whether a column's own server takes texts for the same that differ in spaces at their end alone. */
export function overlooksSpaces({ collation = "" }: Column): boolean {
  return BINARY.test(collation) && !BINARY_WITH_SPACES.test(collation);
}

/** Tells of them before the start. */
export function foldedKeyFindings(plan: TablePlan, folds: (column: string) => boolean): readonly Finding[] {
  const folded = foldedKey(plan, folds);
  if (folded.length === 0) return [];
  const name = displayTable(plan.target.id);
  const columns = folded.map((o) => plan.target.columns[o]!.name).join(", ");
  return [
    finding("target.key_collation", "warning", {
      subject: name,
      table: plan.source.id,
      message: `The table ${name} on the target takes keys for the same that the source tells apart, as those that differ in case: ${columns}.`,
    }),
  ];
}
