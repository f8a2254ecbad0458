import type { Finding } from "../../../core/finding.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable } from "../../../core/schema.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { finding, mends } from "../finding.ts";

/** An index of a table that is on the target already. */
export interface PresentIndex {
  readonly name: string;
  /** It keeps two rows of the same values apart, whatever these are. */
  readonly unique: boolean;
  readonly primary: boolean;
  /** Of whole columns; undefined for parts of them, expressions, or some rows only. */
  readonly columns: readonly string[] | undefined;
}

/** Indexes that an assessment names at most. */
const NAMED = 5;

export interface KeptTable extends Pick<TargetAssessment, "appliesChanges" | "loads"> {
  readonly plan: TablePlan;
  readonly indexes: readonly PresentIndex[];
  /** SQL that makes a unique index of these columns of the target's table. */
  readonly uniqueSql: (columns: readonly string[]) => string;
}

/** What the indexes of a table that is kept mean for changes, which look for rows, and for a load, which feeds each of them. */
export function keptIndexFindings(kept: KeptTable): readonly Finding[] {
  const { plan, indexes, appliesChanges, loads } = kept;
  const key = plan.source.key.map((ordinal) => plan.target.columns[ordinal]!.name);
  const secondary = indexes.filter(({ primary, columns }) => !primary && !isOver(columns, key));
  const isFound = indexes.some(({ unique, columns }) => unique && isOver(columns, key));
  return [
    ...(appliesChanges === true && key.length > 0 && !isFound ? [noKey(kept, key)] : []),
    ...(loads === true && secondary.length > 0 ? [fedIndexes(plan, secondary)] : []),
  ];
}

function isOver(columns: readonly string[] | undefined, key: readonly string[]): boolean {
  return columns?.length === key.length && key.every((name) => columns.includes(name));
}

function noKey({ plan, uniqueSql }: KeptTable, key: readonly string[]): Finding {
  const name = displayTable(plan.target.id);
  return finding("target.no_key", "warning", {
    subject: name,
    table: plan.source.id,
    message: `The table ${name} on the target has no unique index of the columns ${key.join(", ")}, by which changes find its rows.`,
    ...mends("target", [uniqueSql(key)]),
  });
}

function fedIndexes(plan: TablePlan, indexes: readonly PresentIndex[]): Finding {
  const name = displayTable(plan.target.id);
  const named = indexes.slice(0, NAMED).map((index) => index.name);
  const more = indexes.length > NAMED ? ", ..." : "";
  return finding("target.indexes_kept", "info", {
    subject: name,
    table: plan.source.id,
    message: `The table ${name} on the target has indexes into which each row goes as it is loaded: ${named.join(", ")}${more}.`,
  });
}
