import type { NameMatcher } from "./wildcard.ts";

/** A checked table mappings document: what this version of Tideway knows of DMS's language. */
export interface TableMappings {
  /** In the order of their ids, as are the others. */
  readonly selections: readonly SelectionRule[];
  readonly schemaRules: readonly SchemaRule[];
  readonly tableRules: readonly TableRule[];
}

export interface SelectionRule {
  readonly id: number;
  /** "explicit" names exactly one table, without wildcards. */
  readonly action: "include" | "exclude" | "explicit";
  readonly schema: NameMatcher;
  readonly table: NameMatcher;
  /** The pattern for tables is `%` alone. */
  readonly everyTable: boolean;
  /** Higher starts first in full load; undefined when the rule does not say. */
  readonly loadOrder: number | undefined;
}

/** Renames schemas. The matcher sees the source's name. */
export interface SchemaRule {
  readonly id: number;
  readonly schema: NameMatcher;
  readonly change: NameChange;
}

/** Renames tables. The matchers see the source's names. */
export interface TableRule {
  readonly id: number;
  readonly schema: NameMatcher;
  readonly table: NameMatcher;
  readonly change: NameChange;
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
