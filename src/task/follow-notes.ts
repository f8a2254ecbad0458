import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { describedTable, type TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { NotedTransaction, NoteFilter, SchemaNote, TableParts } from "../core/schema-note.ts";
import type { TableAlteration } from "../core/table-alteration.ts";
import { isSameDefinition, tableChanged } from "../core/table-shape.ts";
import { ApplyMode } from "../core/target.ts";
import { selectTables } from "../mapping/selection.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import type { TableRules } from "../pipeline/apply-modes.ts";
import { type Attempt, AttemptOutdated } from "./attempt.ts";
import { leavesColumnsOut } from "./followed-columns.ts";
import { isApplied, whyNotFollowed } from "./noted-reasons.ts";
import { type FollowedTable, planAlterations, tablesByNumber } from "./plan-alterations.ts";
import { asWarning } from "./run-objects.ts";
import { ownerOf, sortNotes } from "./sorted-notes.ts";
import { withoutTaking } from "./without-taking.ts";

/** Not a failure: everything before a transaction is applied, and it alters tables of the task. */
export class SchemaNoted extends AttemptOutdated {
  readonly noted: NotedTransaction;

  constructor(noted: NotedTransaction) {
    super();
    this.noted = noted;
  }
}

/**
 * Which notes the stream has to stop at: of tables that go on as they were until then, and, where `takesNew`, of new
 * ones.
 */
export function noteFilter(attempt: Attempt, rules: TableRules, takesNew: () => boolean): NoteFilter {
  const { spec, plan, selected, errors, notes } = attempt;
  const mappings = parseTableMappings(spec.tableMappings);
  const plans = tablesByNumber(plan.tables);
  const isPlanned = (position: Position): boolean => rules.reaches(notes.planned!, position);
  return (note, position) => {
    const isIndex = note.dropped && !plans.has(note.shape.table);
    const planned = isIndex ? ownerOf(note.id, plan.tables) : plans.get(note.shape.table);
    if (planned === undefined) {
      if (isIndex || !takesNew() || selected.has(tableKey(note.id)) || isPlanned(position)) return "over";
      return selectTables([note.id], mappings).length > 0 ? "taken" : "over";
    }
    const table = describedTable(planned);
    const shape = table.shape!;
    if (errors.isSuspended(table.id)) return "over";
    if (leavesColumnsOut(shape)) return "left";
    if (rules.mode(table, position) === ApplyMode.skip) return "over";
    if (shape.place !== undefined && rules.reaches(shape.place.position, position)) return "over";
    // Such a table was taken as it is; rows of it that were read before may have been replaced since.
    if (!notes.recalled.has(tableKey(table.id)) && isPlanned(position)) return "left";
    if (isIndex || note.isOfType || tableKey(note.id) !== tableKey(table.id)) return "taken";
    // Columns that come later get the table's collation.
    const isSame = isSameDefinition(shape, note.shape) && shape.collation === note.shape.collation;
    return isSame && !hasOtherParts(table, note) ? "over" : "taken";
  };
}

/**
 * Makes the target follow what a transaction has made of tables, at its place: all before it is applied. Its own
 * changes come next, to the tables as the transaction leaves them; what it changed before its statements is told by the
 * columns' numbers. A table that cannot be followed is set aside; one that is new is the next attempt's.
 */
export async function followNotes(attempt: Attempt, { position, notes }: NotedTransaction): Promise<void> {
  const { spec, settings, target, errors, statistics, journalRequest, signal } = attempt;
  const mappings = parseTableMappings(spec.tableMappings);
  const { altered, dropped } = sortNotes(attempt.plan.tables, notes);
  const followed: FollowedTable[] = [];
  for (const table of altered) {
    const { from, notes: some } = table;
    const context = { mappings, isApplied: isApplied(settings, some) };
    const how = some.length > 0 ? whyNotFollowed(describedTable(from), some, context) : undefined;
    if (how === undefined) followed.push(table);
    else await errors.handle(from.source.id, tableChanged(from.source.id, how), signal);
  }
  await dropTables(attempt, dropped);
  const going = await withoutTaking(attempt, { followed, dropped });
  if (going.length === 0) return;
  const alterations = await planAlterations(attempt, { followed: going, position });
  if (spec.type !== "cdc") {
    const failures = await target.prepareSchema(
      { plan: alterations.plan, replace: false, isBegun: true },
      signal,
    );
    for (const failure of failures) statistics.finding(asWarning(failure));
  }
  for (const { table, how } of alterations.refused) {
    await errors.handle(table.id, tableChanged(table.id, how), signal);
  }
  const wanted = inNameOrder(alterations.tables);
  const others = otherTables(attempt, wanted);
  const names = wanted.map(({ from }) => from.source.id);
  // Before: what is altered is never recorded as compared.
  await attempt.validation?.anew(names, attempt.journal, signal);
  const outcomes = await target.alterTables(
    { alterations: wanted, others, marks: settings.preventsLoops },
    journalRequest,
    signal,
  );
  for (const [i, outcome] of outcomes.entries()) {
    const { from, to } = wanted[i]!;
    const { source } = to;
    if (outcome instanceof MigrationError) {
      await errors.handle(from.source.id, outcome, signal);
      continue;
    }
    statistics.altered(from.source.id);
    if (tableKey(from.source.id) !== tableKey(source.id)) statistics.renamed(from.source.id, source.id);
    for (const failure of outcome.failures) statistics.finding(asWarning(failure));
    for (const column of outcome.nullable) statistics.finding(nullableColumn(source, column));
  }
}

function hasOtherParts(table: TableSchema, { parts }: SchemaNote): boolean {
  const text = ({ indexes, checks, foreignKeys, key, rowIdentity }: TableParts): string =>
    JSON.stringify([indexes, checks, foreignKeys, key, rowIdentity]);
  return parts !== undefined && text(parts) !== text(table);
}

/** Tables that the task has made go with the source's; others stay, and are set aside. */
async function dropTables(attempt: Attempt, dropped: readonly TablePlan[]): Promise<void> {
  const { settings, target, journal, journalRequest, errors, statistics, signal } = attempt;
  if (dropped.length === 0) return;
  const own = new Set(
    (await journal.tables(signal))
      .filter(({ created, keepsRows }) => created && !keepsRows)
      .map(({ id }) => tableKey(id)),
  );
  const there = await stillThere(attempt, dropped);
  const isFollowed = ({ source }: TablePlan): boolean =>
    settings.followsDroppedTables && own.has(tableKey(source.id)) && !there.has(source.shape!.table);
  for (const { source } of dropped.filter((plan) => !isFollowed(plan))) {
    const { table, unnumbered } = source.shape!;
    const how =
      unnumbered === true && there.has(table)
        ? "was dropped and made again, with other rows: it has to be loaded again"
        : "was dropped";
    await errors.handle(source.id, tableChanged(source.id, how), signal);
  }
  const wanted = dropped.filter(isFollowed);
  for (const [i, outcome] of (await target.dropTables(wanted, journalRequest, signal)).entries()) {
    const { id } = wanted[i]!.source;
    if (outcome instanceof MigrationError) await errors.handle(id, outcome, signal);
    else statistics.renamed(id, undefined);
  }
}

/**
 * Numbers of the tables that the source has all the same. Who may read the log can read the key of notes in it, and write
 * one: nothing is dropped for it that is there.
 */
async function stillThere(
  { source, signal }: Attempt,
  tables: readonly TablePlan[],
): Promise<ReadonlySet<string | undefined>> {
  const request = {
    ...{ tables: tables.map((table) => table.source.id), wholeSchemas: undefined },
    ...{ objects: false, rights: false, largeObjects: false },
  };
  const found = await source.describe(request, signal);
  return new Set(found.tables.map(({ shape }) => shape?.table));
}

function otherTables({ plan, errors }: Attempt, alterations: readonly TableAlteration[]): readonly TableId[] {
  const altered = new Set(alterations.map(({ from }) => tableKey(from.source.id)));
  return plan.tables
    .filter(({ source: { id } }) => !altered.has(tableKey(id)) && !errors.isSuspended(id))
    .map(({ target }) => target.id);
}

/** A table that takes another's name comes after that has got its own. */
function inNameOrder(alterations: readonly TableAlteration[]): readonly TableAlteration[] {
  const waiting = new Map(alterations.map((one) => [tableKey(one.from.target.id), one]));
  const ordered: TableAlteration[] = [];
  while (waiting.size > 0) {
    const [first] = waiting.values();
    const free = [...waiting.values()].find(({ from, to }) => {
      const name = tableKey(to.target.id);
      return name === tableKey(from.target.id) || !waiting.has(name);
    });
    // Names that go round in a circle cannot be had one after the other: the target says so.
    const next = free ?? first!;
    waiting.delete(tableKey(next.from.target.id));
    ordered.push(next);
  }
  return ordered;
}

function nullableColumn({ id }: TableSchema, column: string): Finding {
  const code = "target.column_nullable";
  return {
    ...{ code, severity: "warning", subject: displayTable(id), table: id },
    message: `The column ${column} became NOT NULL in the transaction that gave its rows their values; on the target it takes NULLs.`,
    remedy: errorTable[code].remedy,
  };
}
