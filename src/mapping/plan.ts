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
import { type LobSettings, lobLimit } from "./columns/lob-cuts.ts";
import { mapReference } from "./columns/map-reference.ts";
import { type MappedTable, mapTable } from "./columns/map-table.ts";
import { NativeColumns } from "./columns/native-columns.ts";
import { NO_RULES, rulesOfTable } from "./columns/table-rules.ts";
import { isLargeObject } from "./document/data-types.ts";
import { type CheckedNames, checkNames } from "./name-check.ts";
import { NativeReferences } from "./native-references.ts";
import { planLoad } from "./parallel-load.ts";
import { leftOut, maySplit, referenceLost } from "./plan-findings.ts";
import { type ObjectsRequest, planObjects } from "./plan-objects.ts";
import { planRights } from "./plan-rights.ts";
import { withRuleDigests } from "./rows/rule-digests.ts";
import type { TableMappings } from "./rules.ts";
import { loadOrderOf, relationOf, selectTables } from "./selection.ts";
import { TargetNames } from "./target-names.ts";
import { unmatchedRules } from "./unmatched-rules.ts";

export interface PlanRequest {
  /** The source's catalog; tables that the rules do not select are left out. */
  readonly catalog: Catalog;
  readonly mappings: TableMappings;
  /** DMS's TargetSchema: the schema of everything that no schema rule renames; undefined or "" for none. */
  readonly targetSchema: string | undefined;
  /** Changes are going to be applied: what rules need and changes do not tell is found. False when left out. */
  readonly replicates?: boolean;
  /** What becomes of large objects that no rule speaks of. Left out: they come whole. */
  readonly lobSettings?: LobSettings;
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
  const selected = new Set(
    catalog.tables
      .filter((table) => selectTables([table.id], mappings, relationOf(table)).length > 0)
      .map(({ id }) => tableKey(id)),
  );
  const texts = new NativeColumns(catalog.quotesWithBackticks === true);
  const mapped = mappedTables(request, { selected, texts });
  const context: PlanContext = {
    names: new TargetNames(mappings, request.targetSchema),
    ...{ selected, mapped, texts, replicates: request.replicates === true },
    partitioned: new Set(
      catalog.objects.filter(({ kind }) => kind === "partitioned table").map(({ id }) => tableKey(id)),
    ),
    findings: [
      ...unmatchedRules(mappings, {
        schemas: catalog.schemas,
        tables: catalog.tables.filter(({ id }) => selected.has(tableKey(id))),
      }),
      ...[...mapped.values()].flatMap(({ findings }) => findings.all),
    ],
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
    rulesOf: (id) => context.names.rulesOf(id),
  });
  const { tables, types } = rewriteTexts(checked, allTypes, namedInTexts(catalog, context));
  const planned = planObjects({
    objects: catalog.objects,
    names: context.names,
    tables,
    types: allTypes,
    sequences: checked.sequences,
    changed: changedColumns(context),
  });
  const columns = (id: TableId): ReadonlyMap<string, string> | undefined => mapped.get(tableKey(id))?.names;
  const rights = planRights(catalog, { names: context.names, placed: planned.placed, columns });
  const plan: MigrationPlan = {
    tables: withRuleDigests(tables).toSorted(inLoadOrder),
    sequences: checked.sequences,
    target: {
      dialect: catalog.dialect,
      ...(catalog.indexNamesOfTables === true ? { indexNamesOfTables: true } : {}),
      ...(catalog.quotesWithBackticks === true ? { quotesWithBackticks: true } : {}),
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

/** Whether texts of the source speak of columns that the target has not; parts of a table have the columns of the whole. */
function changedColumns({ mapped, texts }: PlanContext): ObjectsRequest["changed"] {
  return (id, { kind, native }) => {
    const table = mapped.get(tableKey(id));
    if (table === undefined) return false;
    if (kind === "partition" || kind === "inheritance") return table.isReshaped;
    return native.some((text) => texts.speaksOf(text, table.gone));
  };
}

/** Extensions keep the schema that they are in, also where it comes to the target under another name. */
function withExtensions(schemas: Catalog["schemas"], objects: readonly SchemaObject[]): Catalog["schemas"] {
  const names = new Set(schemas.map(({ name }) => name));
  const places = new Set(objects.filter(({ kind }) => kind === "extension").map(({ id }) => id.schema));
  return [...schemas, ...[...places].filter((place) => !names.has(place)).map((name) => ({ name }))];
}

type Mapped = ReadonlyMap<string, MappedTable>;

interface PlanContext {
  readonly names: TargetNames;
  /** What rules make of columns, for the tables that have such rules, by source id. */
  readonly mapped: Mapped;
  readonly replicates: boolean;
  /** For texts in the source's dialect. */
  readonly texts: NativeColumns;
  /** Keys of the selected tables, by source id. */
  readonly selected: ReadonlySet<string>;
  /** Keys of the partitioned tables above them. */
  readonly partitioned: ReadonlySet<string>;
  readonly findings: Finding[];
}

const WHOLE: LobSettings = { lobs: "whole", refusesCuts: false };

/** Which tables come, and what rules make of their columns; foreign keys need all of them. */
function mappedTables(
  { catalog, mappings, replicates = false, lobSettings = WHOLE }: PlanRequest,
  { selected, texts }: Pick<PlanContext, "selected" | "texts">,
): Mapped {
  const mapped = new Map<string, MappedTable>();
  for (const table of catalog.tables) {
    if (!selected.has(tableKey(table.id))) continue;
    const isLarge = table.columns.some(isLargeObject);
    const lacksLobs = isLarge && lobSettings.lobs === "none";
    const limit = lacksLobs ? undefined : lobLimit(table.id, mappings, lobSettings);
    const isLimited = limit !== undefined && (isLarge || limit.rule !== undefined);
    const rules = rulesOfTable(table, mappings) ?? (lacksLobs || isLimited ? NO_RULES : undefined);
    if (rules === undefined) continue;
    mapped.set(tableKey(table.id), mapTable(table, { rules, texts, replicates, lacksLobs, limit }));
  }
  return mapped;
}

function planTables({ catalog, mappings }: PlanRequest, context: PlanContext): readonly TablePlan[] {
  return catalog.tables
    .filter((table) => context.selected.has(tableKey(table.id)))
    .map((table): TablePlan => {
      const mapped = context.mapped.get(tableKey(table.id));
      const { source, target, rows } = mapped ?? { source: table, target: table, rows: undefined };
      const foreignKeys = targetKeys(table, context);
      return {
        source,
        target: { ...target, id: context.names.table(table.id), foreignKeys },
        loadOrder: loadOrderOf(table, mappings),
        ...planLoad(table, mappings, context.findings),
        ...(rows === undefined ? {} : { rows }),
      };
    });
}

/** The foreign keys whose both ends come to the target. */
function targetKeys(source: TableSchema, context: PlanContext): TableSchema["foreignKeys"] {
  return source.foreignKeys.flatMap((foreignKey) => {
    const referenced = tableKey(foreignKey.references);
    if (!context.selected.has(referenced)) {
      // One to a partitioned table is an object of its own, made when that has its key.
      if (!context.partitioned.has(referenced)) context.findings.push(leftOut(source.id, foreignKey));
      return [];
    }
    const from = context.mapped.get(tableKey(source.id));
    const columns = mapReference(foreignKey, from, context.mapped.get(referenced));
    // The action SET NULL may name columns.
    const names = new Map(source.columns.map(({ name }) => [name, from?.names.get(name)]));
    const native = from === undefined ? foreignKey.native : context.texts.rewrite(foreignKey.native, names);
    if (columns === undefined || native === undefined) {
      context.findings.push(...referenceLost(source.id, foreignKey, context.replicates));
      return [];
    }
    if (context.mapped.get(referenced)?.rows?.filter !== undefined) {
      context.findings.push(maySplit(source.id, foreignKey));
    }
    return { ...foreignKey, ...columns, native, references: context.names.table(foreignKey.references) };
  });
}

/** A sequence whose table stays behind goes on without an owner; an identity's has no life without its table. */
function planSequences(
  catalog: Catalog,
  { names, selected, partitioned, mapped }: PlanContext,
): readonly { readonly source: Sequence; readonly target: Sequence }[] {
  return catalog.sequences.flatMap((source) => {
    const { ownedBy } = source;
    const key = ownedBy === undefined ? "" : tableKey(ownedBy.table);
    const owning = ownedBy !== undefined && (selected.has(key) || partitioned.has(key));
    const column = owning ? ownerColumn(ownedBy.column, mapped.get(key), source.internal) : undefined;
    if (source.internal && column === undefined) return [];
    const owner = column === undefined ? undefined : { table: names.table(ownedBy!.table), column };
    return { source, target: { ...source, id: names.withinSchema(source.id), ownedBy: owner } };
  });
}

/** The owner's name on the target; undefined where it stays behind, or no longer counts by itself. */
function ownerColumn(name: string, mapped: MappedTable | undefined, isIdentity: boolean): string | undefined {
  if (mapped === undefined) return name;
  const ordinal = mapped.source.columns.findIndex((column) => column.name === name);
  const column = mapped.target.columns[ordinal];
  return isIdentity && column?.identity === undefined ? undefined : column?.name;
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
