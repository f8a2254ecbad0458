import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable } from "../core/journal.ts";
import { type MigrationPlan, readTable } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import {
  type Catalog,
  displayTable,
  type SchemaObject,
  type TableId,
  type TableSchema,
  tableKey,
} from "../core/schema.ts";
import type { NoteKeeping } from "../core/schema-note.ts";
import type { Source } from "../core/source.ts";
import type { Target } from "../core/target.ts";
import { compilePlan } from "../mapping/plan.ts";
import { withOwnFills } from "../mapping/rows/narrow-plan.ts";
import type { TableMappings } from "../mapping/rules.ts";
import { wholeSchemas } from "../mapping/selection.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import type { PipelineObserver } from "../pipeline/observer.ts";
import type { AttemptNotes } from "./attempt.ts";
import { cutFindings, lobSettings } from "./lob-settings.ts";
import { numberedTables, recallTables } from "./noted-tables.ts";
import { loadedByOtherRules } from "./rule-changes.ts";
import { sameTables } from "./same-tables.ts";
import { compareSchemas, isComplete, type SchemaChanges } from "./schema-changes.ts";
import { nothingSelected, selectRelations, viewsUnread, withoutViews } from "./select-relations.ts";
import type { TaskSettings } from "./settings.ts";
import { settingFindings } from "./settings-findings.ts";
import { awaitsPreparation, isUntouched } from "./table-work.ts";
import { targetSchema } from "./target-schema.ts";
import type { TaskSpec } from "./task.ts";

export interface PlanningRequest {
  readonly spec: TaskSpec;
  readonly settings: TaskSettings;
  readonly source: Source;
  readonly target: Target;
  readonly observer: Pick<PipelineObserver, "finding">;
  /** The task already keeps its log on the source. */
  readonly resumes: boolean;
  /** What the task has done so far; none for one that starts. */
  readonly journaled: readonly JournaledTable[];
  /** Where its stream goes on; undefined when there is none yet. */
  readonly applied: Position | undefined;
  /** Keys of tables that have changed without a note of it in the stream. */
  readonly untold: ReadonlySet<string>;
  /** It has copied the large objects. */
  readonly largeObjectsDone: boolean;
}

export interface PlannedTask {
  readonly plan: MigrationPlan;
  /** Tables that the selection rules take. */
  readonly selected: readonly TableId[];
  /** How the tables differ from what the target was made like. */
  readonly changes: SchemaChanges;
  /** Tables that the task has moved and the source has no more; they are refused, too. */
  readonly gone: readonly TableId[];
  /** Tables that the assessment says cannot be moved. */
  readonly refused: readonly { readonly table: TableId; readonly error: MigrationError }[];
  readonly notes: Omit<AttemptNotes, "kept">;
}

/**
 * Selects, describes, maps and assesses. Nothing is changed anywhere. Throws the first finding that
 * concerns the whole task; all findings are told first.
 */
export async function planTask(request: PlanningRequest, signal: AbortSignal): Promise<PlannedTask> {
  const { spec, settings, observer, journaled } = request;
  const mappings = parseTableMappings(spec.tableMappings);
  // Asked first: what is noted later than this, the catalog may show already or not.
  const noted = spec.type === "full-load" ? undefined : await request.source.noteKeeping(signal);
  const described = await describeSelected(request, mappings, signal);
  const { listed, selected, told, movesWhole } = described;
  const isFollowed = isNotedSince(request, noted?.since);
  const numbered = numberedTables(described.catalog.tables, journaled);
  const { tables: recalled, awaited } = isFollowed
    ? recallTables(numbered, journaled, request.untold)
    : { tables: numbered, awaited: [] };
  const catalog = { ...described.catalog, tables: recalled };
  const replicates = spec.type !== "full-load";
  const compiled = compilePlan({
    catalog,
    mappings,
    targetSchema: targetSchema(settings, request.target),
    replicates,
    lobSettings: lobSettings(settings, request.source),
  });
  const converted = request.target.convert(compiled.plan);
  const planned = { ...converted.plan, tables: converted.plan.tables.map(withOwnFills) };
  const tables = planned.tables.map(readTable);
  // A full load that has a table's rows is done with it; changes are what loaded tables would have to follow for.
  const concerned = spec.type === "full-load" ? journaled.filter((table) => !isComplete(table)) : journaled;
  const changes = compareSchemas({
    plan: planned,
    journaled: concerned,
    follows: settings.followsAlteredTables,
    replicatesOnly: spec.type === "cdc",
    planned: noted?.now,
  });
  const done = spec.type === "full-load" ? journaled.filter(isComplete) : [];
  const assessed = await assess(request, { tables, movesWhole, plan: changes.assessed }, signal);
  const findings = [
    ...settingFindings(spec.settings),
    ...cutFindings(settings, compiled.plan),
    ...compiled.findings,
    ...converted.findings,
    ...changes.findings,
    ...loadedByOtherRules(planned, done),
    ...assessed,
  ];
  for (const finding of [...told, ...findings]) observer.finding(finding);
  const present = new Set(listed.map(tableKey));
  for (const id of awaited) present.add(tableKey(id));
  const gone = concerned.filter(({ id, state }) => state !== "suspended" && !present.has(tableKey(id)));
  const errors = [
    ...changes.refused,
    ...gone.map(tableGone),
    ...tooLate(request, tables).map(loadedTooLate),
    ...tableErrors(findings, tables),
  ];
  const refused = errors.map((error) => ({ table: error.table!, error }));
  const ofJournal = recalled
    .filter(({ shape }) => shape?.described !== undefined)
    .map(({ id }) => tableKey(id));
  const notes = { followed: isFollowed, planned: noted?.now, awaited, recalled: new Set(ofJournal) };
  return { plan: changes.plan, selected, changes, refused, gone: gone.map(({ id }) => id), notes };
}

/** Whether every schema change since the stream's place is told in it. */
function isNotedSince({ settings, source, applied }: PlanningRequest, since: NoteKeeping["since"]): boolean {
  if (!settings.followsAlteredTables || since === undefined || applied === undefined) return false;
  return since === "always" || source.positions.compare(since, applied) !== 1;
}

/** A task that only captures changes finds everything made. */
function makes({ type }: TaskSpec): boolean {
  return type !== "cdc";
}

/** Changes that other tasks have written are not sent back. */
function isOwnOnly({ spec, settings }: PlanningRequest): boolean {
  return settings.preventsLoops && spec.type !== "full-load";
}

interface Selected {
  /** All tables that the source has, and its views where some may be selected. */
  readonly listed: readonly TableId[];
  readonly selected: readonly TableId[];
  /** Schemas of which everything is moved; undefined where only what tables need is. */
  readonly movesWhole: readonly string[] | undefined;
  /**
   * Selection rules that match nothing, selected tables that do not come, and selected views that cannot be read: such a view has
   * no description, and so no place among the task's tables.
   */
  readonly told: readonly Finding[];
  /** With the objects that are to be made. */
  readonly catalog: Catalog;
}

async function describeSelected(
  { spec, settings, source, journaled }: PlanningRequest,
  mappings: TableMappings,
  signal: AbortSignal,
): Promise<Selected> {
  const known = new Set(journaled.map(({ id }) => tableKey(id)));
  const relations = await selectRelations(source, { mappings, type: spec.type, known }, signal);
  const { listed, tables, views, unmatched, passing } = relations;
  const selected = [...tables, ...views];
  if (selected.length === 0 && settings.failOnNoTables) {
    throw asError(nothingSelected(spec.name), undefined);
  }
  const objects = makes(spec);
  const movesObjects = objects && settings.migrateObjects;
  const movesWhole = movesObjects ? wholeSchemas(await source.listSchemas(signal), mappings) : undefined;
  const described = await source.describe(
    {
      ...{ tables, views, wholeSchemas: movesWhole, objects },
      rights: objects && settings.migratePrivileges,
      largeObjects: objects && settings.migrateLargeObjects,
      rowsOnly: spec.type === "full-load",
    },
    signal,
  );
  const isMade = ({ stage }: SchemaObject): boolean => movesObjects || stage === "before-tables";
  const catalog = { ...described, objects: withoutViews(described.objects.filter(isMade), views) };
  const told = [...unmatched, ...passing, ...viewsUnread(views, catalog)];
  return { listed, selected, told, movesWhole, catalog };
}

/** What both sides say of the task. */
async function assess(
  request: PlanningRequest,
  subject: Pick<Selected, "movesWhole"> & {
    readonly tables: readonly TableSchema[];
    readonly plan: MigrationPlan;
  },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { spec, settings, source, target, resumes, journaled } = request;
  const done = journaled.filter((table) => !awaitsPreparation(table));
  const prepared = new Set(done.map(({ id }) => tableKey(id)));
  const mode = makes(spec) ? settings.prepareMode : "do-nothing";
  const ownOnly = isOwnOnly(request);
  const findings = await Promise.all([
    source.assess(
      {
        ...{ taskId: spec.id, type: spec.type, resumes, ownOnly },
        ...{ tables: subject.tables, movesWhole: subject.movesWhole },
        movesRights: makes(spec) && settings.migratePrivileges,
        movesLargeObjects:
          makes(spec) && settings.migrateLargeObjects && (request.largeObjectsDone ? "done" : true),
      },
      signal,
    ),
    target.assess({ plan: subject.plan, mode, prepared, appliesChanges: spec.type !== "full-load" }, signal),
    ownOnly ? target.assessMarking(spec.id, signal) : [],
    sameTables(request, subject.plan, signal),
  ]);
  return findings.flat();
}

/** New tables of a task whose rows would come back. Tables are planned all at once: while none is, none is late. */
function tooLate(request: PlanningRequest, tables: readonly TableSchema[]): readonly TableSchema[] {
  const { spec, journaled } = request;
  const isUnder = spec.type === "full-load-and-cdc" && !journaled.every(isUntouched);
  if (!isUnder || !isOwnOnly(request)) return [];
  const known = new Set(journaled.map(({ id }) => tableKey(id)));
  return tables.filter(({ id }) => !known.has(tableKey(id)));
}

/** Findings that keep tables from being moved; throws the first that keeps the task from running. */
function tableErrors(
  findings: readonly Finding[],
  tables: readonly { readonly id: TableId }[],
): readonly MigrationError[] {
  const byName = new Map(tables.map(({ id }) => [displayTable(id), id]));
  return findings
    .filter(({ severity }) => severity === "error")
    .map((finding) => {
      const table = finding.table ?? byName.get(finding.subject);
      if (table !== undefined && errorTable[finding.code].scope === "table") return asError(finding, table);
      throw asError(finding, undefined);
    });
}

function tableGone({ id }: JournaledTable): MigrationError {
  return new MigrationError("source.table_changed", {
    message: "The table was dropped or renamed.",
    subject: displayTable(id),
    table: id,
    remedy: "What the target has of it stays. Drop it there if it is not needed.",
  });
}

/** See `target.captured`: the tables that are replicated already go on without this one. */
function loadedTooLate({ id }: { readonly id: TableId }): MigrationError {
  return new MigrationError("source.table_changed", {
    message: "The table is new, and with EnableLoopbackPrevention rows that are loaded now would come back.",
    subject: displayTable(id),
    table: id,
    remedy:
      "Load the table by a task of its own while no task sends changes back, or leave it out of the mappings.",
  });
}

function asError(finding: Finding, table: TableId | undefined): MigrationError {
  return new MigrationError(finding.code, {
    message: finding.message,
    subject: finding.subject,
    remedy: finding.remedy,
    ...(table === undefined ? {} : { table }),
  });
}
