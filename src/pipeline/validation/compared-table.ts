import { formOf } from "../../comparison/forms.ts";
import { type ColumnOrigin, originsOf, type TablePlan } from "../../core/plan.ts";
import type { DigestForm } from "../../core/row-digest.ts";
import type { Column, LogicalType, TableSchema } from "../../core/schema.ts";
import { isLargeObject } from "../../mapping/document/data-types.ts";
import { typeFault } from "../../mapping/filter/filter-value.ts";
import { keepsDeleted } from "../../mapping/rows/row-needs.ts";
import { type KeyColumn, keyColumns } from "../row-keys.ts";

/** A column that both sides have, and what its values are compared as. */
export interface ComparedColumn {
  /** Into the plan's columns. */
  readonly ordinal: number;
  /** By the source's name. */
  readonly name: string;
  readonly form: DigestForm;
  readonly source: Column;
  /** As the target really has it, and where it stands there. */
  readonly target: Column;
  readonly targetOrdinal: number;
}

/** What is said of a column that is not compared, or not in full. Names are the source's. */
export interface ColumnNote {
  readonly column: string;
  readonly note: string;
}

export interface UncomparedColumn extends ColumnNote {
  /** Whether its values are right stays open. Else nobody expects them to be the source's: a database computes them, say. */
  readonly isOpen: boolean;
}

/** How rows are looked up by their key on each side. */
export interface ComparedKey {
  /** Into the compared columns. */
  readonly columns: readonly number[];
  readonly source: readonly KeyColumn[];
  readonly target: readonly KeyColumn[];
}

/** A table of the plan beside the one that the target really has. */
export interface ComparedTable {
  readonly plan: TablePlan;
  readonly target: TableSchema;
  readonly columns: readonly ComparedColumn[];
  /** Undefined where rows cannot be looked up by one on both sides: then they are told apart by all that is compared. */
  readonly key: ComparedKey | undefined;
  /** Columns whose values are compared at less than they hold on one side. */
  readonly losses: readonly ColumnNote[];
  readonly uncompared: readonly UncomparedColumn[];
  /** Columns that the target lacks, by the target's names. */
  readonly missing: readonly string[];
  /** Why its rows cannot be compared at all. */
  readonly fault?: string;
}

export interface ColumnWishes {
  /** Columns of large objects are not compared. */
  readonly skipsLobs?: boolean;
}

export function compareTable(
  plan: TablePlan,
  target: TableSchema,
  { skipsLobs = false }: ColumnWishes = {},
): ComparedTable {
  const origins = originsOf(plan);
  const columns: ComparedColumn[] = [];
  const losses: ColumnNote[] = [];
  const uncompared: UncomparedColumn[] = [];
  const missing: string[] = [];
  const ordinals = new Map(target.columns.map(({ name }, ordinal) => [name, ordinal]));
  for (const [ordinal, column] of plan.source.columns.entries()) {
    const { name } = plan.target.columns[ordinal]!;
    const targetOrdinal = ordinals.get(name);
    ordinals.delete(name);
    if (targetOrdinal === undefined) {
      missing.push(name);
      continue;
    }
    const there = target.columns[targetOrdinal]!;
    const isLeftOut = skipsLobs && isLargeObject(column) && !plan.source.key.includes(ordinal);
    const note =
      unreadable(column, origins[ordinal]!) ??
      unreadableThere(there) ??
      (isLeftOut ? "large values are left out, as SkipLobColumns says" : undefined);
    const pair = note === undefined ? formOf(column, there) : undefined;
    if (pair === undefined) {
      const types = `values of ${column.nativeType} and ${there.nativeType} have no form that both can be compared in`;
      uncompared.push({ column: column.name, note: note ?? types, isOpen: note === undefined });
      continue;
    }
    if (pair.loss !== undefined) losses.push({ column: column.name, note: pair.loss });
    const { form } = pair;
    columns.push({ ordinal, name: column.name, form, source: column, target: there, targetOrdinal });
  }
  for (const name of ordinals.keys())
    uncompared.push({ column: name, note: "the target alone has such a column", isOpen: false });
  const fault = faultOf(plan, columns);
  const key = comparedKey(plan, columns);
  return {
    ...{ plan, target, columns, losses, uncompared, missing, key },
    ...(fault === undefined ? {} : { fault }),
  };
}

/** The target's columns that are read of it, in their order. */
export function readOrdinals(columns: readonly ComparedColumn[]): readonly number[] {
  return columns.map(({ targetOrdinal }) => targetOrdinal).sort((a, b) => a - b);
}

function faultOf(plan: TablePlan, columns: readonly ComparedColumn[]): string | undefined {
  if (keepsDeleted(originsOf(plan))) return "Its rules keep rows that the source has deleted.";
  return columns.length === 0 ? "It has no column that both sides can be compared by." : undefined;
}

/** Why a value of the plan's column cannot be told from the source's rows; undefined where it can. */
function unreadable(column: Column, origin: ColumnOrigin): string | undefined {
  if (column.generated !== undefined) return "each database computes it by itself";
  if (origin.kind === "before") return "it holds values from before updates, which rows do not tell";
  if (origin.kind === "expression") {
    const isOfChange = origin.expression.inputs.some(({ kind }) => kind === "header" || kind === "before");
    if (isOfChange) return "rules make it of what changes tell, and rows do not";
  }
  return origin.mask?.kind === "random-digits" ? "rules mask it at random" : undefined;
}

function unreadableThere({ generated, sends }: Column): string | undefined {
  return generated === undefined || sends === true ? undefined : "the target computes it";
}

/** Values of both sides have to be found by what either has sent of them. */
function comparedKey(plan: TablePlan, columns: readonly ComparedColumn[]): ComparedKey | undefined {
  const source = keyColumns(plan);
  if (typeof source === "string") return undefined;
  const places = source.map(({ ordinal }) => columns.findIndex((column) => column.ordinal === ordinal));
  const isSame = places.every((place, i) => {
    const column = columns[place];
    return column !== undefined && hasSameValues(source[i]!.column, column);
  });
  if (!isSame) return undefined;
  const target = places.map((place) => {
    const { target: column, targetOrdinal } = columns[place]!;
    return { name: column.name, ordinal: targetOrdinal, column, reads: targetOrdinal };
  });
  return { columns: places, source, target };
}

/** Whether a value finds the same rows on both sides: none is coarser, so that two keys of one side were one of the other. */
function hasSameValues({ type: a }: Column, { form, target: { type: b } }: ComparedColumn): boolean {
  if (!isLookedUp(a) || !isLookedUp(b)) return false;
  if (a.kind === "string" && b.kind === "string" && a.fixed && b.fixed) return true;
  if ("trims" in form) return false;
  // What form they have shows that both tell the same moments.
  if (a.kind === "timestamp" && b.kind === "timestamp") return a.precision === b.precision;
  if (a.kind === "time") return b.kind === a.kind && a.zoned === b.zoned && a.precision === b.precision;
  if (a.kind === "decimal" && b.kind === "decimal")
    return (a.scale ?? 0) === (b.scale ?? 0) && (a.precision === undefined) === (b.precision === undefined);
  if (isWhole(a) && isWhole(b)) return true;
  // A label is a text, and of a UUID's spellings one alone is looked for.
  if (form.kind === "text" || form.kind === "uuid") return a.kind !== "boolean";
  return a.kind === b.kind && a.kind !== "float";
}

function isLookedUp(type: LogicalType): boolean {
  if (type.kind === "bytes") return type.shape === undefined;
  return typeFault(type) === undefined;
}

/** Of a decimal without a precision each value has a scale of its own. */
function isWhole(type: LogicalType): boolean {
  if (type.kind === "decimal") return type.precision !== undefined && (type.scale ?? 0) === 0;
  return type.kind === "int";
}
