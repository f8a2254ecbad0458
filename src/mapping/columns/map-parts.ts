import type { Index, TableSchema } from "../../core/schema.ts";
import type { ColumnChoice } from "./column-choice.ts";
import { type MapColumns, spokenName } from "./map-columns.ts";
import type { ColumnNames } from "./native-columns.ts";

export interface MapParts extends MapColumns {
  readonly choices: readonly ColumnChoice[];
}

/** The indexes that the target can have, in its names. */
export function mapIndexes(indexes: readonly Index[], context: MapParts): readonly Index[] {
  const { choices, texts, findings } = context;
  const coming = namesOf(choices, ({ comes, name }) => (comes ? name : undefined));
  const telling = namesOf(choices, (choice) => (isTelling(choice) ? choice.name : undefined));
  const spoken = namesOf(choices, spokenName);
  return indexes.flatMap((index) => {
    const names = index.unique ? telling : coming;
    const columns = index.columns?.map((name) => names.get(name));
    // A condition is about values, as an expression is.
    const isPlain = columns !== undefined && !/\bwhere\b/iu.test(index.native);
    const native = texts.rewrite(index.native, isPlain ? names : spoken);
    if (native === undefined || columns?.includes(undefined) === true) {
      findings.leftOut(
        `The index ${index.name}`,
        "columns that it is about stay behind, or rules change their values",
      );
      return [];
    }
    return [{ ...index, native, columns: columns as readonly string[] | undefined }];
  });
}

/** The checks that rows satisfy on the target as they do on the source. */
export function mapChecks(checks: TableSchema["checks"], context: MapParts): TableSchema["checks"] {
  const { choices, texts, findings } = context;
  const clear = namesOf(choices, (choice) => (choice.mask === undefined ? spokenName(choice) : undefined));
  return checks.flatMap((check) => {
    const native = texts.rewrite(check.native, clear);
    if (native !== undefined) return [{ ...check, native }];
    findings.leftOut(
      `The check ${check.name}`,
      "columns that it is about stay behind, or rules change their values",
    );
    return [];
  });
}

/** A column as foreign keys see it on the target. */
export interface ReferredColumn {
  readonly name: string;
  /** What rules make of its values; undefined for those of the source. Columns of one form go on matching. */
  readonly form: string | undefined;
}

/** By the source's names; a column that does not come, or whose rows are no longer told apart by it, is not there. */
export function referredColumns(choices: readonly ColumnChoice[]): ReadonlyMap<string, ReferredColumn> {
  return new Map(
    choices.filter(isTelling).map((choice) => {
      const { column, name, type, mask } = choice;
      const isOther = mask !== undefined || spokenName(choice) === undefined;
      const form = isOther ? `${(type?.said ?? column.type).kind} ${mask?.said.kind ?? ""}` : undefined;
      return [column.name, { name, form }];
    }),
  );
}

/** Rows differ by it as they do on the source: a hash keeps that, and no other mask does. */
export function isTelling({ comes, mask }: ColumnChoice): boolean {
  return comes && (mask === undefined || mask.said.kind === "hash");
}

export function namesOf(
  choices: readonly ColumnChoice[],
  nameOf: (choice: ColumnChoice) => string | undefined,
): ColumnNames {
  return new Map(choices.map((choice) => [choice.column.name, nameOf(choice)]));
}
