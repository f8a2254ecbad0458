import type { MigrationPlan, TablePlan } from "../../../core/plan.ts";
import { displayTable, type TableId, type TableSchema, tableKey } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";

const LONGEST_NAME = 64;

/** Tells of names that the server cannot have. */
export function checkPlanNames({ tables }: MigrationPlan, notes: ConvertNotes): void {
  const seen = new Map<string, TablePlan>();
  for (const plan of tables) {
    const { source, target } = plan;
    for (const name of [target.id.schema, target.id.name]) {
      const fault = nameFault(name);
      if (fault === undefined) continue;
      notes.about(source, "convert.name", `The name ${JSON.stringify(name)} ${fault}.`, "error");
    }
    const key = tableKey(target.id);
    const other = seen.get(key);
    if (other !== undefined) {
      const message = `The table would have the name of ${displayTable(other.source.id)}: the target tells names apart without regard to case.`;
      notes.about(source, "convert.name", message, "error");
    }
    seen.set(key, plan);
    checkColumnNames(plan, notes);
  }
}

function checkColumnNames({ source, target }: TablePlan, notes: ConvertNotes): void {
  const names = new Set<string>();
  for (const { name } of target.columns) {
    const fault =
      nameFault(name) ??
      (names.has(name.toLowerCase()) ? "is another column's, but for its case" : undefined);
    names.add(name.toLowerCase());
    if (fault === undefined) continue;
    notes.about(source, "convert.name", `The column name ${JSON.stringify(name)} ${fault}.`, "error");
  }
}

function nameFault(name: string): string | undefined {
  if ([...name].length > LONGEST_NAME) return `is longer than ${LONGEST_NAME} characters`;
  if (name !== name.trimEnd()) return "ends in a space";
  // Characters outside of the basic plane, and the one that ends texts, are in no name.
  return /[\0\u{10000}-\u{10ffff}]/u.test(name) ? "has a character that names cannot have" : undefined;
}

/** The plan with the names of tables as a server keeps and compares them that does not mind case. */
export function lowerCased(plan: MigrationPlan): MigrationPlan {
  const tables = plan.tables.map((table) => ({ ...table, target: lowerTable(table.target) }));
  const owned = (sequence: MigrationPlan["target"]["sequences"][number]) => {
    const { ownedBy } = sequence;
    return ownedBy === undefined
      ? sequence
      : { ...sequence, ownedBy: { ...ownedBy, table: lower(ownedBy.table) } };
  };
  return {
    tables,
    sequences: plan.sequences.map(({ source, target }) => ({ source, target: owned(target) })),
    target: {
      ...plan.target,
      schemas: plan.target.schemas.map((schema) => ({ ...schema, name: schema.name.toLowerCase() })),
      tables: plan.target.tables.map(lowerTable),
      sequences: plan.target.sequences.map(owned),
    },
  };
}

function lowerTable(table: TableSchema): TableSchema {
  const foreignKeys = table.foreignKeys.map((key) => ({ ...key, references: lower(key.references) }));
  return { ...table, id: lower(table.id), foreignKeys };
}

function lower({ schema, name }: TableId): TableId {
  return { schema: schema.toLowerCase(), name: name.toLowerCase() };
}

/** Names of constraints, which belong to a database here and not to their table. */
export class DatabaseNames {
  readonly #taken = new Map<string, Set<string>>();

  /** The name, or one with the table's before it where another table has it. */
  take({ schema, name: table }: TableId, name: string): string {
    const taken = this.#taken.get(schema) ?? new Set<string>();
    this.#taken.set(schema, taken);
    let free = name;
    for (let i = 1; taken.has(free.toLowerCase()); i++) {
      free = `${table}_${name}`.slice(0, LONGEST_NAME - 4) + (i > 1 ? `_${i}` : "");
    }
    taken.add(free.toLowerCase());
    return free;
  }
}
