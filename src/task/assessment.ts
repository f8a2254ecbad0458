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
import type { AttemptNotes } from "./attempt.ts";
import { loadsRows } from "./loads-rows.ts";
import { cutFindings, lobSettings } from "./lob-settings.ts";
import { numberedTables, recallTables } from "./noted-tables.ts";
import { withPassedOver } from "./passed-over.ts";
import { loadedByOtherRules } from "./rule-changes.ts";
import { sameTables } from "./same-tables.ts";
import { compareSchemas, isComplete, type SchemaChanges } from "./schema-changes.ts";
import { nothingSelected, selectRelations, viewsUnread, withoutViews } from "./select-relations.ts";
import type { TaskSettings } from "./settings.ts";
import { settingFindings } from "./settings-findings.ts";
import { awaitsPreparation } from "./table-work.ts";
import { targetSchema } from "./target-schema.ts";
import type { TaskSpec } from "./task.ts";
import { validationOnlyFindings } from "./validation-only-refusal.ts";

export interface AssessmentRequest {
  readonly spec: Pick<TaskSpec, "id" | "name" | "type" | "tableMappings" | "settings">;
  readonly settings: TaskSettings;
  readonly source: Source;
  /** Without one the plan stays in the source's words, and nothing is said of a target. */
  readonly target: Target | undefined;
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

export interface AssessedTask {
  /** With what the source has, before it is mapped and without what the journal says of it. */
  readonly catalog: Catalog;
  /** All tables that the source has, and its views where some may be selected. */
  readonly listed: readonly TableId[];
  readonly selected: readonly TableId[];
  /** The plan's tables as they are read. */
  readonly tables: readonly TableSchema[];
  /** Tables of the journal that a full load is not done with, or whose changes follow. */
  readonly concerned: readonly JournaledTable[];
  readonly changes: SchemaChanges;
  /** Told before the others: of relations that are selected and have no place in the plan. */
  readonly told: readonly Finding[];
  readonly findings: readonly Finding[];
  readonly notes: Omit<AttemptNotes, "kept">;
}

/** Selects, describes, maps and assesses. Nothing is changed anywhere, and what is wrong is a finding. */
export async function assessTask(request: AssessmentRequest, signal: AbortSignal): Promise<AssessedTask> {
  const { spec, settings, source, target, journaled } = request;
  const mappings = parseTableMappings(spec.tableMappings);
  // Asked first: what is noted later than this, the catalog may show already or not.
  const noted = spec.type === "full-load" ? undefined : await source.noteKeeping(signal);
  const described = await describeSelected(request, mappings, signal);
  const { listed, selected, told, movesWhole } = described;
  const isFollowed = isNotedSince(request, noted?.since);
  const numbered = numberedTables(described.catalog.tables, journaled);
  const { tables: recalled, awaited } = isFollowed
    ? recallTables(numbered, journaled, request.untold)
    : { tables: numbered, awaited: [] };
  const compiled = compilePlan({
    catalog: { ...described.catalog, tables: recalled },
    mappings,
    targetSchema: targetSchema(settings, target ?? {}),
    replicates: spec.type !== "full-load",
    lobSettings: lobSettings(settings, source),
  });
  const converted = target?.convert(compiled.plan) ?? { plan: compiled.plan, findings: [] };
  const planned = { ...converted.plan, tables: converted.plan.tables.map(withOwnFills) };
  const tables = planned.tables.map(readTable);
  // A full load that has a table's rows is done with it; changes are what loaded tables would have to follow for.
  const concerned = spec.type === "full-load" ? loading(request) : journaled;
  const changes = compareSchemas({
    plan: planned,
    journaled: concerned,
    follows: settings.followsAlteredTables,
    replicatesOnly: spec.type === "cdc",
    comparesOnly: settings.validation.only,
    planned: noted?.now,
  });
  const done = spec.type === "full-load" && loadsRows(request) ? journaled.filter(isComplete) : [];
  const findings = [
    ...(selected.length === 0 && settings.failOnNoTables ? [nothingSelected(spec.name)] : []),
    ...settingFindings(spec.settings),
    ...validationOnlyFindings(spec),
    ...cutFindings(settings, compiled.plan),
    ...compiled.findings,
    ...converted.findings,
    ...changes.findings,
    ...loadedByOtherRules(planned, done),
    ...(await assessSides(request, { tables, movesWhole, plan: changes.assessed }, signal)),
  ];
  const ofJournal = recalled
    .filter(({ shape }) => shape?.described !== undefined)
    .map(({ id }) => tableKey(id));
  const notes = { followed: isFollowed, planned: noted?.now, awaited, recalled: new Set(ofJournal) };
  const { catalog } = described;
  const { passedOver } = settings;
  return {
    ...{ catalog, listed, selected, tables, concerned, changes, told, notes },
    findings: findings.map((finding) => withPassedOver(finding, passedOver)),
  };
}

/** Tables of a full load that it is not done with. */
function loading({ journaled, ...request }: AssessmentRequest): readonly JournaledTable[] {
  return loadsRows(request) ? journaled.filter((table) => !isComplete(table)) : [];
}

/** Tells the table that an error sets aside; undefined for one that keeps the whole task from running. */
export function tableFinder(
  tables: readonly { readonly id: TableId }[],
): (error: Finding) => TableId | undefined {
  const byName = new Map(tables.map(({ id }) => [displayTable(id), id]));
  return ({ code, table, subject }) =>
    errorTable[code].scope === "table" ? (table ?? byName.get(subject)) : undefined;
}

/** Changes that other tasks have written are not sent back. */
export function isOwnOnly({ spec, settings }: Pick<AssessmentRequest, "spec" | "settings">): boolean {
  return settings.preventsLoops && spec.type !== "full-load";
}

/** Whether every schema change since the stream's place is told in it. */
function isNotedSince(
  { settings, source, applied }: AssessmentRequest,
  since: NoteKeeping["since"],
): boolean {
  if (!settings.followsAlteredTables || since === undefined || applied === undefined) return false;
  return since === "always" || source.positions.compare(since, applied) !== 1;
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
  request: AssessmentRequest,
  mappings: TableMappings,
  signal: AbortSignal,
): Promise<Selected> {
  const { spec, settings, source, journaled } = request;
  const known = new Set(journaled.map(({ id }) => tableKey(id)));
  const relations = await selectRelations(source, { mappings, type: spec.type, known }, signal);
  const { listed, tables, views, unmatched, passing } = relations;
  const selected = [...tables, ...views];
  const objects = loadsRows(request);
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
async function assessSides(
  request: AssessmentRequest,
  subject: Pick<Selected, "movesWhole"> & {
    readonly tables: readonly TableSchema[];
    readonly plan: MigrationPlan;
  },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { spec, settings, source, target, resumes, journaled } = request;
  const done = journaled.filter((table) => !awaitsPreparation(table));
  const prepared = new Set(done.map(({ id }) => tableKey(id)));
  const loads = loadsRows(request);
  const mode = loads ? settings.prepareMode : "do-nothing";
  // Nothing comes to a target that is only compared: what it is like is what the comparison says.
  const written = settings.validation.only ? undefined : target;
  const ownOnly = isOwnOnly(request);
  const { controlSchema, optionalTables } = settings;
  const collations = written && (await source.collations?.(subject.tables, signal));
  const findings = await Promise.all([
    source.assess(
      {
        ...{ taskId: spec.id, type: spec.type, resumes, ownOnly },
        ...{ tables: subject.tables, movesWhole: subject.movesWhole },
        movesRights: loads && settings.migratePrivileges,
        movesLargeObjects:
          loads && settings.migrateLargeObjects && (request.largeObjectsDone ? "done" : true),
      },
      signal,
    ),
    written?.assess(
      {
        ...{ plan: subject.plan, mode, prepared },
        ...{ appliesChanges: spec.type !== "full-load", loads },
        journal: { taskId: spec.id, controlSchema, optionalTables },
        ...(collations === undefined ? {} : { collations }),
      },
      signal,
    ) ?? [],
    (ownOnly ? target?.assessMarking(spec.id, signal) : undefined) ?? [],
    target === undefined ? [] : sameTables({ source, target }, subject.plan, signal),
  ]);
  return findings.flat();
}
