import type { Index, TableSchema } from "../../core/schema.ts";
import type { KeyRule } from "../rules.ts";
import type { ColumnChoice } from "./column-choice.ts";
import { type ColumnFindings, listed } from "./column-findings.ts";
import type { PlannedColumn } from "./map-columns.ts";
import { isTelling } from "./map-parts.ts";
import type { NativeColumns } from "./native-columns.ts";

export interface MapKey {
  readonly reads: TableSchema;
  readonly choices: readonly ColumnChoice[];
  readonly columns: readonly PlannedColumn[];
  readonly rules: readonly KeyRule[];
  readonly texts: NativeColumns;
  readonly replicates: boolean;
  readonly findings: ColumnFindings;
}

export interface MappedKey {
  readonly identity: Pick<TableSchema, "key" | "rowIdentity">;
  readonly isInKey: (ordinal: number) => boolean;
  /** The target's indexes with those that rules define, a primary key in the place of the source's. */
  readonly withKeys: (indexes: readonly Index[]) => readonly Index[];
}

/** By which columns rows are found on the target, and what key it has. */
export function mapKey(request: MapKey): MappedKey {
  const { reads, columns, rules, findings, replicates } = request;
  const identity = identityOf(request);
  const isLost = reads.rowIdentity === "key" && identity.rowIdentity === "none";
  if (isLost && replicates) {
    const names = listed(reads.key.map((ordinal) => reads.columns[ordinal]!.name));
    const message = `Changes of the table's rows come with the columns ${names}, of which rules leave some behind or mask them.`;
    findings.add("mapping.key_lost", "error", message);
  }
  const defined = rules.flatMap((rule) => {
    const index = definedKey(rule, request);
    return index === undefined ? [] : [{ rule, index }];
  });
  const primary = defined.find(({ rule }) => rule.origin === "primary-key")?.rule;
  const ordinals = primary?.columns.map((name) => columns.findIndex(({ source }) => source.name === name));
  // Rows that are sent whole can be found by any key.
  const key = identity.rowIdentity === "full" ? (ordinals ?? identity.key) : identity.key;
  return {
    identity: { ...identity, key },
    isInKey: (ordinal) => ordinals?.includes(ordinal) === true,
    withKeys: (indexes) => [
      ...defined.map(({ index }) => index),
      ...indexes.filter(({ constraint }) => primary === undefined || constraint !== "primary-key"),
    ],
  };
}

/** A row that is sent whole is found by what of it comes; a key needs all of its columns. */
function identityOf({ reads, choices, columns }: MapKey): MappedKey["identity"] {
  const places = reads.key.map((ordinal) => {
    const { column } = choices[ordinal]!;
    return isTelling(choices[ordinal]!) ? columns.findIndex(({ source }) => source.name === column.name) : -1;
  });
  const isWhole = places.every((place) => place >= 0);
  if (isWhole) return { key: places, rowIdentity: reads.rowIdentity };
  return { key: [], rowIdentity: reads.rowIdentity === "full" ? "full" : "none" };
}

function definedKey(rule: KeyRule, { choices, texts, findings, reads }: MapKey): Index | undefined {
  const names = rule.columns.map((name) => {
    const choice = choices.find(({ column }) => column.name === name);
    if (choice === undefined) {
      const message = `Rule ${rule.id} makes a key of the column ${name}, which the table has not.`;
      findings.add("mapping.column_unknown", "error", message);
    } else if (!isTelling(choice)) {
      findings.impossible(rule.id, `the column ${name} of the key stays behind or is masked`);
    } else return choice.name;
    return undefined;
  });
  if (names.includes(undefined)) return undefined;
  const columns = names as readonly string[];
  const list = `(${columns.map((name) => texts.quote(name)).join(", ")})`;
  const isPrimary = rule.origin === "primary-key";
  return {
    name: rule.name ?? `${reads.id.name}_${isPrimary ? "pkey" : columns.join("_")}`,
    unique: true,
    constraint: isPrimary ? "primary-key" : "unique",
    columns,
    native: `${isPrimary ? "PRIMARY KEY" : "UNIQUE"} ${list}`,
  };
}
