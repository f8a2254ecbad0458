import assert from "node:assert/strict";
import { formOf } from "../../src/comparison/forms.ts";
import type { EndpointConfig, Engine } from "../../src/core/engine.ts";
import type { DigestColumn } from "../../src/core/row-digest.ts";
import type { TableId, TableSchema } from "../../src/core/schema.ts";
import type { Snapshot, Source } from "../../src/core/source.ts";
import { clientDigests, readCells, serverDigests } from "./digested-rows.ts";

const unaborted = new AbortController().signal;

export interface DigestedSide {
  readonly engine: Engine;
  readonly endpoint: EndpointConfig;
}

interface OpenSide {
  readonly table: TableSchema;
  readonly snapshot: Snapshot;
}

/**
 * Asserts that tables hold the same rows on both sides, as the client writes them; by name, which no task has changed.
 * Resolves with how the servers' own digests relate: of each table "same", "other" when servers write other texts, or the side
 * whose server does not write them.
 */
export async function compareDigests(
  sides: { readonly source: DigestedSide; readonly target: DigestedSide },
  tables: readonly TableId[],
): Promise<readonly string[]> {
  await using source = await sides.source.engine.openSource(sides.source.endpoint, unaborted);
  await using target = await sides.target.engine.openSource(sides.target.endpoint, unaborted);
  await using ofSource = await openAll(source, tables);
  await using ofTarget = await openAll(target, tables);
  const found: string[] = [];
  for (const [at, table] of ofSource.tables.entries()) {
    const from = { table, snapshot: ofSource.snapshot };
    const to = { table: ofTarget.tables[at]!, snapshot: ofTarget.snapshot };
    assert.equal(table.id.name, to.table.id.name);
    found.push(await compareTable(from, to));
  }
  return found;
}

async function openAll(source: Source, ids: readonly TableId[]) {
  const request = { wholeSchemas: undefined, objects: false, rights: false, largeObjects: false };
  const { tables } = await source.describe({ tables: ids, ...request }, unaborted);
  const byId = ids.map((id) => tables.find((table) => table.id.name === id.name)!);
  const snapshot = await source.openSnapshot({ taskId: "digests", tables: byId, anchor: "none" }, unaborted);
  return { tables: byId, snapshot, [Symbol.asyncDispose]: () => snapshot[Symbol.asyncDispose]() };
}

async function compareTable(from: OpenSide, to: OpenSide): Promise<string> {
  const pairs = from.table.columns.map((column, ordinal) => {
    const other = to.table.columns.findIndex(({ name }) => name === column.name);
    const found = formOf(column, to.table.columns[other]!);
    assert.ok(found !== undefined, `${column.nativeType} and ${to.table.columns[other]!.nativeType}`);
    return { source: { ordinal, form: found.form }, target: { ordinal: other, form: found.form } };
  });
  const ofSource = pairs.map(({ source }) => source);
  const ofTarget = pairs.map(({ target }) => target);
  const expected = await byClient(from, ofSource);
  assert.deepEqual(await byClient(to, ofTarget), expected, JSON.stringify(from.table.columns[1]));
  const [a, b] = [await byServer(from, ofSource), await byServer(to, ofTarget)];
  if (a === undefined || b === undefined) return a === undefined ? "source reads" : "target reads";
  return a.join() === b.join() ? "same" : "other";
}

async function byClient(
  { table, snapshot }: OpenSide,
  columns: readonly DigestColumn[],
): Promise<readonly string[]> {
  return clientDigests(table, await readCells(snapshot, table), columns)
    .map(String)
    .toSorted();
}

async function byServer(
  { table, snapshot }: OpenSide,
  columns: readonly DigestColumn[],
): Promise<readonly string[] | undefined> {
  if (!columns.every(({ ordinal, form }) => snapshot.digestsAs(table.columns[ordinal]!, form))) return;
  return (await serverDigests(snapshot, table, columns)).map(String).toSorted();
}
