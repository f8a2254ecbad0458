import { failpoint } from "../../base/failpoint.ts";
import { MigrationError, type TableOutcome } from "../../core/error.ts";
import type { TablePlan } from "../../core/plan.ts";
import { type Column, displayTable, type TableId, tableKey } from "../../core/schema.ts";
import type { ColumnAddition } from "../../core/target.ts";
import { cellForm, writeLiteral } from "./cell-text.ts";
import type { Client } from "./client.ts";
import { columnDefinition } from "./ddl.ts";
import { classify } from "./errors.ts";
import { identifier, qualified } from "./identifier.ts";
import type { ServerFacts } from "./server-facts.ts";
import { SqlText } from "./sql-text.ts";
import { targetColumns } from "./target-columns.ts";

/** Adds what is missing of tables' columns, each table in one statement. An outcome for each table. */
export async function addColumns(
  client: Client,
  additions: readonly ColumnAddition[],
): Promise<readonly TableOutcome<undefined>[]> {
  const outcomes: TableOutcome<undefined>[] = [];
  for (const addition of additions) {
    try {
      await addTo(client, addition);
      outcomes.push(undefined);
    } catch (thrown) {
      const table = addition.plan.source.id;
      const error = classify(thrown, { side: "target", table, phase: "build" });
      if (error.scope !== "table") throw error;
      outcomes.push(error);
    }
  }
  return outcomes;
}

async function addTo(client: Client, { plan, columns }: ColumnAddition): Promise<void> {
  const { id } = plan.target;
  const found = (await targetColumns(client, [id])).get(keyOf(id));
  if (found === undefined) throw notThere(plan);
  const present = new Set(found.map(({ name }) => name));
  const added = columns.filter((i) => !present.has(plan.target.columns[i]!.name));
  if (added.length === 0) return;
  const parts = added.map((i) => additionOf(plan, i, client.facts));
  await client.execute(`alter table ${qualified(id)} ${parts.map(({ add }) => add).join(", ")}`);
  await settle(client, parts);
  failpoint("prepare.columns-added");
}

export interface AddedColumn {
  /** `add column ...`, such that rows that are there show the value that the column had for them on the source. */
  readonly add: string;
  /** What gives them that value when it could not be their default, and takes back a default that is not the column's. */
  readonly after: readonly string[];
}

/** NOT NULL is left out where rows have no value: the source's were given some one by one, and so will be these. */
export function additionOf(plan: TablePlan, ordinal: number, facts: ServerFacts): AddedColumn {
  const column = plan.target.columns[ordinal]!;
  const table = qualified(plan.target.id);
  const value = column.later?.value ?? null;
  if (column.generated !== undefined)
    return { add: `add column ${columnDefinition(column, facts)}`, after: [] };
  if (value === null) {
    const bare: Column = { ...column, nullable: true };
    return { add: `add column ${columnDefinition(bare, facts)}`, after: [] };
  }
  const filled = fillLiteral(plan, ordinal, value);
  if (!takesDefault(column, facts)) {
    const bare: Column = { ...column, nullable: true };
    return {
      add: `add column ${columnDefinition(bare, facts)}`,
      after: [
        `update ${table} set ${identifier(column.name)} = ${filled}`,
        `alter table ${table} modify column ${columnDefinition(column, facts)}`,
      ],
    };
  }
  const own = column.default === undefined ? "drop default" : `set default ${column.default}`;
  return {
    add: `add column ${columnDefinition({ ...column, default: filled }, facts)}`,
    after:
      column.default === filled
        ? []
        : [`alter table ${table} alter column ${identifier(column.name)} ${own}`],
  };
}

export async function settle(client: Client, parts: readonly AddedColumn[]): Promise<void> {
  for (const statement of parts.flatMap(({ after }) => after)) await client.execute(statement);
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

export function notThere({ source, target }: TablePlan): MigrationError {
  return new MigrationError("target.table_mismatch", {
    message: "The table to which columns are to be added is not there.",
    subject: displayTable(target.id),
    table: source.id,
  });
}

function keyOf({ schema, name }: TableId): string {
  return tableKey({ schema, name });
}
