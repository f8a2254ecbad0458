import { failpoint } from "../../../base/failpoint.ts";
import type { TableOutcome } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type Column, type TableId, tableKey } from "../../../core/schema.ts";
import type { ColumnAddition } from "../../../core/target.ts";
import { goneBeforeAlteration } from "../../shared/catalog/table-misfit.ts";
import { columnDefinition } from "../catalog/ddl.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import { targetColumns } from "../catalog/target-columns.ts";
import { parseTypeText } from "../catalog/type-text.ts";
import type { Client } from "../connection/client.ts";
import { eachTable } from "../connection/each-table.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { cellForm, writeLiteral } from "../values/cell-text.ts";
import { type OutOfRange, RangeRule } from "../values/out-of-range.ts";
import { SqlText } from "../values/sql-text.ts";
import type { ValueCounts } from "../values/value-counts.ts";

/** What becomes of values of earlier rows (`Column.later`) that the types here have not. */
export interface EarlierValues {
  readonly choices: OutOfRange;
  /** Counts the rows that show others. */
  readonly replaced: ValueCounts;
}

/** Adds what is missing of tables' columns, each table in one statement. An outcome for each table. */
export function addColumns(
  client: Client,
  additions: readonly ColumnAddition[],
  values: EarlierValues,
): Promise<readonly TableOutcome<undefined>[]> {
  return eachTable(
    additions,
    ({ plan }) => plan.source.id,
    async (addition) => {
      await addTo(client, addition, values);
      return undefined;
    },
  );
}

async function addTo(
  client: Client,
  { plan, columns }: ColumnAddition,
  values: EarlierValues,
): Promise<void> {
  const { id } = plan.target;
  const found = (await targetColumns(client, [id])).get(tableKey(id));
  if (found === undefined) throw goneBeforeAlteration(plan);
  const present = new Set(found.map(({ name }) => name));
  const added = columns.filter((i) => !present.has(plan.target.columns[i]!.name));
  const parts = columns.map((i) => additionOf(plan, i, { facts: client.facts, choices: values.choices }));
  const adds = parts.filter((_, i) => added.includes(columns[i]!)).map(({ add }) => add);
  if (adds.length > 0) await client.execute(`alter table ${qualified(id)} ${adds.join(", ")}`);
  // Also of columns that are there: the attempt that has added them may have got no further.
  await settle(client, id, parts);
  await countReplaced(client, { plan, parts, values });
}

export interface AddedColumn {
  /** `add column ...`, such that rows that are there show the value that the column had for them on the source. */
  readonly add: string;
  /** What rows without a value get where it could not be the default, as SQL. */
  readonly fill?: { readonly column: string; readonly value: string };
  /** The rest of `alter table`, that makes the column what it is to be. Repeated, it changes nothing. */
  readonly after?: string;
  /** Rows that are there show another value than on the source. */
  readonly replaces: boolean;
}

export function additionOf(
  plan: TablePlan,
  ordinal: number,
  { facts, choices }: { readonly facts: ServerFacts; readonly choices: OutOfRange },
): AddedColumn {
  const { value, replaces } = earlierValue(plan, ordinal, choices);
  return { ...addition(plan, ordinal, { facts, value }), replaces };
}

/** NOT NULL is left out where rows have no value: the source's were given some one by one, and so will be these. */
function addition(
  plan: TablePlan,
  ordinal: number,
  { facts, value }: { readonly facts: ServerFacts; readonly value: string | null },
): Omit<AddedColumn, "replaces"> {
  const column = plan.target.columns[ordinal]!;
  if (column.generated !== undefined) return { add: `add column ${columnDefinition(column, facts)}` };
  if (value === null) {
    const bare: Column = { ...column, nullable: true };
    if (column.default === undefined || column.later === undefined) {
      return { add: `add column ${columnDefinition(bare, facts)}` };
    }
    // It has got its default later than these rows.
    const { default: _default, ...empty } = bare;
    return {
      add: `add column ${columnDefinition(empty, facts)}`,
      after: `modify column ${columnDefinition(bare, facts)}`,
    };
  }
  const filled = fillLiteral(plan, ordinal, value);
  if (!takesDefault(column, facts)) {
    const bare: Column = { ...column, nullable: true };
    return {
      add: `add column ${columnDefinition(bare, facts)}`,
      fill: { column: identifier(column.name), value: filled },
      after: `modify column ${columnDefinition(column, facts)}`,
    };
  }
  const add = `add column ${columnDefinition({ ...column, default: filled }, facts)}`;
  if (column.default === filled) return { add };
  const own = column.default === undefined ? "drop default" : `set default ${column.default}`;
  return { add, after: `alter column ${identifier(column.name)} ${own}` };
}

/** What rows that are there show in the shared text form; null for NULL. Throws `target.value_out_of_range`. */
function earlierValue(
  plan: TablePlan,
  ordinal: number,
  choices: OutOfRange,
): { readonly value: string | null; readonly replaces: boolean } {
  const { later, nativeType } = plan.target.columns[ordinal]!;
  if (later === undefined || later.value === null) return { value: null, replaces: false };
  const { name, numbers } = parseTypeText(nativeType);
  const rule = RangeRule.for(plan, [[ordinal, { dataType: name, fraction: numbers[0] }]], choices);
  const bytes = Buffer.from(later.value);
  const instead = rule?.instead(0, bytes, 0, bytes.length);
  if (instead === undefined) return { value: later.value, replaces: false };
  return { value: instead === null ? null : instead.toString(), replaces: true };
}

/** Brings added columns to their end; safe to repeat until a change may have come that sets one of them to NULL. */
export async function settle(client: Client, table: TableId, parts: readonly AddedColumn[]): Promise<void> {
  failpoint("prepare.columns-added");
  const name = qualified(table);
  const filled = parts.flatMap(({ fill }) => fill ?? []);
  if (filled.length > 0) {
    const columns = (await targetColumns(client, [table])).get(tableKey(table)) ?? [];
    const kept = columns.filter(({ updatesItself }) => updatesItself).map((one) => identifier(one.name));
    for (const { column, value } of filled) {
      // What an update sets by itself stays as it is.
      const same = kept.filter((one) => one !== column).map((one) => `${one} = ${one}`);
      const set = [`${column} = ${value}`, ...same].join(", ");
      await client.execute(`update ${name} set ${set} where ${column} is null`);
    }
  }
  const after = parts.flatMap((part) => part.after ?? []);
  if (after.length > 0) await client.execute(`alter table ${name} ${after.join(", ")}`);
}

/** Counts the rows that were there: each shows another value in some of the columns than on the source. */
export async function countReplaced(
  client: Client,
  added: { readonly plan: TablePlan; readonly parts: readonly AddedColumn[]; readonly values: EarlierValues },
): Promise<void> {
  const { source, target } = added.plan;

  const columns = added.parts.filter(({ replaces }) => replaces).length;
  if (columns === 0) return;
  const [row] = await client.query<{ n: string }>(`select count(*) as n from ${qualified(target.id)}`);
  added.values.replaced.add(source.id, columns * Number(row!.n));
}

function takesDefault({ nativeType }: Column, facts: ServerFacts): boolean {
  return facts.flavour === "mariadb" || !/^(?:tiny|medium|long)?(?:text|blob)|^json/i.test(nativeType);
}

/** A value in the shared text form as SQL writes it for the column. */
function fillLiteral({ source, target }: TablePlan, ordinal: number, value: string): string {
  const { name } = parseTypeText(target.columns[ordinal]!.nativeType);
  const out = new SqlText();
  const bytes = Buffer.from(value);
  writeLiteral(out, cellForm(source.columns[ordinal]!.type, name), bytes, 0, bytes.length);
  return out.bytes.toString("utf8", 0, out.length);
}
