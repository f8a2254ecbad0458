import type { JournaledTable } from "../core/journal.ts";
import { type TableId, type TableSchema, tableKey } from "../core/schema.ts";
import {
  bareShape,
  isSameDefinition,
  type ShapePlace,
  type TableShape,
  withKnownNumbers,
} from "../core/table-shape.ts";
import { leavesColumnsOut } from "./followed-columns.ts";
import { isComplete } from "./schema-changes.ts";

export interface RecalledTables {
  /** The source's tables, those that the stream will tell of as they are where it goes on. */
  readonly tables: readonly TableSchema[];
  /** Tables whose description lies behind the source's. */
  readonly awaited: readonly TableId[];
}

/**
 * Where the source notes schema changes, a table that differs from what the target follows is taken as it was, also by
 * its name: its note lies ahead in the stream. What has its name now comes after that. `untold`: tables of which no
 * note came, though it should have; they are taken as they are.
 */
export function recallTables(
  described: readonly TableSchema[],
  journaled: readonly JournaledTable[],
  untold: ReadonlySet<string>,
): RecalledTables {
  const numbered = new Map(described.map((table) => [table.shape?.table, table]));
  const followed = journaled.flatMap((journal): FollowedTable[] => {
    const { id, shape } = journal;
    if (!isComplete(journal) || shape?.described === undefined || leavesColumnsOut(shape)) return [];
    return [{ id, shape, now: numbered.get(shape.table) }];
  });
  const awaited = followed.filter((table) => !untold.has(tableKey(table.id)) && !isAsFollowed(table));
  const taken = new Set<TableSchema | undefined>(awaited.map(({ now }) => now));
  const names = new Set(awaited.map(({ id }) => tableKey(id)));
  // It may be one of those that are known by their names alone, and have another now.
  const hasMissing = awaited.some(({ shape, now }) => shape.unnumbered === true && now === undefined);
  const known = new Set(journaled.map(({ id }) => tableKey(id)));
  const asFollowed = new Map(followed.filter(isAsFollowed).map(({ now, shape }) => [now, shape]));
  const tables = described
    .filter((table) => !taken.has(table) && !names.has(tableKey(table.id)))
    .filter(({ id }) => !hasMissing || known.has(tableKey(id)))
    .map((table) => {
      const shape = asFollowed.get(table);
      return shape === undefined ? table : withPlace(table, shape);
    });
  const recalled = awaited.map(({ id, shape, now }) => withLater({ ...now, ...shape.described!, id, shape }));
  return { tables: [...tables, ...recalled], awaited: awaited.map(({ id }) => id) };
}

/** The source's tables with the numbers of columns that the journal has. */
export function numberedTables(
  described: readonly TableSchema[],
  journaled: readonly JournaledTable[],
): readonly TableSchema[] {
  const known = new Map(journaled.map(({ id, shape }) => [tableKey(id), shape]));
  return described.map((table) => {
    const shape = known.get(tableKey(table.id));
    if (shape === undefined || table.shape === undefined) return table;
    return { ...table, shape: withKnownNumbers(table.shape, shape) };
  });
}

interface FollowedTable {
  readonly id: TableId;
  readonly shape: TableShape;
  /** The source's table of the same number. */
  readonly now: TableSchema | undefined;
}

function isAsFollowed({ id, shape, now }: FollowedTable): boolean {
  if (now?.shape === undefined || tableKey(now.id) !== tableKey(id)) return false;
  return isSameDefinition(shape, now.shape);
}

function withPlace(table: TableSchema, known: TableShape): TableSchema {
  const { place, described } = known;
  const kept = {
    ...(place === undefined ? {} : { place }),
    ...(described === undefined ? {} : { described }),
  };
  const { estimatedRows, estimatedBytes } = table;
  const shape = { ...withFirstFills(table.shape!, [{ shape: known }]), ...kept };
  return withLater({ ...table, ...described, estimatedRows, estimatedBytes, shape });
}

/** The table with what its earlier rows show in the columns that it got at its place. */
export function withLater(table: TableSchema): TableSchema {
  const { shape } = table;
  if (shape?.place === undefined) return table;
  const before = new Set(shape.place.before.columns.map(({ number }) => number));
  const fills = new Map(
    shape.columns.filter(({ number }) => !before.has(number)).map(({ name, fill }) => [name, fill]),
  );
  return {
    ...table,
    columns: table.columns.map((column) => {
      const fill = fills.get(column.name);
      return fill === undefined ? column : { ...column, later: { value: fill } };
    }),
  };
}

/**
 * A shape whose columns have the fill that was told of them first: once a table's rows are written anew, nothing tells
 * any more what they had shown.
 */
export function withFirstFills(now: TableShape, told: readonly { readonly shape: TableShape }[]): TableShape {
  const columns = told.toReversed().flatMap(({ shape }) => shape.columns);
  const fills = new Map(columns.map(({ number, fill }) => [number, fill]));
  return {
    ...now,
    columns: now.columns.map((column) => ({ ...column, fill: fills.get(column.number) ?? column.fill })),
  };
}

/** The shape that the journal keeps of a table that is followed. */
export function keptShape(table: TableSchema, place?: ShapePlace): TableShape {
  const { shape, ...described } = table;
  return { ...bareShape(shape!), described, ...(place === undefined ? {} : { place }) };
}
