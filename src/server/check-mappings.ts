import type { EndpointConfig } from "../core/engine.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import type { Catalog } from "../core/schema.ts";
import type { MigrationType, Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { compilePlan } from "../mapping/plan.ts";
import type { TableMappings } from "../mapping/rules.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import {
  nothingSelected,
  type SelectedRelations,
  selectRelations,
  viewsUnread,
} from "../task/select-relations.ts";
import { registry } from "./engines.ts";

export interface MappingsToCheck {
  /** JSON text. */
  readonly document: string;
  /** Without it only the document is read. */
  readonly source?: EndpointConfig;
  /** Without it types are those of the source. */
  readonly target?: EndpointConfig;
  readonly type: MigrationType;
}

export interface CheckedMappings {
  readonly rules: number;
  /** What the document comes to; undefined without a source. */
  readonly checked?: {
    readonly plan: MigrationPlan;
    /** Tables that the source has. */
    readonly tables: number;
    readonly findings: readonly Finding[];
  };
}

/** What a table mappings document does to a database. Nothing is changed anywhere. Throws as parseTableMappings does. */
export async function checkMappings(request: MappingsToCheck, signal: AbortSignal): Promise<CheckedMappings> {
  const mappings = parseTableMappings(request.document);
  const rules = Object.values(mappings).reduce((count, list) => count + list.length, 0);
  if (request.source === undefined) return { rules };
  await using opened = new AsyncDisposableStack();
  const source = opened.use(await registry.find(request.source.engine).openSource(request.source, signal));
  const { target: to } = request;
  const target =
    to === undefined ? undefined : opened.use(await registry.find(to.engine).openTarget(to, signal));
  return { rules, checked: await checkSource(mappings, { source, target, type: request.type, signal }) };
}

interface Sides {
  readonly source: Source;
  readonly target: Target | undefined;
  readonly type: MigrationType;
  readonly signal: AbortSignal;
}

async function checkSource(
  mappings: TableMappings,
  { source, target, type, signal }: Sides,
): Promise<NonNullable<CheckedMappings["checked"]>> {
  const selected = await selectRelations(source, { mappings, type, known: new Set() }, signal);
  const catalog = await describe(source, selected, { type, signal });
  const isEmpty = selected.tables.length + selected.views.length === 0;
  const compiled = compilePlan({
    ...{ catalog, mappings, targetSchema: target?.onlySchema },
    replicates: type !== "full-load",
  });
  const converted = target?.convert(compiled.plan) ?? { plan: compiled.plan, findings: [] };
  return {
    plan: converted.plan,
    tables: selected.listed.length,
    findings: [
      ...(isEmpty ? [nothingSelected("selection")] : []),
      ...selected.unmatched,
      ...selected.passing,
      ...viewsUnread(selected.views, catalog),
      ...compiled.findings,
      ...converted.findings,
    ],
  };
}

function describe(
  source: Source,
  { tables, views }: SelectedRelations,
  { type, signal }: Pick<Sides, "type" | "signal">,
): Promise<Catalog> {
  const parts = { objects: false, rights: false, largeObjects: false };
  return source.describe(
    { tables, views, wholeSchemas: undefined, ...parts, rowsOnly: type === "full-load" },
    signal,
  );
}
