import type { EndpointConfig } from "../core/engine.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationPlan } from "../core/plan.ts";
import type { MigrationType } from "../core/source.ts";
import type { TableMappings } from "../mapping/rules.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { nothingSelected } from "../task/select-relations.ts";
import { registry } from "./engines.ts";
import { planRows, type RowsToPlan } from "./plan-rows.ts";

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
  return { rules, checked: await checkSource(mappings, { source, target, type: request.type }, signal) };
}

async function checkSource(
  mappings: TableMappings,
  sides: Pick<RowsToPlan, "source" | "target" | "type">,
  signal: AbortSignal,
): Promise<NonNullable<CheckedMappings["checked"]>> {
  const { selected, plan, findings } = await planRows({ ...sides, mappings, settings: undefined }, signal);
  const isEmpty = selected.tables.length + selected.views.length === 0;
  return {
    plan,
    tables: selected.listed.length,
    findings: [...(isEmpty ? [nothingSelected("selection")] : []), ...findings],
  };
}
