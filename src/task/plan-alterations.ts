import type { Finding } from "../core/finding.ts";
import { describedTable, type MigrationPlan, readTable, type TablePlan, withTable } from "../core/plan.ts";
import type { Position } from "../core/position.ts";
import { type TableSchema, tableKey } from "../core/schema.ts";
import type { SchemaNote } from "../core/schema-note.ts";
import type { Source } from "../core/source.ts";
import type { TableAlteration } from "../core/table-alteration.ts";
import { bareShape } from "../core/table-shape.ts";
import { compilePlan } from "../mapping/plan.ts";
import { withOwnFills, withPlainShape } from "../mapping/rows/narrow-plan.ts";
import { ruleChange } from "../mapping/rows/rule-change.ts";
import { parseTableMappings } from "../mapping/table-mappings.ts";
import { TargetNames } from "../mapping/target-names.ts";
import type { Attempt } from "./attempt.ts";
import { lobSettings } from "./lob-settings.ts";
import { decisiveNote, isApplied } from "./noted-reasons.ts";
import { keptShape, withFirstFills, withLater } from "./noted-tables.ts";
import { targetSchema } from "./target-schema.ts";

export interface FollowedTable {
  readonly from: TablePlan;
  /** In turn; none when it only lost indexes. */
  readonly notes: readonly SchemaNote[];
  /** Indexes. */
  readonly lost: readonly string[];
}

export interface Alterations {
  readonly plan: MigrationPlan;
  readonly tables: readonly TableAlteration[];
  /** Tables that cannot be followed after all; `how` follows "The table". */
  readonly refused: readonly { readonly table: TableSchema; readonly how: string }[];
}

/** Compiles tables as notes describe them, by the rules, with what these come to for others. */
export async function planAlterations(
  { spec, settings, source, target, plan: current, journal, signal }: Attempt,
  { followed, position }: { readonly followed: readonly FollowedTable[]; readonly position: Position },
): Promise<Alterations> {
  const tables = await notedTables(source, { followed, position }, signal);
  const request = {
    ...{ tables: tables.map(({ id }) => id), wholeSchemas: undefined },
    ...{ objects: false, rights: false, largeObjects: false },
  };
  const altered = new Map(tables.map((table) => [table.shape!.table, table]));
  const now = await source.describe(request, signal);
  // With those that foreign keys lead to, in one order: of two indexes of one name the later gets another.
  const names = new Set(tables.map(({ id }) => tableKey(id)));
  const all = current.tables.flatMap((table) => {
    const after = altered.get(table.source.shape?.table ?? "");
    if (after !== undefined) return [after];
    // Only one that is set aside has a name that another takes: see withoutTaking().
    return names.has(tableKey(table.source.id)) ? [] : [describedTable(table)];
  });
  const catalog = { ...now, tables: all };
  const mappings = parseTableMappings(spec.tableMappings);
  const compiled = compilePlan({
    ...{ catalog, mappings, targetSchema: targetSchema(settings, target) },
    replicates: true,
    lobSettings: lobSettings(settings, source),
  });
  const converted = target.convert(compiled.plan).plan;
  const plan = { ...converted, tables: converted.tables.map(withOwnFills) };
  const planned = tablesByNumber(plan.tables);
  const targetNames = new TargetNames(mappings, targetSchema(settings, target));
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
          .map(({ id, labels }) => ({ id: targetNames.withinSchema(id), labels }));
        const note = decisiveNote(describedTable(from), notes);
        const withParts = made.has(tableKey(from.source.id));
        const sides = {
          from: withPlainShape(from),
          to: renumbered(withPlainShape(to), notes.at(-1)?.becomes),
        };
        return { ...sides, note, enums, isApplied: isApplied(settings, notes), withParts };
      }),
  };
}

/** Tables as the last of their notes describe them. */
export async function notedTables(
  source: Source,
  { followed, position }: { readonly followed: readonly FollowedTable[]; readonly position: Position },
  signal: AbortSignal,
): Promise<readonly TableSchema[]> {
  const described = await source.describeNoted(
    followed.flatMap(({ notes }) => notes.at(-1) ?? []),
    signal,
  );
  const found = new Map(described.map((table) => [table.shape!.table, table]));
  return followed.map(({ from, notes, lost }) => {
    const { shape, ...same } = describedTable(from);
    const before = bareShape(shape!);
    const left = same.indexes.filter(({ name }) => !lost.includes(name));
    const table = found.get(before.table) ?? { ...same, indexes: left, shape: before };
    return withLater({
      ...table,
      shape: withFirstFills(keptShape(table, { position, before, isNoted: true }), notes),
    });
  });
}

/** The plan with the number that its table has from now on. */
function renumbered(plan: TablePlan, table: string | undefined): TablePlan {
  const { shape } = readTable(plan);
  return table === undefined || shape === undefined ? plan : withTable(plan, { shape: { ...shape, table } });
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
  if (there === undefined || note === undefined || there.unnumbered === true) return true;
  const told = new Set(note.shape.columns.map(({ number }) => number));
  return there.columns.every(({ number }) => number > note.shape.columnsEver || told.has(number));
}

export function tablesByNumber(tables: readonly TablePlan[]): ReadonlyMap<string, TablePlan> {
  return new Map(
    tables.flatMap((plan) => (plan.source.shape === undefined ? [] : [[plan.source.shape.table, plan]])),
  );
}
