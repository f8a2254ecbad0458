import { isDeepStrictEqual } from "node:util";
import type { TablePlan } from "../core/plan.ts";
import { type TableSchema, tableKey } from "../core/schema.ts";
import type { NotedTransaction } from "../core/schema-note.ts";
import { isSameDefinition, type ShapedTable, type TableShape } from "../core/table-shape.ts";
import { selectTables } from "../mapping/selection.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { TargetNames } from "../mapping/target-names.ts";
import type { Attempt } from "./attempt.ts";
import { type FollowedTable, notedTables } from "./plan-alterations.ts";
import { sortNotes } from "./sorted-notes.ts";
import { targetSchema } from "./target-schema.ts";

/*
 * What becomes of the source's tables while a task only compares: the journal has what they are, nothing is done to the
 * target's, and what was found of them does not count any more.
 */

/** Lets the journal know the tables of an attempt as it was planned, and none but them. */
export async function noteTables(attempt: Attempt, shapes: readonly ShapedTable[]): Promise<void> {
  const { spec, settings, target, plan, journal, refused, errors, signal } = attempt;
  const names = new TargetNames(parseTableMappings(spec.tableMappings), targetSchema(settings, target));
  const planned = new Set(plan.tables.map(({ source }) => tableKey(source.id)));
  const journaled = await journal.tables(signal);
  const gone = journaled.filter(({ id }) => !planned.has(tableKey(id)) && !refused.has(tableKey(id)));
  await journal.forgetTables(
    gone.map(({ id }) => ({ source: id, target: names.table(id) })),
    signal,
  );
  const noted = shapes.filter(({ id }) => !errors.isSuspended(id));
  const known = new Map(journaled.map(({ id, shape }) => [tableKey(id), shape]));
  const others = noted.filter(({ id, shape }) => isOther(known.get(tableKey(id)), shape));
  await attempt.validation?.anew(
    others.map(({ id }) => id),
    journal,
    signal,
  );
  await journal.setShapes(noted, signal);
}

/** Whether a table has other columns, or its rows are made by other rules: that its rows were written anew is no matter. */
function isOther(known: TableShape | undefined, now: TableShape): boolean {
  return known === undefined || !isSameDefinition(known, now) || !isDeepStrictEqual(known.rules, now.rules);
}

/** Takes over what a transaction has made of tables, at its place in the log. */
export async function noteAlterations(
  attempt: Attempt,
  { position, notes }: NotedTransaction,
): Promise<void> {
  const { spec, source, plan, journal, statistics, signal } = attempt;
  const mappings = parseTableMappings(spec.tableMappings);
  const { altered, dropped } = sortNotes(plan.tables, notes);
  const isLeft = ({ notes: some }: FollowedTable): boolean =>
    some.length > 0 && selectTables([some.at(-1)!.id], mappings).length === 0;
  const followed = altered.filter((table) => !isLeft(table));
  const gone = [...dropped, ...altered.filter(isLeft).map(({ from }) => from)];
  const tables = await notedTables(source, { followed, position }, signal);
  const renamed = followed.filter(({ from }, i) => tableKey(from.source.id) !== tableKey(tables[i]!.id));
  const forgotten = [...gone, ...renamed.map(({ from }) => from)];
  await attempt.validation?.anew(
    followed.map(({ from }) => from.source.id),
    journal,
    signal,
  );
  await journal.forgetTables(
    forgotten.map((table: TablePlan) => ({ source: table.source.id, target: table.target.id })),
    signal,
  );
  await journal.setShapes(
    tables.map((table, i) => ({ id: table.id, shape: shapeOf(table, followed[i]!) })),
    signal,
  );
  for (const { source: table } of gone) statistics.renamed(table.id, undefined);
  for (const { from } of followed) statistics.alteredThere(from.source.id);
  for (const [i, { from }] of followed.entries()) {
    if (renamed.includes(followed[i]!)) statistics.renamed(from.source.id, tables[i]!.id);
  }
}

/** With the number that the table has from now on. */
function shapeOf({ shape }: TableSchema, { notes }: FollowedTable): TableShape {
  const becomes = notes.at(-1)?.becomes;
  return becomes === undefined ? shape! : { ...shape!, table: becomes };
}
