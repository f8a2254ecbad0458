import { failpoint } from "../../../base/failpoint.ts";
import { MigrationError, type TableOutcome } from "../../../core/error.ts";
import type { JournalRequest } from "../../../core/journal.ts";
import { readTable, type TablePlan } from "../../../core/plan.ts";
import { type Check, type Column, displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import type { AlteredTable, AlterTables, TableAlteration } from "../../../core/table-alteration.ts";
import { tableChanged } from "../../../core/table-shape.ts";
import { goneBeforeAlteration } from "../../shared/catalog/table-misfit.ts";
import { forgetTableSql, recordShapeSql } from "../apply/journal-sql.ts";
import { columnDefinition } from "../catalog/ddl.ts";
import { identifier, qualified } from "../catalog/identifier.ts";
import { targetColumns } from "../catalog/target-columns.ts";
import { findReferrers, findTables } from "../catalog/target-table.ts";
import type { Client } from "../connection/client.ts";
import { eachTable } from "../connection/each-table.ts";
import { classify, serverFields } from "../connection/errors.ts";
import { buildCheck, buildIndexes, buildReference, dropCheck, indexNames } from "../load/build-steps.ts";
import { type AddedColumn, additionOf, countReplaced, type EarlierValues, settle } from "./add-columns.ts";
import { columnSteps, tradesNames } from "./alter-steps.ts";

const ER_INVALID_USE_OF_NULL = 1138;
const WARN_DATA_TRUNCATED = 1265;

export interface AlterOptions {
  readonly journal: JournalRequest;
  readonly values: EarlierValues;
}

/**
 * Makes tables follow the source's. ALTER TABLE commits by itself, before the journal can say so: each looks at what
 * the table is, and after a crash in between finds its work done.
 */
export function alterTables(
  client: Client,
  { alterations }: AlterTables,
  options: AlterOptions,
): Promise<readonly TableOutcome<AlteredTable>[]> {
  return eachTable(
    alterations,
    ({ from }) => from.source.id,
    (alteration) => alterTable(client, alteration, options),
  );
}

async function alterTable(
  client: Client,
  alteration: TableAlteration,
  { journal, values }: AlterOptions,
): Promise<AlteredTable> {
  const { from, to, isApplied } = alteration;
  let altered: AlteredTable = { nullable: [], failures: [] };
  if (!isApplied) {
    if (tradesNames(alteration)) {
      throw tableChanged(
        from.source.id,
        "has columns that take each other's names, which a MySQL target cannot follow",
      );
    }
    const place = await presentName(client, from.target.id, to.target.id);
    if (place === undefined) throw goneBeforeAlteration(from);
    // A column that a check is about can be neither dropped nor renamed.
    if (alteration.withParts) await dropChecks(client, place, alteration);
    const nullable = await alterColumns(client, place, { ...alteration, values });
    const failures = alteration.withParts ? await alterParts(client, place, alteration) : [];
    if (tableKey(place) !== tableKey(to.target.id)) {
      await client.execute(`rename table ${qualified(place)} to ${qualified(to.target.id)}`);
    }
    altered = { nullable, failures };
    failpoint("apply.table-altered");
  }
  const { id, shape } = readTable(to);
  const record = recordShapeSql(journal, { from: from.source.id, to: id, shape: shape! });
  await client.execute(`start transaction; ${record.join("; ")}; commit`);
  return altered;
}

async function dropChecks(client: Client, place: TableId, { from, to }: TableAlteration): Promise<void> {
  for (const { name } of withoutThose(from.target.checks, to.target.checks))
    await dropCheck(client, place, name);
}

/** Checks that others do not have, or have with another condition. */
function withoutThose(checks: readonly Check[], others: readonly Check[]): readonly Check[] {
  return checks.filter(
    ({ name, native }) => !others.some((other) => other.name === name && other.native === native),
  );
}

/** What the table is called by now. */
async function presentName(client: Client, from: TableId, to: TableId): Promise<TableId | undefined> {
  const found = await findTables(client, [from, to]);
  return (found.get(tableKey(from)) ?? found.get(tableKey(to)))?.id;
}

async function alterColumns(
  client: Client,
  place: TableId,
  { from, to, values }: TableAlteration & Pick<AlterOptions, "values">,
): Promise<readonly string[]> {
  const found = (await targetColumns(client, [place])).get(tableKey(place)) ?? [];
  const steps = columnSteps({ from, to }, new Set(found.map(({ name }) => name)));
  const here: TablePlan = { ...to, target: { ...to.target, id: place } };
  const additionsOf = (ordinals: readonly number[]): AddedColumn[] =>
    ordinals.map((ordinal) => additionOf(here, ordinal, { facts: client.facts, choices: values.choices }));
  const additions = additionsOf(steps.added);
  const begun = additionsOf(steps.begun);
  const change = (isOpen: boolean): string[] =>
    steps.changed.map((one) => {
      const column: Column = isOpen ? { ...one.to, nullable: true } : one.to;
      return `change column ${identifier(one.from)} ${columnDefinition(column, client.facts)}`;
    });
  const rest = [
    ...steps.dropped.map((name) => `drop column ${identifier(name)}`),
    ...additions.map(({ add }) => add),
  ];
  const end = async (parts: readonly AddedColumn[]): Promise<void> => {
    if (parts.length === 0) return;
    await settle(client, place, parts);
    await countReplaced(client, { plan: here, parts, values });
  };
  if (steps.changed.length + rest.length === 0) {
    await end(begun);
    return [];
  }
  const alter = (parts: readonly string[]): Promise<unknown> =>
    client.execute(`alter table ${qualified(place)} ${parts.join(", ")}`);
  let nullable: readonly string[] = [];
  try {
    await alter([...change(false), ...rest]);
  } catch (error) {
    const number = serverFields(error)?.number;
    const becomeFull = steps.changed.filter((one) => !one.to.nullable);
    if (becomeFull.length === 0 || (number !== ER_INVALID_USE_OF_NULL && number !== WARN_DATA_TRUNCATED))
      throw error;
    // Rows may get their values only with the changes that follow.
    await alter([...change(true), ...rest]);
    nullable = becomeFull.map((one) => one.to.name);
  }
  await end([...begun, ...additions]);
  return nullable;
}

/** Indexes, foreign keys and new checks, each by itself; resolves with what could not be done. */
async function alterParts(
  client: Client,
  place: TableId,
  { from, to }: TableAlteration,
): Promise<readonly MigrationError[]> {
  const table = { ...to.target, id: place };
  const there = await indexNames(client, place);
  const has = (parts: readonly { readonly name: string }[], name: string): boolean =>
    parts.some((part) => part.name === name);
  const failures: MigrationError[] = [];
  const attempt = async (subject: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      const cause = classify(thrown, { side: "target", table: to.source.id, phase: "build" });
      if (cause.scope !== "table") throw cause;
      const message = `${subject} of ${displayTable(place)} does not follow the source's: ${cause.message}`;
      failures.push(
        new MigrationError("target.object_not_made", {
          message,
          subject: `${displayTable(place)}.${subject}`,
        }),
      );
    }
  };
  const name = qualified(place);
  const lostKeys = from.target.foreignKeys.filter((key) => !has(to.target.foreignKeys, key.name));
  for (const key of lostKeys) {
    await attempt(key.name, () =>
      client.execute(`alter table ${name} drop foreign key ${identifier(key.name)}`),
    );
  }
  const lost = from.target.indexes.filter((index) => !has(to.target.indexes, index.name));
  for (const index of lost.filter((one) => there.has(one.name.toLowerCase()))) {
    await attempt(index.name, () =>
      client.execute(`alter table ${name} drop index ${identifier(index.name)}`),
    );
  }
  const got = to.target.indexes.filter((index) => !has(from.target.indexes, index.name));
  for (const index of got) await attempt(index.name, () => buildIndexes(client, table, [index]));
  const gotKeys = to.target.foreignKeys.filter((key) => !has(from.target.foreignKeys, key.name));
  for (const key of gotKeys) await attempt(key.name, () => buildReference(client, table, key.name));
  for (const { name: check } of withoutThose(to.target.checks, from.target.checks)) {
    await attempt(check, () => buildCheck(client, table, check));
  }
  return failures;
}

/** Drops tables as the source did, with the foreign keys that other tables have to them. One that is gone is fine. */
export async function dropTables(
  client: Client,
  plans: readonly TablePlan[],
  journal: JournalRequest,
): Promise<readonly TableOutcome<undefined>[]> {
  const found = await findTables(
    client,
    plans.map(({ target }) => target.id),
  );
  return eachTable(
    plans,
    ({ source }) => source.id,
    async ({ source, target }) => {
      if (found.has(tableKey(target.id))) {
        for (const { constraint, ...referrer } of await findReferrers(client, target.id)) {
          await client.execute(
            `alter table ${qualified(referrer)} drop foreign key ${identifier(constraint)}`,
          );
        }
        await client.execute(`drop table ${qualified(target.id)}`);
        failpoint("apply.tables-dropped");
      }
      await client.execute(`start transaction; ${forgetTableSql(journal, source.id).join("; ")}; commit`);
      return undefined;
    },
  );
}
