import { isDeepStrictEqual } from "node:util";
import type { MigrationError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { JournaledTable } from "../core/journal.ts";
import type { MigrationPlan, TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { type TableSchema, tableKey } from "../core/schema.ts";
import { silentKeysOf } from "../core/silent-keys.ts";
import {
  bareShape,
  type ColumnShape,
  isSameDefinition,
  isSameShape,
  OTHER_KEYS,
  type ShapedTable,
  shapeChange,
  type TableShape,
  tableChanged,
} from "../core/table-shape.ts";
import type { ColumnAddition } from "../core/target.ts";
import { rulesChange } from "../mapping/rows/rule-change.ts";
import {
  columnFinding,
  columnsOf,
  leavesColumnsOut,
  leavingOut,
  makesOthersOf,
  withColumns,
} from "./followed-columns.ts";
import { rulesChanged, rulesFinding } from "./rule-changes.ts";

export interface SchemaChanges {
  /** The tables as the task goes on with them. */
  readonly plan: MigrationPlan;
  /** Those whose tables on the target go on as they are, with the columns that these have now. */
  readonly assessed: MigrationPlan;
  /** What the target has to get first. */
  readonly additions: readonly ColumnAddition[];
  /** Loaded in part, and of no use any more. */
  readonly outdated: readonly JournaledTable[];
  /** To be recorded once the additions are made. */
  readonly shapes: readonly ShapedTable[];
  readonly refused: readonly MigrationError[];
  readonly findings: readonly Finding[];
}

export interface SchemaComparison {
  readonly plan: MigrationPlan;
  /** What is known of the task's tables from before; none for a task that starts anew. */
  readonly journaled: readonly JournaledTable[];
  /** DMS's HandleSourceTableAltered. */
  readonly follows: boolean;
  /** The task applies changes to tables that were made before it. */
  readonly replicatesOnly: boolean;
  /** The task moves nothing: tables are taken as they are. False when left out. */
  readonly comparesOnly?: boolean;
  /** How far the log had come when the tables were described; undefined when there is no stream. */
  readonly planned?: Position | undefined;
}

/** What has become of one table. */
interface TableFate {
  readonly plan: TablePlan;
  readonly assessed?: TablePlan;
  readonly addition?: ColumnAddition;
  readonly outdated?: JournaledTable;
  readonly shape?: TableShape;
  readonly refused?: MigrationError;
  /** It is refused because of its foreign keys that act by themselves. */
  readonly hasOtherKeys?: true;
  readonly findings?: readonly Finding[];
}

/**
 * Compares the source's tables with what they were when the target was made like them.
 *
 *     table                            columns were added              anything else that may concern rows
 *     has all its rows                 added, or left out for good     set aside
 *     is not loaded completely         made and loaded again           made and loaded again
 *     is set aside                     made again with its reload      made again with its reload
 *
 * A table that was there before the task is not made anew, see earlierTable(). Other rules than those that rows were made by
 * are as any other change of the table; a task that only applies changes goes on by them, and says so.
 *
 * The target gets a column before the stream comes to where the source got it: changes from before stand for
 * rows with the same value in it that the target's rows get (`Column.later`).
 */
export function compareSchemas({
  plan,
  journaled,
  follows,
  replicatesOnly,
  comparesOnly = false,
  planned,
}: SchemaComparison): SchemaChanges {
  const known = new Map(journaled.map((table) => [tableKey(table.id), table]));
  const own = plan.tables.map((table) => {
    if (comparesOnly) return asItIs(table, known.get(tableKey(table.source.id)));
    const fate = fateOf(table, known.get(tableKey(table.source.id)), { follows, replicatesOnly });
    const isNew = replicatesOnly && !known.has(tableKey(table.source.id));
    const { shape } = fate.plan.source;
    return isNew && shape !== undefined ? { ...fate, shape } : fate;
  });
  const fates = withReferring(own);
  return {
    plan: { ...plan, tables: fates.map((fate) => (follows ? fate.plan : leavingOut(fate.plan))) },
    assessed: { ...plan, tables: fates.flatMap(({ assessed }) => assessed ?? []) },
    additions: fates.flatMap(({ addition }) => addition ?? []),
    outdated: fates.flatMap(({ outdated }) => outdated ?? []),
    shapes: fates.flatMap(({ plan: { source }, shape }) => {
      if (shape === undefined) return [];
      const before = known.get(tableKey(source.id))?.shape;
      return { id: source.id, shape: withPlace(shape, before, planned) };
    }),
    refused: fates.flatMap(({ refused }) => refused ?? []),
    findings: fates.flatMap(({ findings = [] }) => findings),
  };
}

/**
 * A table whose foreign keys that act by themselves have changed has had rows deleted or changed that these tell of, and
 * with them rows of the tables that refer to it in that way: which ones was not to be seen.
 */
function withReferring(fates: readonly TableFate[]): readonly TableFate[] {
  if (!fates.some(({ hasOtherKeys }) => hasOtherKeys === true)) return fates;
  const keys = silentKeysOf(fates.map(({ plan }) => plan.source));
  const families = fates.flatMap(({ hasOtherKeys }, i) => (hasOtherKeys === true ? [...keys.family(i)] : []));
  const lost = new Set(families);
  return fates.map((fate, i) => {
    if (fate.assessed === undefined || !lost.has(i)) return fate;
    return { plan: fate.plan, refused: changed(fate.plan, `refers to one that ${OTHER_KEYS}`) };
  });
}

/** Notes of what led to a table's being as it is now may lie ahead in the stream: they come too late. */
function withPlace(
  now: TableShape,
  before: TableShape | undefined,
  planned: Position | undefined,
): TableShape {
  if (before === undefined || planned === undefined || isSameDefinition(before, now)) return now;
  return { ...bareShape(now), place: { position: planned, before: bareShape(before) } };
}

/** Whether all rows of a table are on the target. */
export function isComplete({ state }: JournaledTable): boolean {
  return state === "loaded" || state === "ready";
}

type Ways = Pick<SchemaComparison, "follows" | "replicatesOnly">;

function fateOf(plan: TablePlan, journaled: JournaledTable | undefined, ways: Ways): TableFate {
  const now = plan.source.shape;
  if (journaled === undefined || now === undefined) return { plan, assessed: plan };
  const { state, shape: known } = journaled;
  const hasRows = isComplete(journaled);
  if (known === undefined) return { plan, assessed: plan, ...(hasRows ? { shape: now } : {}) };
  if (hasRows) return completeTable(plan, { known, now, ...ways });
  if (servesFor(known, now)) return { plan, assessed: plan };
  if (!journaled.created) return earlierTable(plan, journaled);
  return state === "suspended" ? { plan } : { plan, outdated: journaled };
}

/** The target's table is somebody else's: whatever has become of the source's, the two are compared. */
function asItIs(plan: TablePlan, journaled: JournaledTable | undefined): TableFate {
  const now = plan.source.shape;
  const known = journaled?.shape;
  const isKept =
    now === undefined ||
    (known !== undefined && isSameShape(known, now) && isDeepStrictEqual(known.rules, now.rules));
  return { plan, assessed: plan, ...(isKept ? {} : { shape: now }) };
}

/**
 * What was there before the task is not made anew: its owner has to change it. Parts that are loaded show
 * the table as it was, so that all of it is read again; rows that must stay would go with them.
 */
function earlierTable(plan: TablePlan, journaled: JournaledTable): TableFate {
  const isBegun = journaled.state !== "suspended" && journaled.partitions.some(({ done }) => done);
  if (!isBegun) return { plan, assessed: plan };
  return journaled.keepsRows
    ? { plan, refused: changed(plan, "was changed when parts of it were loaded") }
    : { plan, assessed: plan, outdated: journaled };
}

/** Whether what was made like the one table serves for the other. */
export function servesFor(known: TableShape, now: TableShape): boolean {
  const isSame = shapeChange(known, now).kind === "none" && rulesChange(known, now) === undefined;
  return isSame && !leavesColumnsOut(known);
}

interface TwoLooks extends Ways {
  readonly known: TableShape;
  readonly now: TableShape;
}

function completeTable(plan: TablePlan, looks: TwoLooks): TableFate {
  const fate = followedTable(plan, looks);
  const how = rulesChange(looks.known, looks.now);
  if (how === undefined || fate.refused !== undefined) return fate;
  if (!looks.replicatesOnly) return { plan, refused: rulesChanged(plan, how) };
  return { ...fate, findings: [...(fate.findings ?? []), rulesFinding(plan, how)] };
}

function followedTable(plan: TablePlan, { known, now, follows }: TwoLooks): TableFate {
  const change = shapeChange(known, now);
  if (change.kind === "other") {
    const refused = changed(plan, change.how);
    return change.how === OTHER_KEYS ? { plan, refused, hasOtherKeys: true } : { plan, refused };
  }
  // Columns are told apart by their places: behind one that is left out none can follow.
  const leaves = !follows || leavesColumnsOut(known);
  const since = leaves ? "left-out" : "added";
  const added =
    change.kind === "added" ? change.columns.map((column) => ({ ...column, since }) as const) : [];
  const shape = withHistory(known, now, added);
  const followed = withColumns(plan, shape);
  if (followed === undefined) return { plan, refused: changed(plan, "needs a column that is left out") };
  if (added.length === 0) {
    const isKept = isSameShape(known, now) && isDeepStrictEqual(known.rules, now.rules);
    return { plan: followed, assessed: followed, ...(isKept ? {} : { shape }) };
  }
  const names = new Set(added.map(({ name }) => name));
  const findings = columnsOf(plan, names).map((ordinal) => columnFinding(plan, ordinal, leaves));
  if (leaves) return { plan: followed, assessed: followed, shape, findings };
  if (makesOthersOf(plan, names))
    return { plan, refused: changed(plan, "got a column of which the table mappings make others") };
  const columns = columnsOf(followed, names);
  // The rules leave them out.
  if (columns.length === 0) return { plan: followed, assessed: followed, shape };
  const identity = columns
    .map((ordinal) => plan.source.columns[ordinal]!)
    .find((one) => one.identity !== undefined);
  if (identity !== undefined)
    return { plan, refused: changed(plan, `got the identity column ${identity.name}`) };
  const earlier = shape.columns.filter(({ name }) => !names.has(name));
  const assessed = withColumns(plan, { ...shape, columns: earlier }) ?? followed;
  return { plan: followed, assessed, addition: { plan: followed, columns }, shape, findings };
}

/** Keys of tables that a reload has to plan anew. What was found changed was described as it was before. */
export function tablesToReplan(
  tables: readonly TableSchema[],
  { refused }: Pick<SchemaChanges, "refused">,
): ReadonlySet<string> {
  const narrow = tables.filter(({ shape }) => shape !== undefined && leavesColumnsOut(shape));
  const changed = refused.flatMap(({ table }) => table ?? []);
  return new Set([...narrow.map(({ id }) => id), ...changed].map(tableKey));
}

/** The table as it is now, with what is known of its columns from before and of those that it got. */
export function withHistory(
  known: TableShape,
  now: TableShape,
  added: readonly ColumnShape[] = [],
): TableShape {
  const history = new Map([...known.columns, ...added].map((column) => [column.number, column]));
  const columns = now.columns.map((column): ColumnShape => {
    const { since, fill } = history.get(column.number)!;
    return { ...column, fill, ...(since === undefined ? {} : { since }) };
  });
  const { place, rules } = known;
  return {
    ...{ ...(rules === undefined ? {} : { rules }), ...now, columns },
    ...(place === undefined ? {} : { place }),
  };
}

function changed({ source }: TablePlan, how: string): MigrationError {
  return tableChanged(source.id, how);
}
