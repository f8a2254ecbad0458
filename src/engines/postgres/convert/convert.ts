import type { MigrationPlan, TablePlan } from "../../../core/plan.ts";
import { type Catalog, displayTable, type Sequence, type TableId, tableKey } from "../../../core/schema.ts";
import type { ConvertedPlan } from "../../../core/target.ts";
import { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import { finding } from "../../shared/finding.ts";
import { convertColumns } from "./convert-columns.ts";
import { claimName, nameFault, RelationNames, schemaNameFault } from "./convert-names.ts";
import { convertConstraints, convertIndexes } from "./convert-parts.ts";
import { signedColumns } from "./convert-references.ts";
import { postgresType } from "./convert-type.ts";

const DIALECT = "postgres";

/**
 * Puts the target side of a plan that comes from MySQL or MariaDB into PostgreSQL's dialect. What the target cannot
 * compute, such as generated columns, is read from the source like any other column. Asks no server. `geometry`: see ColumnContext.
 */
export function convertPlan(plan: MigrationPlan, geometry?: string): ConvertedPlan {
  if (plan.target.dialect === DIALECT) return { plan: withRuledTypes(plan), findings: [] };
  const notes = new ConvertNotes();
  const names = new RelationNames();
  for (const { target } of plan.tables) names.add(target.id);
  const sequences = convertSequences(plan, names);
  const tables = convertTables(plan, { names, notes, sequences, geometry });
  const byTarget = new Map(tables.map((table) => [tableKey(table.target.id), table.target]));
  const owned = withOwners(sequences, tables);
  const target: Catalog = {
    dialect: DIALECT,
    serverVersion: plan.target.serverVersion,
    schemas: plan.target.schemas,
    types: [],
    sequences: owned.map((sequence) => sequence.target),
    tables: plan.target.tables.map(({ id }) => byTarget.get(tableKey(id))!),
    objects: [],
    rights: [],
  };
  noteLeftOut(plan, notes);
  return {
    plan: { tables, sequences: owned, target },
    findings: [...nameFindings(plan), ...notes.findings()],
  };
}

/** Names the types of columns that rules give one; everything else is in this dialect. */
function withRuledTypes(plan: MigrationPlan): MigrationPlan {
  const isRuled = ({ target }: TablePlan): boolean => target.columns.some(({ typedByRule }) => typedByRule);
  if (!plan.tables.some(isRuled)) return plan;
  const tables = plan.tables.map((table) => {
    if (!isRuled(table)) return table;
    const columns = table.target.columns.map((column) => {
      return column.typedByRule === true ? { ...column, nativeType: postgresType(column.type) } : column;
    });
    return { ...table, target: { ...table.target, columns } };
  });
  const byTarget = new Map(tables.map(({ target }) => [tableKey(target.id), target]));
  const all = plan.target.tables.map(({ id }) => byTarget.get(tableKey(id))!);
  return { ...plan, tables, target: { ...plan.target, tables: all } };
}

type SequencePlan = MigrationPlan["sequences"][number];

interface Context {
  readonly names: RelationNames;
  readonly notes: ConvertNotes;
  readonly sequences: readonly SequencePlan[];
  readonly geometry: string | undefined;
}

function convertTables(plan: MigrationPlan, context: Context): readonly TablePlan[] {
  const { names, notes, sequences, geometry } = context;
  const signed = signedColumns(plan.tables);
  const bySource = new Map(sequences.map(({ source, target }) => [tableKey(source.id), target.id]));
  const sequenceOf = (id: TableId): TableId | undefined => bySource.get(tableKey(id));
  const columns = inNameOrder(plan.tables).map((table) =>
    convertColumns(table, { signed, sequenceOf, notes, geometry }),
  );
  // Indexes of all tables before foreign keys, which need to know what is unique.
  const indexed = columns.map((table) => convertIndexes(table, { names, notes }));
  const byTarget = new Map(indexed.map((table) => [tableKey(table.plan.target.id), table]));
  const done = new Map(
    indexed.map((table) => [tableKey(table.plan.target.id), convertConstraints(table, byTarget, notes)]),
  );
  return plan.tables.map(({ target }) => done.get(tableKey(target.id))!);
}

/** The order of loading changes with the tables' sizes; who gets a name must not change with it. */
function inNameOrder(tables: readonly TablePlan[]): readonly TablePlan[] {
  const byKey = new Map(tables.map((table) => [tableKey(table.source.id), table]));
  return [...byKey.keys()].toSorted().map((key) => byKey.get(key)!);
}

/** An identity column's sequence starts like its column; one of its own has the source's bounds. */
function convertSequences({ sequences }: MigrationPlan, names: RelationNames): readonly SequencePlan[] {
  const inOrder = sequences.toSorted((a, b) => Number(a.target.internal) - Number(b.target.internal));
  return inOrder.map(({ source, target }) => {
    const { schema } = target.id;
    const id = { schema, name: claimName([target.id.name], names.taken(schema)) };
    return {
      source,
      target: { ...target, id, native: target.internal ? "" : sequenceNative(target.native) },
    };
  });
}

const SEQUENCE_PARTS =
  /\b(start|increment|minvalue|maxvalue|cache)(?:\s+(?:with|by))?\s*=?\s*(-?\d+)|\b(no\s*cycle|cycle)\b/gi;

function sequenceNative(native: string): string {
  const parts = [...native.matchAll(SEQUENCE_PARTS)].flatMap(([, word, number, cycle]) => {
    if (cycle !== undefined) return /^no/i.test(cycle) ? "no cycle" : "cycle";
    const name = word!.toLowerCase();
    // MariaDB: an increment of 0 is the server's setting, and without a cache there is one number at a time.
    const least = (name === "increment" || name === "cache") && number === "0" ? "1" : number;
    return `${name} ${least}`;
  });
  return ["as bigint", ...parts].join(" ");
}

/** Sequences of columns that are still identities, with those columns' names. */
function withOwners(
  sequences: readonly SequencePlan[],
  tables: readonly TablePlan[],
): readonly SequencePlan[] {
  const columns = new Map(
    tables.flatMap(({ source, target }) =>
      source.columns.map(
        ({ name }, i) => [ownerKey({ table: target.id, column: name }), target.columns[i]!] as const,
      ),
    ),
  );
  return sequences.flatMap(({ source, target }) => {
    if (target.ownedBy === undefined) return { source, target };
    const column = columns.get(ownerKey(target.ownedBy));
    if (target.internal && column?.identity === undefined) return [];
    const ownedBy = { ...target.ownedBy, column: column?.name ?? target.ownedBy.column };
    return { source, target: { ...target, ownedBy } };
  });
}

function ownerKey({ table, column }: NonNullable<Sequence["ownedBy"]>): string {
  return `${tableKey(table)}.${column}`;
}

function nameFindings({ tables, target }: MigrationPlan): ConvertedPlan["findings"] {
  const schemas = target.schemas.flatMap(({ name }) => {
    const fault = schemaNameFault(name);
    if (fault === undefined) return [];
    const message = `A schema would be named ${JSON.stringify(name)} on the target, which ${fault}.`;
    return finding("mapping.schema_name_invalid", "error", { subject: name, message });
  });
  const named = tables.flatMap((plan) => {
    const { name } = plan.target.id;
    const fault = nameFault(name);
    if (fault === undefined) return [];
    const message = `${displayTable(plan.source.id)} would be named ${JSON.stringify(name)} on the target, which ${fault}.`;
    const remedy = "Give the table a shorter name by a rename rule.";
    const subject = displayTable(plan.source.id);
    return finding("mapping.table_name_invalid", "error", {
      subject,
      table: plan.source.id,
      message,
      remedy,
    });
  });
  return [...schemas, ...named];
}

function noteLeftOut({ target }: MigrationPlan, notes: ConvertNotes): void {
  const tell = (kind: string, name: string): void =>
    notes.together(name, {
      ...{ code: "convert.object", severity: "warning", subject: kind },
      message: `Objects of the kind ${kind} are written in the source's dialect and are left out`,
    });
  for (const { kind, id } of [...target.objects, ...target.types]) tell(kind, displayTable(id));
  for (const { kind, id } of target.rights) tell(`rights of ${kind}`, displayTable(id));
}
