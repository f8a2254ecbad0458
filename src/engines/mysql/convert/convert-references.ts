import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type ForeignKey, tableKey } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import type { DatabaseNames } from "./convert-names.ts";

/**
 * Foreign keys of PostgreSQL in MySQL's words. `converted`: the tables as they are here, with their indexes, by the
 * key of their target id.
 */
export function convertReferences(
  plan: TablePlan,
  {
    converted,
    notes,
    names,
  }: {
    readonly converted: ReadonlyMap<string, TablePlan>;
    readonly notes: ConvertNotes;
    readonly names: DatabaseNames;
  },
): readonly ForeignKey[] {
  const { source, target } = plan;
  return target.foreignKeys.flatMap((key) => {
    const problem = unfit(plan, key, converted);
    if (problem !== undefined) {
      notes.about(source, "convert.reference", `The foreign key ${key.name} ${problem} and is left out.`);
      return [];
    }
    const { native, told } = actions(key);
    if (told !== undefined)
      notes.about(source, "convert.reference", `The foreign key ${key.name} ${told}.`, "info");
    const { comment: _none, ...rest } = key;
    return { ...rest, name: names.take(target.id, key.name), native };
  });
}

function unfit(
  { target }: TablePlan,
  key: ForeignKey,
  converted: ReadonlyMap<string, TablePlan>,
): string | undefined {
  if (key.period === true) return "is about ranges";
  const other = converted.get(tableKey(key.references))?.target;
  if (other === undefined) return undefined;
  const isIndexed = other.indexes.some(
    ({ columns, native }) =>
      columns !== undefined &&
      !/\(\d+\)/.test(native) &&
      key.referencedColumns.every((name, i) => columns[i] === name),
  );
  if (!isIndexed) return `refers to columns of ${displayTable(other.id)} that have no index here`;
  const differ = key.columns.find((name, i) => {
    const own = target.columns.find((column) => column.name === name);
    const theirs = other.columns.find((column) => column.name === key.referencedColumns[i]);
    return own === undefined || theirs === undefined || !isLike(own.nativeType, theirs.nativeType);
  });
  return differ === undefined ? undefined : `refers from ${differ} to a column of another type`;
}

/** Lengths of texts may differ. */
function isLike(one: string, other: string): boolean {
  const base = (type: string): string =>
    /^(?:var)?(?:char|binary)\b/.test(type) ? type.replace(/\(\d+\)/, "").replace(/^var/, "") : type;
  return base(one) === base(other);
}

interface Actions {
  readonly native: string;
  readonly told: string | undefined;
}

/** `MATCH FULL ON UPDATE CASCADE ON DELETE SET NULL (a) DEFERRABLE INITIALLY DEFERRED`. */
function actions({ native }: ForeignKey): Actions {
  const told: string[] = [];
  const action = (event: string): string => {
    const [, word, columns] =
      new RegExp(`on ${event} (cascade|set null|set default|restrict|no action)(\\s*\\()?`, "i").exec(
        native,
      ) ?? [];
    if (word === undefined || /^(?:restrict|no action)$/i.test(word)) return "";
    if (/^set default$/i.test(word) || columns !== undefined) {
      told.push(
        `has no ${word.toLowerCase()}${columns === undefined ? "" : " of some columns"} here: it refuses instead`,
      );
      return "";
    }
    return `on ${event} ${word.toLowerCase()}`;
  };
  const parts = [action("delete"), action("update")].filter((part) => part !== "");
  if (/match full/i.test(native)) told.push("does not look at rows with some NULLs here");
  if (/\bdeferrable\b/i.test(native) && !/not deferrable/i.test(native))
    told.push("is looked at with every row here");
  return { native: parts.join(" "), told: told.length === 0 ? undefined : told.join(", and ") };
}
