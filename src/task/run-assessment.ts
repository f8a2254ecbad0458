import { pause } from "../base/backoff.ts";
import { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { type Catalog, type TableId, tableKey } from "../core/schema.ts";
import type { ServerProbe, SourceProbe } from "../core/server-probe.ts";
import type { MigrationType, Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { type AssessedTask, assessTask, tableFinder } from "./assessment.ts";
import { type Complexity, complexityOf } from "./complexity.ts";
import { changeRate, type Estimate, estimate } from "./estimate.ts";
import { logFindings, probeFindings, spaceFindings } from "./estimate-findings.ts";
import { loadsRows } from "./loads-rows.ts";
import { sampleLoad } from "./sample-load.ts";
import { readTaskSettings } from "./settings.ts";
import type { TaskSpec } from "./task.ts";

/** What an assessment has found, as plain data for a report. */
export interface Assessment {
  readonly type: MigrationType;
  readonly source: ServerProbe;
  /** Undefined where none was named. */
  readonly target: ServerProbe | undefined;
  readonly tables: readonly TableSummary[];
  readonly inventory: readonly ObjectCount[];
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** An error about more than a table keeps the task from starting. */
  readonly isBlocked: boolean;
  readonly complexity: Complexity;
  /** Undefined where none was wanted. */
  readonly estimate: Estimate | undefined;
}

export interface TableSummary {
  readonly id: TableId;
  readonly target: TableId;
  readonly columns: number;
  readonly indexes: number;
  readonly foreignKeys: number;
  readonly rowIdentity: "key" | "full" | "none";
  readonly rows: number;
  readonly bytes: number;
  readonly isSetAside: boolean;
}

export interface ObjectCount {
  readonly schema: string;
  readonly kind: string;
  readonly count: number;
}

export interface AssessmentOrder {
  readonly spec: Pick<TaskSpec, "id" | "name" | "type" | "tableMappings" | "settings">;
  readonly source: Source;
  readonly target: Target | undefined;
  /** Source and target are of one kind. */
  readonly isOneKind: boolean;
  /** Undefined: nothing is sampled or watched. */
  readonly estimates: { readonly watchSeconds: number } | undefined;
  /** Bytes that the target has left, where somebody knows it. Left out: what it tells itself, if it does. */
  readonly freeBytes?: number | undefined;
}

/** Looks at everything that a task of that kind would meet. Reads only: nothing is changed on either side. */
export async function runAssessment(order: AssessmentOrder, signal: AbortSignal): Promise<Assessment> {
  const { spec, source, target } = order;
  const settings = readTaskSettings(spec.settings);
  const fresh = { resumes: false, journaled: [], applied: undefined, largeObjectsDone: false };
  const assessed = await assessTask({ spec, settings, source, target, ...fresh, untold: new Set() }, signal);
  const [before, there] = await Promise.all([source.probe(signal), target?.probe(signal)]);
  const findings = [
    ...assessed.told,
    ...assessed.findings,
    ...probeFindings("source", before),
    ...(there === undefined ? [] : probeFindings("target", there)),
    ...(loadsRows({ spec, settings })
      ? spaceFindings(assessed.tables, order.freeBytes ?? there?.freeBytes)
      : []),
    ...(spec.type !== "full-load" && settings.followsAlteredTables ? before.unnoted : []),
  ];
  const estimated = await measured(order, { assessed, before, findings }, signal);
  if (spec.type === "full-load-and-cdc" && estimated !== undefined) {
    findings.push(...logFindings(before, estimated));
  }
  return { ...summed(order, assessed, findings), source: before, target: there, estimate: estimated };
}

interface Measuring {
  readonly assessed: AssessedTask;
  /** From then on the source is watched. */
  readonly before: SourceProbe;
  /** What is wrong with the estimate is added. */
  readonly findings: Finding[];
}

/** Reads samples while the source is watched. */
async function measured(
  { spec, source, isOneKind, estimates }: AssessmentOrder,
  { assessed: { tables, changes: planned }, before, findings }: Measuring,
  signal: AbortSignal,
): Promise<Estimate | undefined> {
  if (estimates === undefined) return undefined;
  const replicates = spec.type !== "full-load";
  const sampling = sampleLoad({ taskId: spec.id, source, plans: planned.plan.tables, isOneKind }, signal);
  const [samples] = await Promise.all([
    sampling.catch((error: unknown) => {
      signal.throwIfAborted();
      findings.push(unsampled(error));
      return [];
    }),
    replicates ? pause(estimates.watchSeconds * 1000, signal) : undefined,
  ]);
  const changes = replicates ? changeRate(before, await source.probe(signal)) : undefined;
  const { maxFullLoadSubTasks: lanes } = readTaskSettings(spec.settings);
  return estimate({ tables, samples, lanes, changes });
}

/** An assessment without an estimate is worth something, too. */
function unsampled(error: unknown): Finding {
  if (!(error instanceof MigrationError)) throw error;
  const { code, message, remedy } = error;
  const what = "No rows could be read for the estimate.";
  return { code, severity: "warning", subject: "estimate", message: `${what} ${message}`, remedy };
}

const ORDER: readonly Finding["severity"][] = ["error", "warning", "info"];

function summed(
  { spec, isOneKind }: AssessmentOrder,
  assessed: AssessedTask,
  findings: readonly Finding[],
): Pick<Assessment, "type" | "tables" | "inventory" | "findings" | "isBlocked" | "complexity"> {
  const errors = findings.filter(({ severity }) => severity === "error");
  const tableOf = tableFinder(assessed.tables);
  const keysOf = (some: readonly Finding[]): ReadonlySet<string> =>
    new Set(some.map(tableOf).flatMap((id) => (id ? [tableKey(id)] : [])));
  const setAside = keysOf(errors);
  const unmended = keysOf(errors.filter(({ fix }) => fix === undefined));
  const tables = assessed.changes.plan.tables.map(({ source, target }) => ({
    ...{ id: source.id, target: target.id, rowIdentity: source.rowIdentity },
    ...{
      columns: source.columns.length,
      indexes: source.indexes.length,
      foreignKeys: source.foreignKeys.length,
    },
    ...{ rows: source.estimatedRows, bytes: source.estimatedBytes },
    isSetAside: setAside.has(tableKey(source.id)),
  }));
  return {
    type: spec.type,
    tables,
    inventory: inventoryOf(assessed.catalog),
    findings: findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity)),
    isBlocked: errors.some((one) => tableOf(one) === undefined),
    complexity: complexityOf({ findings, tables: tables.length, setAside: unmended.size, isOneKind }),
  };
}

/** How many objects of each kind a schema has, as far as the source was asked for them. */
function inventoryOf({ tables, types, sequences, objects }: Catalog): readonly ObjectCount[] {
  const named = [
    ...tables.map(({ id, isView }) => ({ schema: id.schema, kind: isView === true ? "view" : "table" })),
    ...tables.flatMap(({ id, indexes }) => indexes.map(() => ({ schema: id.schema, kind: "index" }))),
    ...tables.flatMap(({ id, foreignKeys }) =>
      foreignKeys.map(() => ({ schema: id.schema, kind: "foreign key" })),
    ),
    ...tables.flatMap(({ id, checks }) =>
      checks.map(() => ({ schema: id.schema, kind: "check constraint" })),
    ),
    ...types.map(({ id, kind }) => ({ schema: id.schema, kind: `${kind} type` })),
    ...sequences.map(({ id }) => ({ schema: id.schema, kind: "sequence" })),
    ...objects.map(({ id, on, kind }) => ({ schema: on?.schema ?? id.schema, kind })),
  ];
  const groups = Map.groupBy(named, ({ schema, kind }) => JSON.stringify([schema, kind]));
  return [...groups.values()]
    .map((some) => ({ ...some[0]!, count: some.length }))
    .toSorted((a, b) => a.schema.localeCompare(b.schema) || b.count - a.count);
}
