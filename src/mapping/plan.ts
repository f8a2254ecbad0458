import type { Finding } from "../core/finding.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import {
  type Catalog,
  type SchemaObject,
  type Sequence,
  type TableId,
  type TableSchema,
  tableKey,
} from "../core/schema.ts";
import { type CheckedNames, checkNames } from "./name-check.ts";
import { NativeReferences } from "./native-references.ts";
import { leftOut } from "./plan-findings.ts";
import { planObjects } from "./plan-objects.ts";
import { planRights } from "./plan-rights.ts";
import type { TableMappings } from "./rules.ts";
import { loadOrderOf, selectTables } from "./selection.ts";
import { TargetNames } from "./target-names.ts";

export interface PlanRequest {
  /** The source's catalog; tables that the rules do not select are left out. */
  readonly catalog: Catalog;
  readonly mappings: TableMappings;
  /** DMS's TargetSchema: the schema of everything that no schema rule renames; undefined or "" for none. */
  readonly targetSchema: string | undefined;
}

export interface CompiledPlan {
  readonly plan: MigrationPlan;
  /**
   * Errors with a table (`mapping.table_name_invalid`) are that table's alone; with any other error
   * (`mapping.target_clash`, `mapping.schema_name_invalid`) the plan must not be carried out.
   */
  readonly findings: readonly Finding[];
}

/** Applies the table mappings to a catalog: which tables go where, under which names, in which order. */
export function compilePlan(request: PlanRequest): CompiledPlan {
  const { catalog, mappings } = request;
  const ids = catalog.tables.map(({ id }) => id);
  const context: PlanContext = {
    names: new TargetNames(mappings, request.targetSchema),
    selected: new Set(selectTables(ids, mappings).map(tableKey)),
    partitioned: new Set(
      catalog.objects.filter(({ kind }) => kind === "partitioned table").map(({ id }) => tableKey(id)),
    ),
    findings: [],
  };
  const allTypes = catalog.types.map((source) => {
    return { source, target: { ...source, id: context.names.withinSchema(source.id) } };
  });
  const checked = checkNames({
    schemas: planSchemas(catalog, context),
    tables: planTables(request, context),
    sequences: planSequences(catalog, context),
    types: allTypes,
    indexNamesOfTables: catalog.indexNamesOfTables === true,
  });
  const { tables, types } = rewriteTexts(checked, allTypes, namedInTexts(catalog, context));
  const planned = planObjects({
    objects: catalog.objects,
    names: context.names,
    tables,
    types: allTypes,
    sequences: checked.sequences,
  });
  const rights = planRights(catalog, { names: context.names, placed: planned.placed });
  const plan: MigrationPlan = {
    tables: tables.toSorted(inLoadOrder),
    sequences: checked.sequences,
    target: {
      dialect: catalog.dialect,
      ...(catalog.indexNamesOfTables === true ? { indexNamesOfTables: true } : {}),
      serverVersion: catalog.serverVersion,
      schemas: withExtensions(checked.schemas, planned.objects),
      types: types.map(({ target }) => target),
      sequences: checked.sequences.map(({ target }) => target),
      tables: tables.map(({ target }) => target),
      objects: planned.objects,
      rights: rights.rights,
    },
  };
  const findings = [context, checked, planned, rights].flatMap((part) => part.findings);
  return { plan, findings };
}

/** Extensions keep the schema that they are in, also where it comes to the target under another name. */
function withExtensions(schemas: Catalog["schemas"], objects: readonly SchemaObject[]): Catalog["schemas"] {
  const names = new Set(schemas.map(({ name }) => name));
  const places = new Set(objects.filter(({ kind }) => kind === "extension").map(({ id }) => id.schema));
  return [...schemas, ...[...places].filter((place) => !names.has(place)).map((name) => ({ name }))];
}

interface PlanContext {
  readonly names: TargetNames;
  /** Keys of the selected tables, by source id. */
  readonly selected: ReadonlySet<string>;
  /** Keys of the partitioned tables above them. */
  readonly partitioned: ReadonlySet<string>;
  readonly findings: Finding[];
}

function planTables({ catalog, mappings }: PlanRequest, context: PlanContext): readonly TablePlan[] {
  return catalog.tables
    .filter((table) => context.selected.has(tableKey(table.id)))
    .map((source) => {
      return { source, target: targetTable(source, context), loadOrder: loadOrderOf(source.id, mappings) };
    });
}

function targetTable(source: TableSchema, context: PlanContext): TableSchema {
  const foreignKeys = source.foreignKeys.flatMap((foreignKey) => {
    if (context.selected.has(tableKey(foreignKey.references))) {
      return { ...foreignKey, references: context.names.table(foreignKey.references) };
    }
    // One to a partitioned table is an object of its own, made when that has its key.
    if (!context.partitioned.has(tableKey(foreignKey.references))) {
      context.findings.push(leftOut(source.id, foreignKey));
    }
    return [];
  });
  return { ...source, id: context.names.table(source.id), foreignKeys };
}

/** A sequence whose table stays behind goes on without an owner; an identity's has no life without its table. */
function planSequences(
  catalog: Catalog,
  { names, selected, partitioned }: PlanContext,
): readonly { readonly source: Sequence; readonly target: Sequence }[] {
  return catalog.sequences.flatMap((source) => {
    const { ownedBy } = source;
    const key = ownedBy === undefined ? "" : tableKey(ownedBy.table);
    const owned = ownedBy !== undefined && (selected.has(key) || partitioned.has(key));
    if (source.internal && !owned) return [];
    const owner = owned ? { table: names.table(ownedBy.table), column: ownedBy.column } : undefined;
    return { source, target: { ...source, id: names.withinSchema(source.id), ownedBy: owner } };
  });
}

function planSchemas(
  catalog: Catalog,
  { names }: PlanContext,
): readonly { readonly source: string; readonly name: string; readonly comment?: string }[] {
  return catalog.schemas.map((schema) => ({
    ...schema,
    source: schema.name,
    name: names.schema(schema.name),
  }));
}

/** Native texts follow last, when all names are settled. They may name types that are now one with others. */
function rewriteTexts(
  checked: CheckedNames,
  allTypes: CheckedNames["types"],
  others: readonly RenamedId[],
): Pick<CheckedNames, "tables" | "types"> {
  const objects = [...allTypes, ...checked.sequences];
  const references = new NativeReferences([
    ...objects.map(({ source, target }) => ({ source: source.id, target: target.id })),
    ...others,
  ]);
  return {
    tables: checked.tables.map((plan) => {
      return { ...plan, target: references.rewriteTable(plan.target, plan.source.id.schema) };
    }),
    types: checked.types.map(({ source, target }) => {
      return { source, target: references.rewriteType(target, source.id.schema) };
    }),
  };
}

interface RenamedId {
  readonly source: TableId;
  readonly target: TableId;
}

/** Functions and collations that defaults, checks and types name; a function without its arguments. */
function namedInTexts({ objects }: Catalog, { names }: PlanContext): readonly RenamedId[] {
  return objects.flatMap(({ kind, id }) => {
    const isRoutine = kind === "function" || kind === "aggregate";
    if (!isRoutine && kind !== "collation") return [];
    const name = isRoutine ? id.name.slice(0, id.name.lastIndexOf("(")) : id.name;
    const source = { schema: id.schema, name };
    return { source, target: names.withinSchema(source) };
  });
}

/** Large tables first, so that none is left running alone at the end; names make the order certain. */
function inLoadOrder(a: TablePlan, b: TablePlan): number {
  return (
    b.loadOrder - a.loadOrder ||
    b.source.estimatedBytes - a.source.estimatedBytes ||
    compareTexts(tableKey(a.source.id), tableKey(b.source.id))
  );
}

/** By code units: the same order in every locale. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
