import {
  type Catalog,
  type Column,
  displayTable,
  type ForeignKey,
  type LogicalType,
  type Sequence,
  type TableId,
  type TableSchema,
  type UserType,
} from "../../src/core/schema.ts";
import type { LobSettings } from "../../src/mapping/columns/lob-cuts.ts";
import { readDocument } from "../../src/mapping/document/read-document.ts";
import { type CompiledPlan, compilePlan } from "../../src/mapping/plan.ts";

/** "schema.table", split at the first dot. */
export function id(text: string): TableId {
  const dot = text.indexOf(".");
  return { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

export function table(name: string, more: Partial<TableSchema> = {}): TableSchema {
  return {
    id: id(name),
    columns: [
      {
        name: "id",
        nativeType: "bigint",
        type: { kind: "int", bits: 64, unsigned: false },
        nullable: false,
        default: "nextval('ids'::regclass)",
      },
    ],
    key: [0],
    rowIdentity: "key",
    indexes: [],
    checks: [],
    foreignKeys: [],
    estimatedRows: 10,
    estimatedBytes: 100,
    ...more,
  };
}

export function column(name: string, type: LogicalType, more: Partial<Column> = {}): Column {
  return { name, nativeType: type.kind, type, nullable: true, ...more };
}

/** A transformation rule about columns of every table. */
export function columnRule(id: number, action: string, name: string, more: object = {}): object {
  return {
    ...{ "rule-type": "transformation", "rule-id": id, "rule-target": "column", "rule-action": action },
    "object-locator": { "schema-name": "%", "table-name": "%", "column-name": name },
    ...more,
  };
}

export function index(name: string): TableSchema["indexes"][number] {
  return { name, unique: false, constraint: undefined, columns: ["id"], native: "using btree (id)" };
}

export function foreignKey(name: string, references: string): ForeignKey {
  return {
    name,
    columns: ["id"],
    references: id(references),
    referencedColumns: ["id"],
    native: "",
    validated: true,
  };
}

export function enumType(name: string, ...labels: readonly string[]): UserType {
  return { id: id(name), kind: "enum", labels, native: "" };
}

export function sequence(name: string, more: Partial<Sequence> = {}): Sequence {
  return { id: id(name), native: "as bigint", ownedBy: undefined, internal: false, ...more };
}

export function catalog(parts: Partial<Catalog>): Catalog {
  const objects = [...(parts.tables ?? []), ...(parts.types ?? []), ...(parts.sequences ?? [])];
  const schemas = [...new Set(objects.map((object) => object.id.schema))].map((name) => ({ name }));
  return {
    dialect: "postgres",
    serverVersion: "18",
    schemas,
    types: [],
    sequences: [],
    tables: [],
    objects: [],
    rights: [],
    ...parts,
  };
}

export type Rule = readonly [
  target: "schema" | "table",
  action: string,
  locator: string,
  value?: string,
  old?: string,
];

export interface Situation {
  readonly catalog: Catalog;
  readonly rules?: readonly Rule[];
  readonly targetSchema?: string;
  readonly selections?: readonly object[];
  /** Rules as a document has them. */
  readonly others?: readonly object[];
  readonly replicates?: boolean;
  readonly lobSettings?: LobSettings;
}

/** Selects every table. */
export const all = {
  "rule-type": "selection",
  "rule-id": 1000,
  "rule-action": "include",
  "object-locator": { "schema-name": "%", "table-name": "%" },
};

/** Rules have the ids 1, 2 ... in their order. */
export function compile(situation: Situation): CompiledPlan {
  const {
    catalog,
    rules = [],
    targetSchema,
    selections = [all],
    others = [],
    replicates,
    lobSettings,
  } = situation;
  const transformations = rules.map(([target, action, locator, value, old], place) => {
    const { schema, name } = id(locator.includes(".") ? locator : `${locator}.%`);
    const names = { "schema-name": schema, ...(target === "table" ? { "table-name": name } : {}) };
    return {
      "rule-type": "transformation",
      "rule-id": place + 1,
      "rule-target": target,
      "rule-action": action,
      "object-locator": names,
      value,
      "old-value": old,
    };
  });
  const mappings = readDocument(JSON.stringify({ rules: [...selections, ...transformations, ...others] }));
  return compilePlan({
    ...{ catalog, mappings, targetSchema },
    replicates: replicates === true,
    ...(lobSettings === undefined ? {} : { lobSettings }),
  });
}

export function moves(compiled: CompiledPlan): readonly string[] {
  return compiled.plan.tables
    .map(({ source, target }) => `${displayTable(source.id)} -> ${displayTable(target.id)}`)
    .toSorted();
}
