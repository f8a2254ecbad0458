import { MigrationError } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { readTable, type TablePlan } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import type { NotedTransaction, SchemaNote, TableParts } from "../core/schema-note.ts";
import type { TableAlteration } from "../core/table-alteration.ts";
import { bareShape, isSameDefinition, tableChanged } from "../core/table-shape.ts";
import { ApplyMode } from "../core/target.ts";
import { compilePlan } from "../mapping/plan.ts";
import { withOwnFills, withPlainShape } from "../mapping/rows/narrow-plan.ts";
import { ruleChange } from "../mapping/rows/rule-change.ts";
import { selectTables } from "../mapping/selection.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { TargetNames } from "../mapping/target-names.ts";
import type { TableRules } from "../pipeline/apply-modes.ts";
import { type Attempt, AttemptOutdated } from "./attempt.ts";
import { decisiveNote, isApplied, whyNotFollowed } from "./noted-reasons.ts";
import { keptShape, withFirstFills, withLater } from "./noted-tables.ts";
import { asWarning } from "./run-objects.ts";
import { leavesColumnsOut } from "./schema-changes.ts";
import { targetSchema } from "./target-schema.ts";

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
export function noteFilter(
  attempt: Attempt,
  rules: TableRules,
  takesNew: () => boolean,
): (note: SchemaNote, position: Position) => boolean {
  const { spec, plan, selected, errors, notes } = attempt;
  const mappings = parseTableMappings(spec.tableMappings);
  const plans = tablesByNumber(plan.tables);
  const isPlanned = (position: Position): boolean => rules.reaches(notes.planned!, position);
  return (note, position) => {
    const isIndex = note.dropped && !plans.has(note.shape.table);
    const planned = isIndex ? ownerOf(note.id, plan.tables) : plans.get(note.shape.table);
    if (planned === undefined) {
      if (isIndex || !takesNew() || selected.has(tableKey(note.id)) || isPlanned(position)) return false;
      return selectTables([note.id], mappings).length > 0;
    }
    const table = readTable(planned);
    const shape = table.shape!;
    if (errors.isSuspended(table.id) || leavesColumnsOut(shape)) return false;
    if (rules.mode(table, position) === ApplyMode.skip) return false;
    if (shape.place !== undefined && rules.reaches(shape.place.position, position)) return false;
    // Such a table was taken as it is, and what had led to that is over.
    if (!notes.recalled.has(tableKey(table.id)) && isPlanned(position)) return false;
    if (isIndex || note.isOfType || tableKey(note.id) !== tableKey(table.id)) return true;
    return !isSameDefinition(shape, note.shape) || hasOtherParts(table, note);
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
  const plans = tablesByNumber(attempt.plan.tables);
  const followed: FollowedTable[] = [];
  const dropped: TablePlan[] = [];
  const indexes: { readonly owner: TablePlan; readonly name: string }[] = [];
  for (const [number, some] of Map.groupBy(notes, ({ shape }) => shape.table)) {
    const from = plans.get(number);
    if (from === undefined) {
      const owner = some[0]!.dropped ? ownerOf(some[0]!.id, attempt.plan.tables) : undefined;
      if (owner !== undefined) indexes.push({ owner, name: some[0]!.id.name });
      continue;
    }
    if (some.some((note) => note.dropped)) {
      dropped.push(from);
      continue;
    }
    const how = whyNotFollowed(readTable(from), some, { mappings, isApplied: isApplied(settings, some) });
    if (how === undefined) followed.push({ from, notes: some, lost: [] });
    else await errors.handle(from.source.id, tableChanged(from.source.id, how), signal);
  }
  const settled = new Set(
    [...plans]
      .filter(([number]) => notes.some(({ shape }) => shape.table === number))
      .map(([, plan]) => plan),
  );
  for (const [owner, some] of Map.groupBy(indexes, (index) => index.owner)) {
    // A note of the table's own tells all of it.
    if (!settled.has(owner)) followed.push({ from: owner, notes: [], lost: some.map(({ name }) => name) });
  }
  await dropTables(attempt, dropped);
  if (followed.length === 0) return;
  const alterations = await planAlterations(attempt, { followed, position });
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

interface FollowedTable {
  readonly from: TablePlan;
  /** In turn; none when it only lost indexes. */
  readonly notes: readonly SchemaNote[];
  /** Indexes. */
  readonly lost: readonly string[];
}

/** The table that an index is part of. */
function ownerOf({ schema, name }: TableId, tables: readonly TablePlan[]): TablePlan | undefined {
  return tables.find(
    (plan) => plan.source.id.schema === schema && readTable(plan).indexes.some((one) => one.name === name),
  );
}

function hasOtherParts(table: TableSchema, { parts }: SchemaNote): boolean {
  const text = ({ indexes, checks, foreignKeys, key, rowIdentity }: TableParts): string =>
    JSON.stringify([indexes, checks, foreignKeys, key, rowIdentity]);
  return parts !== undefined && text(parts) !== text(table);
}

function tablesByNumber(tables: readonly TablePlan[]): ReadonlyMap<string, TablePlan> {
  return new Map(
    tables.flatMap((plan) => (plan.source.shape === undefined ? [] : [[plan.source.shape.table, plan]])),
  );
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
    await errors.handle(source.id, tableChanged(source.id, "was dropped"), signal);
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

interface Alterations {
  readonly plan: ReturnType<typeof compilePlan>["plan"];
  readonly tables: readonly TableAlteration[];
  /** Tables that cannot be followed after all; `how` follows "The table". */
  readonly refused: readonly { readonly table: TableSchema; readonly how: string }[];
}

async function planAlterations(
  { spec, settings, source, target, plan: current, journal, signal }: Attempt,
  { followed, position }: { readonly followed: readonly FollowedTable[]; readonly position: Position },
): Promise<Alterations> {
  const described = await source.describeNoted(
    followed.flatMap(({ notes }) => notes.at(-1) ?? []),
    signal,
  );
  const found = new Map(described.map((table) => [table.shape!.table, table]));
  const tables = followed.map(({ from, notes, lost }) => {
    const { shape, ...same } = readTable(from);
    const before = bareShape(shape!);
    const left = same.indexes.filter(({ name }) => !lost.includes(name));
    const table = found.get(before.table) ?? { ...same, indexes: left, shape: before };
    return withLater({ ...table, shape: withFirstFills(keptShape(table, { position, before }), notes) });
  });
  const request = {
    ...{ tables: tables.map(({ id }) => id), wholeSchemas: undefined },
    ...{ objects: false, rights: false, largeObjects: false },
  };
  const altered = new Map(tables.map((table) => [table.shape!.table, table]));
  const now = await source.describe(request, signal);
  // With those that foreign keys lead to, in one order: of two indexes of one name the later gets another.
  const all = current.tables.map((table) => altered.get(table.source.shape?.table ?? "") ?? readTable(table));
  const catalog = { ...now, tables: all };
  const mappings = parseTableMappings(spec.tableMappings);
  const compiled = compilePlan({ catalog, mappings, targetSchema: targetSchema(settings, target) });
  const converted = target.convert(compiled.plan).plan;
  const plan = { ...converted, tables: converted.tables.map(withOwnFills) };
  const planned = tablesByNumber(plan.tables);
  const names = new TargetNames(mappings, targetSchema(settings, target));
  const made = new Set(
    (await journal.tables(signal)).filter(({ created }) => created).map(({ id }) => tableKey(id)),
  );
  const fates = followed.map((table) => {
    const to = planned.get(table.from.source.shape!.table)!;
    const how = isTrue(table, now.tables)
      ? (refusalOf(to, compiled.findings) ?? ruleChange(table.from, to))
      : "is noted as without a column that it has";
    return { ...table, to, how };
  });
  return {
    plan,
    refused: fates.flatMap(({ from, how }) => (how === undefined ? [] : { table: from.source, how })),
    tables: fates
      .filter(({ how }) => how === undefined)
      .map(({ from, to, notes }) => {
        const enums = notes
          .flatMap((note) => note.enums)
          .map(({ id, labels }) => ({ id: names.withinSchema(id), labels }));
        const note = decisiveNote(readTable(from), notes);
        const withParts = made.has(tableKey(from.source.id));
        const sides = { from: withPlainShape(from), to: withPlainShape(to) };
        return { ...sides, note, enums, isApplied: isApplied(settings, notes), withParts };
      }),
  };
}

/** Why the rules do not take a table as it is now. */
function refusalOf({ source }: TablePlan, findings: readonly Finding[]): string | undefined {
  const key = tableKey(source.id);
  const isRefusal = ({ severity, table }: Finding): boolean =>
    severity === "error" && table !== undefined && tableKey(table) === key;
  const found = findings.find(isRefusal);
  return found === undefined ? undefined : `is not what its table mappings need: ${found.message}`;
}

/** A column that is dropped does not come back: one that the source has is not. See stillThere(). */
function isTrue({ notes }: FollowedTable, now: readonly TableSchema[]): boolean {
  const note = notes.at(-1);
  const there = now.find(({ shape }) => shape !== undefined && shape.table === note?.shape.table)?.shape;
  if (there === undefined || note === undefined) return true;
  const told = new Set(note.shape.columns.map(({ number }) => number));
  return there.columns.every(({ number }) => number > note.shape.columnsEver || told.has(number));
}

function nullableColumn({ id }: TableSchema, column: string): Finding {
  const code = "target.column_nullable";
  return {
    ...{ code, severity: "warning", subject: displayTable(id), table: id },
    message: `The column ${column} became NOT NULL in the transaction that gave its rows their values; on the target it takes NULLs.`,
    remedy: errorTable[code].remedy,
  };
}
