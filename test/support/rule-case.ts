import { BEFORE_IMAGE, INDICATOR, variableNames } from "../../src/mapping/columns/expression-reader.ts";
import { dataTypeNames } from "../../src/mapping/document/data-types.ts";
import {
  beforeImageFilters,
  columnActions,
  columnMakers,
  filterOperators,
  keyOrigins,
  lobModes,
  nameActions,
  parallelLoadTypes,
  selectionActions,
  tableTypes,
} from "../../src/mapping/document/vocabulary.ts";
import { functionNames } from "../../src/mapping/rows/sqlite.ts";
import type { Kind } from "./mapped-move.ts";

/** A rule without its number and name; a schema's name in it is left out where it is the case's own. */
export interface CaseRule {
  readonly "rule-type": "selection" | "transformation" | "table-settings";
  readonly "rule-action"?: string;
  readonly "object-locator"?: object;
  readonly filters?: readonly CaseFilter[];
  readonly [member: string]: unknown;
}

interface CaseFilter {
  readonly "column-name": string;
  readonly "filter-conditions": readonly { readonly "filter-operator": string }[];
}

export type Rows = readonly (readonly (string | null)[])[];

export type ByKind<Value> = Value | Readonly<Record<Kind, Value>>;

/**
 * What a few rules make of the rows of one schema, in a full load and by changes. In its texts `{n}` is the case's number,
 * `{schema}` the source's schema; names in double quotes become such of each database. Without any of its rules a case
 * fails.
 */
export interface RuleCase {
  readonly rules: readonly CaseRule[];
  /** Others that are there for the case to say something, and could be missed. */
  readonly beside?: readonly CaseRule[];
  readonly made: ByKind<string>;
  /** Left out: the rules are for full loads alone, and there are no rows after changes. */
  readonly changed?: string;
  /** Left out: from sources of each kind. */
  readonly from?: Kind;
  /** Asked of the target. */
  readonly query: ByKind<string>;
  readonly loaded: ByKind<Rows>;
  readonly after: ByKind<Rows>;
}

/** The kind's own where the kinds differ. */
export function ofKind<Value extends string | readonly unknown[]>(value: ByKind<Value>, kind: Kind): Value {
  const isByKind = typeof value === "object" && !Array.isArray(value);
  return isByKind ? (value as Readonly<Record<Kind, Value>>)[kind] : (value as Value);
}

export function about(
  target: "schema" | "table" | "column",
  action: string,
  locator: object = {},
  more: object = {},
): CaseRule {
  return {
    ...{ "rule-type": "transformation", "rule-target": target, "rule-action": action },
    ...{ "object-locator": locator, ...more },
  };
}

/** All words that documents choose among, each behind the member that it stands in. */
export const vocabulary: ReadonlySet<string> = new Set(
  [
    selectionActions.map((word) => `selection ${word}`),
    tableTypes.map((word) => `table-type ${word}`),
    filterOperators.map((word) => `filter-operator ${word}`),
    ...["schema", "table", "column"].map((target) => nameActions.map((word) => `${target} ${word}`)),
    [...columnActions, ...columnMakers].map((word) => `column ${word}`),
    beforeImageFilters.map((word) => `column-filter ${word}`),
    ["table define-primary-key"],
    keyOrigins.map((word) => `origin ${word}`),
    parallelLoadTypes.map((word) => `parallel-load ${word}`),
    lobModes.map((word) => `lob-settings ${word}`),
    dataTypeNames.map((word) => `data-type ${word}`),
    [...variableNames, BEFORE_IMAGE].map((word) => `expression $${word}`),
    [...functionNames, INDICATOR].map((word) => `expression ${word}`),
  ].flat(),
);

/** Those that a rule has in it. */
export function wordsOf(rule: CaseRule): readonly string[] {
  const type = rule["rule-type"];
  const at = (member: string, name: string): readonly string[] => {
    const word = (rule[member] as Readonly<Record<string, unknown>> | undefined)?.[name];
    return typeof word === "string" ? [`${name === "type" || name === "mode" ? member : name} ${word}`] : [];
  };
  const action = rule["rule-action"];
  return [
    ...(action === undefined ? [] : [`${type === "selection" ? type : rule["rule-target"]} ${action}`]),
    ...(rule.filters ?? []).flatMap((filter) =>
      filter["filter-conditions"].map((condition) => `filter-operator ${condition["filter-operator"]}`),
    ),
    ...at("object-locator", "table-type"),
    ...at("before-image-def", "column-filter"),
    ...at("primary-key-def", "origin"),
    ...at("parallel-load", "type"),
    ...at("lob-settings", "mode"),
    ...at("data-type", "type"),
    ...expressionWords(rule.expression),
  ];
}

function expressionWords(expression: unknown): readonly string[] {
  const words = String(expression ?? "").match(/\$?\w+/g) ?? [];
  return words.map((word) => `expression ${word.startsWith(`$${BEFORE_IMAGE}`) ? `$${BEFORE_IMAGE}` : word}`);
}
