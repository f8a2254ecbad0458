import type { MigrationPlan, TablePlan } from "../../../core/plan.ts";
import { displayTable, type Sequence, tableKey } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";

/** The plan with other tables, and with sequences that are the counters of their columns. */
export function withTables(
  plan: MigrationPlan,
  tables: readonly TablePlan[],
  notes: ConvertNotes,
): MigrationPlan {
  const byTarget = new Map(tables.map((table) => [tableKey(table.target.id), table.target]));
  const sequences = plan.sequences.flatMap((pair) => {
    const counter = counterOf(pair.target, byTarget);
    if (counter !== undefined) return { source: pair.source, target: counter };
    notes.together(displayTable(pair.source.id), {
      ...{ code: "convert.object", severity: "info", subject: "sequence" },
      message: "Sequences that are not a column's own counter are left out",
    });
    return [];
  });
  const target = {
    ...plan.target,
    tables: plan.target.tables.map((table) => byTarget.get(tableKey(table.id)) ?? table),
    sequences: sequences.map((pair) => pair.target),
  };
  return { ...plan, tables, sequences, target };
}

/** A counter is known by its table, of which it is the only one. */
function counterOf(
  sequence: Sequence,
  tables: ReadonlyMap<string, TablePlan["target"]>,
): Sequence | undefined {
  const { ownedBy } = sequence;
  if (ownedBy === undefined) return undefined;
  const table = tables.get(tableKey(ownedBy.table));
  const column = table?.columns.find(({ name }) => name === ownedBy.column);
  if (table === undefined || column?.identity === undefined) return undefined;
  return { id: table.id, native: "", ownedBy, internal: true };
}
