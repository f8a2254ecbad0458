import type { Finding } from "../core/finding.ts";
import type { TablePlan } from "../core/plan.ts";
import { type Index, type Sequence, type TableId, tableKey, type UserType } from "../core/schema.ts";
import { LONGEST_NAME_BYTES, nameFault } from "./name-fault.ts";
import { badSchemaName, badTableName, clash, renamed } from "./plan-findings.ts";

interface NamedSchema {
  readonly source: string;
  readonly name: string;
  readonly comment?: string;
}

interface Renamed<Item> {
  readonly source: Item;
  readonly target: Item;
}

export interface NamedObjects {
  readonly schemas: readonly NamedSchema[];
  readonly tables: readonly TablePlan[];
  readonly sequences: readonly Renamed<Sequence>[];
  readonly types: readonly Renamed<UserType>[];
  /** See Catalog: where names of indexes are their tables' own, the target's dialect says which they can have. */
  readonly indexNamesOfTables: boolean;
  /** The ids of the rules by which a table gets its name. */
  readonly rulesOf: (source: TableId) => readonly number[];
}

export interface CheckedNames {
  readonly schemas: readonly { readonly name: string; readonly comment?: string }[];
  readonly tables: readonly TablePlan[];
  readonly sequences: readonly Renamed<Sequence>[];
  readonly types: readonly Renamed<UserType>[];
  readonly findings: readonly Finding[];
}

/**
 * Checks that every object can have its target name, and settles what can be settled: schemas that
 * come together are one, equal types that come together are one, and an index or a column's sequence
 * whose name is taken gets another. A sequence of its own is known by its name and keeps it.
 */
export function checkNames(objects: NamedObjects): CheckedNames {
  const findings: Finding[] = [];
  const schemas = mergeSchemas(objects.schemas, findings);
  for (const { source, target } of objects.tables) {
    const fault = target.id.name === source.id.name ? undefined : nameFault(target.id.name);
    if (fault !== undefined) findings.push(badTableName(source.id, target.id.name, fault));
  }
  // Tables, indexes and sequences share one name space in each schema, types and tables another.
  const relations = new Map<string, TableId>();
  claim(
    "table",
    objects.tables.map(({ source, target }) => ({ source, target })),
    { taken: relations, findings, rulesOf: objects.rulesOf },
  );
  const types = mergeTypes(objects.types, { taken: new Map(relations), findings });
  const sequences = settleSequences(objects.sequences, { taken: relations, findings });
  const tables = objects.indexNamesOfTables
    ? objects.tables
    : settleIndexes(objects.tables, { taken: relations, findings });
  return { schemas, tables, sequences, types, findings };
}

interface Claims {
  /** Who has a name, by key of the name on the target. */
  readonly taken: Map<string, TableId>;
  readonly findings: Finding[];
  /** By which rules something gets its name; none when left out. */
  readonly rulesOf?: NamedObjects["rulesOf"];
}

function mergeSchemas(
  schemas: readonly NamedSchema[],
  findings: Finding[],
): readonly { readonly name: string; readonly comment?: string }[] {
  const byName = new Map<string, { readonly name: string; readonly comment?: string }>();
  for (const { source, ...schema } of schemas) {
    const fault = schema.name === source ? undefined : nameFault(schema.name);
    if (fault !== undefined) findings.push(badSchemaName(source, schema.name, fault));
    if (!byName.has(schema.name)) byName.set(schema.name, schema);
  }
  return [...byName.values()];
}

function claim(
  kind: string,
  objects: readonly Renamed<{ readonly id: TableId }>[],
  { taken, findings, rulesOf }: Claims,
): void {
  for (const { source, target } of objects) {
    const key = tableKey(target.id);
    const owner = taken.get(key);
    if (owner === undefined) taken.set(key, source.id);
    else {
      const rules = [owner, source.id].flatMap((id) => rulesOf?.(id) ?? []);
      findings.push(clash(kind, { sources: [owner, source.id], rules }, target.id));
    }
  }
}

function mergeTypes(types: readonly Renamed<UserType>[], claims: Claims): readonly Renamed<UserType>[] {
  const kept = new Map<string, Renamed<UserType>>();
  for (const type of types) {
    const key = tableKey(type.target.id);
    const other = kept.get(key);
    if (other !== undefined && sameType(other.target, type.target)) continue;
    claim("type", [type], claims);
    if (other === undefined) kept.set(key, type);
  }
  return [...kept.values()];
}

function sameType(a: UserType, b: UserType): boolean {
  return a.kind === b.kind && a.native === b.native && JSON.stringify(a.labels) === JSON.stringify(b.labels);
}

/** Sequences of their own first: only they have nothing but their name. */
function settleSequences(
  sequences: readonly Renamed<Sequence>[],
  claims: Claims,
): readonly Renamed<Sequence>[] {
  const own = sequences.filter(({ target }) => target.ownedBy === undefined);
  claim("sequence", own, claims);
  return sequences.map((sequence) => {
    const { source, target } = sequence;
    if (source.ownedBy === undefined || target.ownedBy === undefined) return sequence;
    const key = tableKey(target.id);
    if (!claims.taken.has(key)) {
      claims.taken.set(key, source.id);
      return sequence;
    }
    const id = freeName({ source: source.id, target: target.id }, claims);
    claims.findings.push(renamed("sequence", source.ownedBy.table, [target.id.name, id.name]));
    return { source, target: { ...target, id } };
  });
}

/** First those that can keep their names, so that a new name never takes an old one away. */
function settleIndexes(tables: readonly TablePlan[], claims: Claims): readonly TablePlan[] {
  const homeless = new Set<Index>();
  for (const { source, target } of tables) {
    for (const index of target.indexes) {
      const key = tableKey({ schema: target.id.schema, name: index.name });
      if (claims.taken.has(key)) homeless.add(index);
      else claims.taken.set(key, source.id);
    }
  }
  if (homeless.size === 0) return tables;
  return tables.map((plan) => {
    const indexes = plan.target.indexes.map((index) =>
      homeless.has(index) ? renameIndex(plan, index, claims) : index,
    );
    return { ...plan, target: { ...plan.target, indexes } };
  });
}

function renameIndex({ source, target }: TablePlan, index: Index, claims: Claims): Index {
  const wanted = { schema: target.id.schema, name: index.name };
  const { name } = freeName({ source: source.id, target: wanted }, claims);
  claims.findings.push(renamed("index", source.id, [index.name, name]));
  return { ...index, name };
}

/** The wanted name with the source's schema behind it, which also says where the object came from. */
function freeName({ source, target }: Renamed<TableId>, { taken }: Claims): TableId {
  for (let count = 1; ; count++) {
    const end = `_${shorten(source.schema, 24)}${count === 1 ? "" : `_${count}`}`;
    const name = shorten(target.name, LONGEST_NAME_BYTES - Buffer.byteLength(end)) + end;
    const id = { schema: target.schema, name };
    if (taken.has(tableKey(id))) continue;
    taken.set(tableKey(id), source);
    return id;
  }
}

/** Whole characters only. */
function shorten(name: string, bytes: number): string {
  const characters = Array.from(name);
  while (Buffer.byteLength(characters.join("")) > bytes) characters.pop();
  return characters.join("");
}
