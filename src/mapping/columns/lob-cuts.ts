import type { Column, TableId, TableSchema } from "../../core/schema.ts";
import { isLargeObject } from "../document/data-types.ts";
import { type LobSize, matchesTable, type TableMappings } from "../rules.ts";
import type { ColumnChoice } from "./column-choice.ts";
import { type ColumnFindings, listed } from "./column-findings.ts";
import type { Computed } from "./map-columns.ts";
import type { NativeColumns } from "./native-columns.ts";
import type { RulesOfTable } from "./table-rules.ts";

const KILOBYTE = 1024;

/** Up to which size a table's large objects come, and who says so. */
export interface LobLimit {
  readonly kilobytes: number;
  /** The rule of the table mappings; undefined: the task's settings. */
  readonly rule: number | undefined;
  /** A value that would be cut off is the table's error. */
  readonly refusesCuts: boolean;
}

/** What the task's settings say of large objects. none: they stay behind, whatever rules say. */
export interface LobSettings {
  readonly lobs: "none" | LobSize;
  readonly refusesCuts: boolean;
}

/** The rule of the table with the lowest id decides, else the settings. Undefined where all values come whole. */
export function lobLimit(
  table: TableId,
  { tableSettings }: TableMappings,
  { lobs, refusesCuts }: LobSettings,
): LobLimit | undefined {
  const deciding = tableSettings.find((one) => one.lobs !== undefined && matchesTable(one, table));
  const rule = deciding?.lobs === null ? undefined : deciding;
  const size = rule?.lobs ?? lobs;
  if (typeof size === "string") return undefined;
  return { kilobytes: size.maxKilobytes, rule: rule?.id, refusesCuts };
}

export interface CutColumns {
  readonly reads: TableSchema;
  readonly rules: Pick<RulesOfTable, "keys">;
  readonly texts: NativeColumns;
  readonly computed: Computed;
  readonly limit: LobLimit;
  readonly findings: ColumnFindings;
}

/**
 * The ordinals of the columns whose values are cut off, each with the most bytes that come. What is left of a
 * structured value would be none, and what tells rows apart or refers to them would not do so any more: these come
 * whole. Of a hash all of the value counts.
 */
export function cutColumns(
  choices: readonly ColumnChoice[],
  { limit, findings, ...table }: CutColumns,
): ReadonlyMap<number, number> {
  const isSent = ({ ordinal, comes }: ColumnChoice): boolean =>
    comes && table.computed.get(ordinal) === undefined;
  const large = choices.filter((choice) => isSent(choice) && isLargeObject(choice.column));
  const isTelling = ({ column }: ColumnChoice): boolean => isPartOfKey(column.name, table);
  const divisible = large.filter(({ column }) => isDivisible(column));
  const cut = divisible.filter((choice) => !isTelling(choice) && isPassedOn(choice));
  const says = limit.rule === undefined ? "LimitedSizeLobMode says" : `rule ${limit.rule} says`;
  const named = (some: readonly ColumnChoice[]): string => listed(some.map(({ column }) => column.name));
  const size = `${limit.kilobytes} KB`;
  if (cut.length > 0) {
    const what = limit.refusesCuts
      ? `Values of the columns ${named(cut)} that are longer than ${size} are an error of the table, as ${says}.`
      : `Values of the columns ${named(cut)} are cut off after ${size}, as ${says}.`;
    findings.add("mapping.value_cut", "warning", what);
  } else if (limit.rule !== undefined) {
    const what = `Rule ${limit.rule} limits large objects, and the table has no column that it cuts.`;
    findings.add("mapping.value_cut", "info", what);
  }
  const whole = large.filter(({ column }) => !isDivisible(column));
  if (whole.length > 0) {
    const why = "a part of JSON, XML, an array or a shape is none";
    findings.add("mapping.value_cut", "info", `Values of the columns ${named(whole)} come whole: ${why}.`);
  }
  const kept = divisible.filter(isTelling);
  if (kept.length > 0) {
    const why = "they tell rows apart or refer to others";
    findings.add("mapping.value_cut", "info", `Values of the columns ${named(kept)} come whole: ${why}.`);
  }
  return new Map(cut.map(({ ordinal }) => [ordinal, limit.kilobytes * KILOBYTE]));
}

function isDivisible({ type }: Column): boolean {
  return type.kind === "string" || (type.kind === "bytes" && type.shape === undefined);
}

/** A hash is made of the whole value, and another type says by itself what it has room for. */
function isPassedOn({ column, mask, type }: ColumnChoice): boolean {
  return mask?.said.kind !== "hash" && (type === undefined || type.said.kind === column.type.kind);
}

/** Whether a column stands in a key, a unique index, also in an expression of it, or a foreign key. */
function isPartOfKey(
  name: string,
  { reads, rules, texts }: Pick<CutColumns, "reads" | "rules" | "texts">,
): boolean {
  const names = new Set([name]);
  return (
    reads.key.some((ordinal) => reads.columns[ordinal]!.name === name) ||
    reads.foreignKeys.some(({ columns }) => columns.includes(name)) ||
    rules.keys.some(({ columns }) => columns.includes(name)) ||
    reads.indexes.some(
      ({ unique, columns, native }) =>
        unique && (columns === undefined ? texts.speaksOf(native, names) : columns.includes(name)),
    )
  );
}
