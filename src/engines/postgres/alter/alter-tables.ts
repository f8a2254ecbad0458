import type pg from "pg";
import { failpoint } from "../../../base/failpoint.ts";
import type { MigrationError, TableOutcome } from "../../../core/error.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import { readTable } from "../../../core/plan.ts";
import { type Column, type TableId, tableKey } from "../../../core/schema.ts";
import type { SchemaNote } from "../../../core/schema-note.ts";
import type { AlteredTable, AlterTables, TableAlteration } from "../../../core/table-alteration.ts";
import { goneBeforeAlteration } from "../../shared/catalog/table-misfit.ts";
import { identifier, literal, qualified } from "../../shared/identifier.ts";
import { recordShapeSql } from "../apply/journal-sql.ts";
import { describeColumns } from "../catalog/catalog-columns.ts";
import { runNative } from "../catalog/native-ddl.ts";
import { APPLIED } from "../catalog/schema-notes-sql.ts";
import { findTables, hasVirtualColumns, type TargetTable } from "../catalog/target-table.ts";
import { errorCode } from "../connection/error-code.ts";
import { classify } from "../connection/errors.ts";
import { inTurn } from "../connection/in-turn.ts";
import { alterEnum } from "../load/alter-enum.ts";
import type { NoteText } from "../log/pgoutput-note.ts";
import { alteredAlone, partitionRoot, partitionsOf } from "./add-columns.ts";
import { alteredTogether, altersColumns, type Together } from "./alter-partitions.ts";
import { alterParts } from "./alter-parts.ts";
import {
  type ColumnSteps,
  columnSteps,
  defaultStatements,
  notNullColumns,
  structureStatements,
} from "./alter-steps.ts";

const NOT_NULL_VIOLATION = "23502";

/**
 * Makes tables follow the source's, those that are parts of one partitioned table together: its columns are theirs.
 * See Target.alterTables. The client must not be in a transaction.
 */
export async function alterTables(
  client: pg.Client,
  { alterations, others, marks }: AlterTables,
  journal: JournalRequest,
): Promise<readonly TableOutcome<AlteredTable>[]> {
  const outcomes = new Map<TableAlteration, TableOutcome<AlteredTable>>();
  const [applied, due] = [true, false].map((is) => alterations.filter(({ isApplied }) => isApplied === is));
  for (const alteration of applied!) {
    await client.query(recordSql(alteration, journal));
    outcomes.set(alteration, { nullable: [], failures: [] });
  }
  const found = await findTables(
    client,
    due!.map(({ from }) => from.target.id),
  );
  const placed: PlacedAlteration[] = [];
  for (const alteration of due!) {
    const table = found.get(tableKey(alteration.from.target.id));
    if (table === undefined) outcomes.set(alteration, goneBeforeAlteration(alteration.from));
    else {
      const root = await partitionRoot(client, table);
      placed.push({ alteration, table, root, steps: columnSteps(alteration) });
    }
  }
  for (const [, group] of Map.groupBy(placed, ({ root }) => tableKey(root))) {
    const below = await partitionsOf(client, group[0]!.root);
    const parts = group.map(({ alteration, steps }) => ({ id: alteration.from.target.id, steps }));
    const together = alteredTogether(parts, { below, others });
    const apart = group.filter(({ steps }) => !together.columns && altersColumns(steps));
    for (const { alteration } of apart) outcomes.set(alteration, alteredAlone(alteration.from));
    const rest = group.filter((one) => !apart.includes(one));
    const made = await alterGroup(client, rest, { together, marks, journal });
    for (const { alteration } of rest) outcomes.set(alteration, made.get(alteration)!);
  }
  return alterations.map((alteration) => outcomes.get(alteration)!);
}

interface PlacedAlteration {
  readonly alteration: TableAlteration;
  readonly table: TargetTable;
  /** The partitioned table above all others that it is part of; else the table itself. */
  readonly root: TableId;
  readonly steps: ColumnSteps;
}

interface GroupContext {
  readonly together: Together;
  readonly marks: boolean;
  readonly journal: JournalRequest;
}

function recordSql({ from, to }: TableAlteration, journal: JournalRequest): string {
  const { id, shape } = readTable(to);
  return recordShapeSql(journal, { from: from.source.id, to: id, shape: shape! }).join("; ");
}

async function alterGroup(
  client: pg.Client,
  group: readonly PlacedAlteration[],
  { together, marks, journal }: GroupContext,
): Promise<ReadonlyMap<TableAlteration, TableOutcome<AlteredTable>>> {
  if (group.length === 0) return new Map();
  const failed = (error: MigrationError): ReadonlyMap<TableAlteration, TableOutcome<AlteredTable>> =>
    new Map(group.map(({ alteration }) => [alteration, error]));
  try {
    const made = await inTurn(client, async () => {
      // jit: see describe().
      await client.query(`set local jit = off; set local ${APPLIED} = ${marks ? "on" : "off"}`);
      const altered = new Map<TableAlteration, AlteredTable>();
      for (const placed of group) {
        // What the first has got, the table above has passed on to the others.
        const isFirst = altered.size === 0;
        altered.set(placed.alteration, await alterTable(client, placed, { isFirst, together }));
        await client.query(recordSql(placed.alteration, journal));
      }
      return altered;
    });
    failpoint("apply.table-altered");
    return made;
  } catch (error) {
    const table = group[0]!.alteration.from.source.id;
    const told = classify(error, { side: "target", table, phase: "build" });
    if (told.scope !== "table") throw told;
    return failed(told);
  }
}

async function alterTable(
  client: pg.Client,
  { alteration, table, root, steps }: PlacedAlteration,
  { isFirst, together }: { readonly isFirst: boolean; readonly together: Together },
): Promise<AlteredTable> {
  const { schema } = alteration.to.target.id;
  const { note } = alteration;
  const settings = settingsOf(note);
  if (settings.length > 0) await client.query(settingsSql(settings));
  for (const type of alteration.enums) await alterEnum(client, type);
  if (isFirst) {
    const options = { sequences: [], virtualColumns: await hasVirtualColumns(client) };
    const present = await presentColumns(client, table);
    const statements = structureStatements(root, steps, { ...options, present });
    if (statements.length > 0) await runNative(client, schema, statements);
  }
  const touched = [...steps.touched, ...steps.retyped];
  const present = await presentColumns(client, table);
  const place = together.properties ? root : alteration.from.target.id;
  const defaults = defaultStatements(place, touched, present);
  if (defaults.length > 0) await runNative(client, schema, defaults);
  const nullable = await setNotNull(client, place, notNullColumns(dueNotNull(steps), present));
  const failures = alteration.withParts ? await alterParts(client, alteration, table.oid) : [];
  const renames = renameStatements(alteration.from.target.id, alteration.to.target.id);
  if (renames.length > 0) await client.query(renames.join("; "));
  return { nullable, failures };
}

function renameStatements(from: TableId, to: TableId): string[] {
  const moved = { schema: from.schema, name: to.name };
  return [
    ...(from.name === to.name ? [] : [`alter table ${qualified(from)} rename to ${identifier(to.name)}`]),
    ...(from.schema === to.schema
      ? []
      : [`alter table ${qualified(moved)} set schema ${identifier(to.schema)}`]),
  ];
}

/** Also of a column that is new: one that has a value for all rows is NOT NULL from the start. */
function dueNotNull({ touched, retyped, added }: ColumnSteps): readonly Column[] {
  return [...new Set([...touched, ...retyped, ...added])];
}

/** Of the session that altered the source: values are to become what they became there. A source of another kind has none. */
function settingsOf(note: SchemaNote | undefined): readonly (readonly [name: string, value: string])[] {
  const { settings = {} } = note === undefined ? {} : (JSON.parse(note.text) as Partial<NoteText>);
  return Object.entries(settings);
}

function settingsSql(settings: ReturnType<typeof settingsOf>): string {
  return settings
    .map(([name, value]) => `select pg_catalog.set_config(${literal(name)}, ${literal(value)}, true)`)
    .join("; ");
}

async function presentColumns(client: pg.Client, { oid }: TargetTable): Promise<ReadonlyMap<string, Column>> {
  const tables = await describeColumns(client, [oid], new Map());
  return new Map(tables.get(oid)!.columns.map((column) => [column.name, column]));
}

/** Rows may get their values only with the changes that follow; resolves with the columns that lack some yet. */
async function setNotNull(
  client: pg.Client,
  table: TableId,
  columns: readonly string[],
): Promise<readonly string[]> {
  const lacking: string[] = [];
  for (const name of columns) {
    await client.query("savepoint tideway_not_null");
    try {
      await client.query(`alter table ${qualified(table)} alter column ${identifier(name)} set not null`);
    } catch (error) {
      if (errorCode(error) !== NOT_NULL_VIOLATION) throw error;
      await client.query("rollback to savepoint tideway_not_null");
      lacking.push(name);
    }
  }
  return lacking;
}
