import { pause } from "../base/backoff.ts";
import { failpoint } from "../base/failpoint.ts";
import { MigrationError } from "../core/error.ts";
import { describedTable } from "../core/plan.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import {
  isSameDefinition,
  isSameShape,
  type ShapedTable,
  type TableShape,
  withKnownNumbers,
} from "../core/table-shape.ts";
import type { ColumnAddition } from "../core/target.ts";
import { selectTables } from "../mapping/selection.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { type Attempt, AttemptOutdated, TablesUntold } from "./attempt.ts";
import { noteTables } from "./note-alterations.ts";
import { keptShape } from "./noted-tables.ts";
import { markForReload } from "./preparation.ts";
import { asWarning, giveColumnRights } from "./run-objects.ts";
import { isComplete, type SchemaChanges, withHistory } from "./schema-changes.ts";
import { comesFrom } from "./select-relations.ts";

/**
 * Makes the target follow what has become of the source's tables. What is recorded of them comes last: after a
 * crash before that the same is found out again, and a column that is there already stays.
 */
export async function followSchemaChanges(
  attempt: Attempt,
  { additions, outdated, shapes }: Pick<SchemaChanges, "additions" | "outdated" | "shapes">,
): Promise<void> {
  const { spec, settings, target, plan, journal, errors, statistics, signal } = attempt;
  if (settings.validation.only) return await noteTables(attempt, shapes);
  await markForReload(attempt, outdated);
  const wanted = additions.filter(({ plan: { source } }) => !errors.isSuspended(source.id));
  // A new column's type may be as new as the column. A task that makes nothing finds its types made.
  if (wanted.length > 0 && spec.type !== "cdc") {
    const failures = await target.prepareSchema({ plan, replace: false, isBegun: true }, signal);
    for (const failure of failures) statistics.finding(asWarning(failure));
  }
  const others = wanted.length > 0 ? await tablesWithout(attempt, wanted) : [];
  await attempt.validation?.anew(
    wanted.map(({ plan: { source } }) => source.id),
    journal,
    signal,
  );
  for (const [i, outcome] of (await target.addColumns(wanted, others, signal)).entries()) {
    const { id } = wanted[i]!.plan.source;
    if (outcome instanceof MigrationError) await errors.handle(id, outcome, signal);
    else statistics.altered(id);
  }
  if (wanted.length > 0) failpoint("prepare.columns-added");
  await giveColumnRights(
    attempt,
    wanted.filter(({ plan: { source } }) => !errors.isSuspended(source.id)),
  );
  await journal.setShapes(
    shapes.filter(({ id }) => !errors.isSuspended(id)),
    signal,
  );
}

/** Tables of the target that are loaded and get no columns. */
async function tablesWithout(
  { plan, journal, errors, signal }: Attempt,
  additions: readonly ColumnAddition[],
): Promise<readonly TableId[]> {
  const getting = new Set(additions.map((addition) => tableKey(addition.plan.source.id)));
  const loaded = new Set((await journal.tables(signal)).filter(isComplete).map(({ id }) => tableKey(id)));
  return plan.tables
    .filter(({ source: { id } }) => loaded.has(tableKey(id)) && !getting.has(tableKey(id)))
    .filter(({ source }) => !errors.isSuspended(source.id))
    .map(({ target }) => target.id);
}

/** How long a change that the stream has shown may take to be seen in the catalog. */
const SEEN_WITHIN_MS = 2_000;
const LOOK_AGAIN_MS = 20;

/**
 * Whether the source's table is not what the attempt was planned with: then another attempt is worth it. A commit is in
 * the log, and so in the stream, a moment before other sessions see what it has done: one look is not enough for what the
 * stream has shown.
 */
export async function isPlanOutdated(attempt: Attempt, table: TableId): Promise<boolean> {
  for (const deadline = performance.now() + SEEN_WITHIN_MS; ; ) {
    const shapes = await shapesOf(attempt, table);
    if (shapes === undefined) return false;
    if (!isSameShape(shapes.known, shapes.now)) return true;
    if (performance.now() > deadline) return false;
    await pause(LOOK_AGAIN_MS, attempt.signal);
  }
}

/** Whether the source's table was altered since the attempt was planned, and cannot be read as it was. */
export async function isAltered(attempt: Attempt, table: TableId): Promise<boolean> {
  const shapes = await shapesOf(attempt, table);
  return shapes !== undefined && !isSameDefinition(shapes.known, shapes.now);
}

/** What a table was when the attempt was planned, and is now; undefined where the one or the other is not known. */
async function shapesOf(
  { source, plan, signal }: Attempt,
  table: TableId,
): Promise<{ readonly known: TableShape; readonly now: TableShape } | undefined> {
  const known = plan.tables.find((one) => tableKey(one.source.id) === tableKey(table))?.source.shape;
  const request = {
    ...{ tables: [table], wholeSchemas: undefined },
    ...{ objects: false, rights: false, largeObjects: false },
  };
  const now = (await source.describe(request, signal)).tables[0]?.shape;
  if (known === undefined || now === undefined) return undefined;
  return { known, now: withKnownNumbers(now, known) };
}

/** Lets the journal keep what tables are, so that the notes of what becomes of them can be followed from there. */
export async function rememberTables({ plan, journal, errors, notes, signal }: Attempt): Promise<void> {
  if (!notes.kept) return;
  const journaled = new Map((await journal.tables(signal)).map((table) => [tableKey(table.id), table]));
  const shapes = plan.tables.map(describedTable).flatMap((table) => {
    const known = journaled.get(tableKey(table.id));
    const isNew = known !== undefined && isComplete(known) && known.shape?.described === undefined;
    if (!isNew || table.shape === undefined || errors.isSuspended(table.id)) return [];
    return [{ id: table.id, shape: keptShape(table, known.shape?.place) }];
  });
  await journal.setShapes(shapes, signal);
}

/** Notices what becomes of the source's tables while their changes are applied. */
export class SchemaWatch {
  readonly #attempt: Attempt;
  #tables: readonly TableSchema[];

  constructor(attempt: Attempt) {
    this.#attempt = attempt;
    this.#tables = attempt.streamRequest.tables;
  }

  /**
   * Throws AttemptOutdated when there are tables that the attempt was not planned with, which the next one loads, and
   * `source.table_changed` for a table that has to be looked at. What does not concern rows is recorded:
   * that a table was written anew yesterday says nothing about a column that it gets today. `takesNew`: new tables
   * count now; another attempt would be the end of what goes on beside the changes. `passes` resolves when the stream has
   * come to where the log ends now: until then the source's notes may tell of a change. Without it the stream has.
   */
  async check({ takesNew, passes, signal }: SchemaCheck): Promise<void> {
    const { spec, source, journal, errors, selected, notes } = this.#attempt;
    if (takesNew) {
      const tables = await source.listTables(signal);
      const mappings = parseTableMappings(spec.tableMappings);
      const isComing = comesFrom(source, { tables, mappings, known: selected });
      const isNew = (id: TableId): boolean => !selected.has(tableKey(id)) && isComing(id);
      if (selectTables(tables, mappings).some(isNew)) throw new AttemptOutdated();
    }
    const look = async (): Promise<readonly ShapedTable[]> => {
      const watched = this.#tables.filter(({ id }) => !errors.isSuspended(id));
      return await source.checkTables(watched, signal);
    };
    const found = await (notes.kept ? this.#lookTwice(look, passes) : look());
    const changed = new Map<string, TableShape>();
    for (const { id, shape } of found) changed.set(tableKey(id), shape);
    const shapes: ShapedTable[] = [];
    this.#tables = this.#tables.map((table) => {
      const now = changed.get(tableKey(table.id));
      if (now === undefined || table.shape === undefined) return table;
      // Of what has a note of its own nothing is recorded before that comes.
      if (notes.kept && !isSameDefinition(table.shape, now)) return table;
      const { described } = table.shape;
      const shape = { ...withHistory(table.shape, now), ...(described === undefined ? {} : { described }) };
      shapes.push({ id: table.id, shape });
      return { ...table, shape };
    });
    await journal.setShapes(shapes, signal);
  }

  async #lookTwice(
    look: () => Promise<readonly ShapedTable[]>,
    passes: SchemaCheck["passes"],
  ): Promise<readonly ShapedTable[]> {
    try {
      return await look();
    } catch (error) {
      const table = changedTable(error);
      if (table === undefined) throw error;
      const isAwaited = this.#attempt.notes.awaited.some((id) => tableKey(id) === tableKey(table));
      if (passes === undefined) throw isAwaited ? new TablesUntold([table]) : new AttemptOutdated();
    }
    await passes();
    try {
      return await look();
    } catch (error) {
      const table = changedTable(error);
      throw table === undefined ? error : new TablesUntold([table]);
    }
  }
}

export interface SchemaCheck {
  readonly takesNew: boolean;
  readonly passes?: () => Promise<void>;
  readonly signal: AbortSignal;
}

function changedTable(error: unknown): TableId | undefined {
  return error instanceof MigrationError && error.code === "source.table_changed" ? error.table : undefined;
}
