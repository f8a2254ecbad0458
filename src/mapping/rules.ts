import type { FilterCondition, Mask, ParallelLoad } from "../core/plan.ts";
import type { LogicalType, TableId } from "../core/schema.ts";
import type { NamePattern } from "./wildcard.ts";

/** A checked table mappings document. Every list is in the order of the rules' ids. */
export interface TableMappings {
  readonly selections: readonly SelectionRule[];
  readonly schemaRules: readonly SchemaRule[];
  readonly tableRules: readonly TableRule[];
  readonly columnRules: readonly ColumnRule[];
  readonly addedColumns: readonly AddColumnRule[];
  readonly beforeImages: readonly BeforeImageRule[];
  readonly keyRules: readonly KeyRule[];
  readonly tableSettings: readonly TableSettingsRule[];
}

export interface SelectionRule extends TableRuleBase {
  /** "explicit" names exactly one table, without wildcards. */
  readonly action: "include" | "exclude" | "explicit";
  /** The pattern for tables stands for no run of characters. */
  readonly namesTable: boolean;
  /** Which kinds of relations are meant. */
  readonly tableType: "table" | "view" | "all";
  /** Higher starts first in full load; undefined when the rule does not say. */
  readonly loadOrder: number | undefined;
  /** Rows that all of these hold for are taken; every row when there is none. */
  readonly filters: readonly SourceFilter[];
}

/** Holds for rows whose column satisfies one of the conditions; their values are as the document writes them. */
export interface SourceFilter {
  readonly column: string;
  readonly conditions: readonly FilterCondition[];
}

/** Renames schemas. The pattern is for the source's name. */
export interface SchemaRule {
  readonly id: number;
  readonly schema: NamePattern;
  readonly change: NameChange;
}

/** What a rule about tables matches; the patterns are for the source's names. */
export interface TableRuleBase {
  readonly id: number;
  readonly schema: NamePattern;
  readonly table: NamePattern;
}

/** Whether a rule is about a table, by the source's names. */
export function matchesTable(rule: TableRuleBase, { schema, name }: TableId): boolean {
  return rule.schema.matches(schema) && rule.table.matches(name);
}

/** Renames tables. */
export interface TableRule extends TableRuleBase {
  readonly change: NameChange;
}

/** Acts on columns of the source that its patterns take. */
export interface ColumnRule extends TableRuleBase {
  readonly column: NamePattern;
  /** DMS's name of the source column's type (document/data-types.ts); undefined for any. */
  readonly dataType: string | undefined;
  readonly action: ColumnAction;
}

export type ColumnAction =
  | { readonly kind: "name"; readonly change: NameChange }
  /** The column stays behind; or it comes, and with it only those of its table of which a rule says the same. */
  | { readonly kind: "remove" | "include" }
  | { readonly kind: "type"; readonly type: LogicalType }
  | { readonly kind: "mask"; readonly mask: Mask };

export interface AddColumnRule extends TableRuleBase {
  /** Its name on the target. */
  readonly name: string;
  readonly type: LogicalType;
  /** As the document writes it; undefined for a column that no row has a value in. */
  readonly expression: string | undefined;
}

/** Adds columns with the values that others had before an update. */
export interface BeforeImageRule extends TableRuleBase {
  readonly prefix: string;
  readonly suffix: string;
  /** Of which columns: those of the primary key, all but large objects, or all. */
  readonly columns: "pk-only" | "non-lob" | "all";
}

export interface KeyRule extends TableRuleBase {
  /** Of the constraint or index; undefined when the rule gives none. */
  readonly name: string | undefined;
  /** Names of the source's columns. */
  readonly columns: readonly string[];
  readonly origin: "primary-key" | "unique-index";
}

/** Kilobytes that large objects can be limited to at the most, as on DMS. */
export const LARGEST_LOB = 102_400;

/** How much of a large object comes, as DMS counts them (document/data-types.ts). */
export type LobSize = "whole" | { readonly maxKilobytes: number };

/** About one table, named exactly. */
export interface TableSettingsRule extends TableRuleBase {
  readonly parallelLoad: ParallelLoad | undefined;
  /** null: what the task's settings say, which rules with greater ids do not undo; undefined: nothing is said. */
  readonly lobs: LobSize | null | undefined;
}

export type NameChange =
  | { readonly action: "convert-lowercase" | "convert-uppercase" }
  | { readonly action: "rename"; readonly value: string }
  | {
      readonly action: "add-prefix" | "remove-prefix" | "add-suffix" | "remove-suffix";
      readonly value: string;
    }
  | {
      readonly action: "replace-prefix" | "replace-suffix";
      readonly oldValue: string;
      readonly value: string;
    };

/** The name that a rule gives. A prefix or suffix that the name does not have leaves it as it is. */
export function changeName(name: string, change: NameChange): string {
  switch (change.action) {
    case "rename":
      return change.value;
    case "convert-lowercase":
      return name.toLowerCase();
    case "convert-uppercase":
      return name.toUpperCase();
    case "add-prefix":
      return change.value + name;
    case "add-suffix":
      return name + change.value;
    case "remove-prefix":
      return replaceStart(name, change.value, "");
    case "remove-suffix":
      return replaceEnd(name, change.value, "");
    case "replace-prefix":
      return replaceStart(name, change.oldValue, change.value);
    case "replace-suffix":
      return replaceEnd(name, change.oldValue, change.value);
  }
}

function replaceStart(name: string, start: string, by: string): string {
  return name.startsWith(start) ? by + name.slice(start.length) : name;
}

function replaceEnd(name: string, end: string, by: string): string {
  return name.endsWith(end) ? name.slice(0, name.length - end.length) + by : name;
}
