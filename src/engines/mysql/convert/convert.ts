import type { MigrationPlan } from "../../../core/plan.ts";
import { displayTable, tableKey } from "../../../core/schema.ts";
import type { ConvertedPlan } from "../../../core/target.ts";
import { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import type { OutOfRange } from "../values/out-of-range.ts";
import { convertChecks } from "./convert-checks.ts";
import { convertIndexes } from "./convert-indexes.ts";
import { checkPlanNames, DatabaseNames, lowerCased } from "./convert-names.ts";
import { convertReferences } from "./convert-references.ts";
import { convertSame } from "./convert-same.ts";
import { withTables } from "./convert-sequences.ts";
import { convertTable } from "./convert-table.ts";

/** What the engine's catalogs are written in, of MySQL and MariaDB alike. */
export const DIALECT = "mysql";

/** Puts the target side of a plan into the words of this server. Asks it nothing. */
export function convertPlan(given: MigrationPlan, facts: ServerFacts, choices: OutOfRange): ConvertedPlan {
  const notes = new ConvertNotes();
  const plan = facts.lowerCaseTableNames === 0 ? given : lowerCased(given);
  const converted =
    plan.target.dialect === DIALECT
      ? convertSame(plan, facts, notes)
      : convertForeign(plan, { facts, choices, notes });
  checkPlanNames(converted, notes);
  noteLeftOut(plan, notes);
  const target = { ...converted.target, dialect: DIALECT, types: [], objects: [], rights: [] };
  return { plan: { ...converted, target }, findings: notes.findings() };
}

interface ForeignContext {
  readonly facts: ServerFacts;
  readonly choices: OutOfRange;
  readonly notes: ConvertNotes;
}

function convertForeign(plan: MigrationPlan, { facts, choices, notes }: ForeignContext): MigrationPlan {
  const referenced = referencedColumns(plan);
  const counters = countedColumns(plan);
  const checkNames = new DatabaseNames();
  const made = plan.tables.map((table) => {
    const key = tableKey(table.target.id);
    const options = {
      facts,
      choices,
      notes,
      referenced: referenced.get(key) ?? [],
      counters: counters.get(key) ?? new Set(),
    };
    const { plan: converted, types, expressions } = convertTable(table, options);
    const checks = convertChecks(converted, { facts, notes, expressions, names: checkNames });
    const indexes = convertIndexes(converted, { types, notes, facts, expressions });
    return { ...converted, target: { ...converted.target, checks, indexes } };
  });
  const byTarget = new Map(made.map((table) => [tableKey(table.target.id), table]));
  const names = new DatabaseNames();
  const tables = made.map((table) => {
    const foreignKeys = convertReferences(table, { converted: byTarget, notes, names });
    return { ...table, target: { ...table.target, foreignKeys } };
  });
  return withTables(plan, tables, notes);
}

function countedColumns({ target }: MigrationPlan): ReadonlyMap<string, Set<string>> {
  const counters = new Map<string, Set<string>>();
  for (const { ownedBy } of target.sequences) {
    if (ownedBy === undefined) continue;
    const key = tableKey(ownedBy.table);
    const known = counters.get(key) ?? new Set();
    counters.set(key, known.add(ownedBy.column));
  }
  return counters;
}

function referencedColumns({ tables }: MigrationPlan): ReadonlyMap<string, (readonly string[])[]> {
  const referenced = new Map<string, (readonly string[])[]>();
  for (const { target } of tables) {
    for (const { references, referencedColumns: columns } of target.foreignKeys) {
      const key = tableKey(references);
      const known = referenced.get(key) ?? [];
      referenced.set(key, known);
      known.push(columns);
    }
  }
  return referenced;
}

function noteLeftOut({ target }: MigrationPlan, notes: ConvertNotes): void {
  const tell = (kind: string, name: string): void =>
    notes.together(name, {
      ...{ code: "convert.object", severity: "warning", subject: kind },
      message: `Objects of the kind ${kind} are left out`,
    });
  for (const { kind, id } of target.objects) tell(kind, displayTable(id));
  // An enum's labels stand in its columns here.
  for (const { kind, id } of target.types) if (kind !== "enum") tell(kind, displayTable(id));
  for (const { kind, id } of target.rights) tell(`rights of ${kind}`, displayTable(id));
}
