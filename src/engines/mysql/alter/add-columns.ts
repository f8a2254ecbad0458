import { failpoint } from "../../../base/failpoint.ts";
import type { TableOutcome } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { type Column, type TableId, tableKey } from "../../../core/schema.ts";
import type { ColumnAddition } from "../../../core/target.ts";
import { goneBeforeAlteration } from "../../shared/catalog/table-misfit.ts";
import { columnDefinition } from "../catalog/ddl.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import { targetColumns } from "../catalog/target-columns.ts";
import type { Client } from "../connection/client.ts";
import { eachTable } from "../connection/each-table.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { cellForm, writeLiteral } from "../values/cell-text.ts";
import { SqlText } from "../values/sql-text.ts";

/** Adds what is missing of tables' columns, each table in one statement. An outcome for each table. */
export function addColumns(
  client: Client,
  additions: readonly ColumnAddition[],
): Promise<readonly TableOutcome<undefined>[]> {
  return eachTable(
    additions,
    ({ plan }) => plan.source.id,
    async (addition) => {
      await addTo(client, addition);
      return undefined;
    },
  );
}

async function addTo(client: Client, { plan, columns }: ColumnAddition): Promise<void> {
  const { id } = plan.target;
  const found = (await targetColumns(client, [id])).get(tableKey(id));
  if (found === undefined) throw goneBeforeAlteration(plan);
  const present = new Set(found.map(({ name }) => name));
  const added = columns.filter((i) => !present.has(plan.target.columns[i]!.name));
  const parts = columns.map((i) => additionOf(plan, i, client.facts));
  const adds = parts.filter((_, i) => added.includes(columns[i]!)).map(({ add }) => add);
  if (adds.length > 0) await client.execute(`alter table ${qualified(id)} ${adds.join(", ")}`);
  // Also of columns that are there: the attempt that has added them may have got no further.
  await settle(client, id, parts);
}

export interface AddedColumn {
  /** `add column ...`, such that rows that are there show the value that the column had for them on the source. */
  readonly add: string;
  /** What rows without a value get where it could not be the default, as SQL. */
  readonly fill?: { readonly column: string; readonly value: string };
  /** The rest of `alter table`, that makes the column what it is to be. Repeated, it changes nothing. */
  readonly after?: string;
}

/** NOT NULL is left out where rows have no value: the source's were given some one by one, and so will be these. */
export function additionOf(plan: TablePlan, ordinal: number, facts: ServerFacts): AddedColumn {
  const column = plan.target.columns[ordinal]!;
  const value = column.later?.value ?? null;
  if (column.generated !== undefined) return { add: `add column ${columnDefinition(column, facts)}` };
  if (value === null) {
    const bare: Column = { ...column, nullable: true };
    return { add: `add column ${columnDefinition(bare, facts)}` };
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

function takesDefault({ nativeType }: Column, facts: ServerFacts): boolean {
  return facts.flavour === "mariadb" || !/^(?:tiny|medium|long)?(?:text|blob)|^json/i.test(nativeType);
}

/** A value in the shared text form as SQL writes it for the column. */
function fillLiteral({ source, target }: TablePlan, ordinal: number, value: string): string {
  const dataType = /^[a-z]+/i.exec(target.columns[ordinal]!.nativeType)?.[0].toLowerCase() ?? "text";
  const out = new SqlText();
  const bytes = Buffer.from(value);
  writeLiteral(out, cellForm(source.columns[ordinal]!.type, dataType), bytes, 0, bytes.length);
  return out.bytes.toString("utf8", 0, out.length);
}
