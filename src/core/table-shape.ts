import { MigrationError } from "./error.ts";
import type { Position } from "./position.ts";
import { displayTable, type TableId, type TableSchema } from "./schema.ts";

/**
 * What a source can tell of a table's identity and history, so that two looks at it can be compared, however
 * far apart in time. Plain data: the journal keeps it.
 */
export interface TableShape {
  /** The table itself, whatever it is called. */
  readonly table: string;
  /** Where its rows lie; another text once they have all been written anew, for whatever reason. */
  readonly storage: string;
  /** Columns that it has ever had: the highest number that was given out. */
  readonly columnsEver: number;
  /** Those that are there, by number; in the table's own order where that may be another. */
  readonly columns: readonly ColumnShape[];
  /** The source gives columns no numbers: see withKnownNumbers(). */
  readonly unnumbered?: true;
  /** How strings compare in columns that are added without saying so; absent where that is of no matter, or not known. */
  readonly collation?: string;
  /**
   * Columns of each key that its rows can be told apart by, the one that is used first; absent where the log itself
   * tells of a change of it.
   */
  readonly keys?: readonly string[];
  /**
   * Its foreign keys that act by themselves (ForeignKey.silent), as texts in any order; absent where there can be none, or
   * nothing is known of them.
   */
  readonly silentKeys?: readonly string[];
  /** The table as the target follows it; absent while that can be read from the source. */
  readonly described?: Omit<TableSchema, "shape">;
  /** Where in the log it became what it is here. */
  readonly place?: ShapePlace;
  /** What table mappings make of it; absent in what a source tells, and in what versions without it have noted. */
  readonly rules?: RuleDigests;
}

/**
 * What table mappings made of a table, to be compared with what they make of it later. Digests: values that rules have in
 * them are not for everybody who sees the target.
 */
export interface RuleDigests {
  /** The target's name, where it is another one. */
  readonly table?: string;
  /** By numbers, for columns that stay behind or whose values come as others. */
  readonly columns: Readonly<Record<string, string>>;
  /** By numbers, for columns that have another name on the target. */
  readonly names: Readonly<Record<string, string>>;
  /** Columns that rules add, by their names on the target. */
  readonly made: Readonly<Record<string, string>>;
  /** Where only some rows come. */
  readonly filter?: string;
}

export interface ShapePlace {
  /** Changes that commit up to here may have been made to the table as it was before. */
  readonly position: Position;
  readonly before: TableShape;
  /** The transaction that commits exactly there has made the table what it is, and a note told of it. */
  readonly isNoted?: true;
}

export interface ColumnShape {
  /** Given once, to this column alone; a later column has a higher one. */
  readonly number: number;
  readonly name: string;
  /** The type with its modifier, in the source's own numbers. */
  readonly type: string;
  /** Another text when anything about the column was changed. */
  readonly version: string;
  /** Stands for the expression of a generated column; null for another. */
  readonly computed: string | null;
  /** Text of what rows show that were written before the column was added; null for NULL. */
  readonly fill: string | null;
  /** Such rows may show anything, not what `fill` says: it was computed for each, or at a time that is not known. */
  readonly varies?: true;
  /** added: on the target after the rows had been loaded. left-out: never on the target. */
  readonly since?: "added" | "left-out";
}

export interface ShapedTable {
  /** The source's id of the table. */
  readonly id: TableId;
  readonly shape: TableShape;
}

/** What has become of a table between two looks at it. */
export type ShapeChange =
  /** Every row that was not changed by itself is what it was. */
  | { readonly kind: "none" }
  /** The same, but for columns that rows show the `fill` of. */
  | { readonly kind: "added"; readonly columns: readonly ColumnShape[] }
  /** Rows may be others without the change stream telling; `how` follows "The table". */
  | { readonly kind: "other"; readonly how: string };

/**
 * Compares a table with what it was. Columns that are left out do not count. Where it cannot be known whether
 * rows are still what they were, the answer is "other".
 *
 * A column that got another type, or a value computed from its old one, was changed itself, and its rows were
 * written anew. VACUUM FULL writes rows anew too, but changes no column.
 */
export function shapeChange(known: TableShape, now: TableShape): ShapeChange {
  if (known.table !== now.table) return other("is another one of the same name");
  const key = known.keys?.[0];
  if (key !== undefined && now.keys?.includes(key) === false) return other("has another key");
  if (known.silentKeys !== undefined && keysText(known) !== keysText(now)) return other(OTHER_KEYS);
  const present = new Map(now.columns.map((column) => [column.number, column]));
  const kept = known.columns.filter(({ since }) => since !== "left-out");
  for (const column of kept) {
    const how = columnChange(column, present.get(column.number));
    if (how !== undefined) return other(how);
  }
  const isRewritten = known.storage !== now.storage;
  const changed = kept.find(({ number, version }) => present.get(number)!.version !== version);
  if (isRewritten && changed !== undefined) {
    return other(`was written anew and had its column ${changed.name} changed`);
  }
  const added = now.columns.filter(({ number }) => number > known.columnsEver);
  if (added.length < now.columnsEver - known.columnsEver) return other("got columns that are gone again");
  if (added.length === 0) return { kind: "none" };
  const first = added[0]!;
  if (isRewritten) return other(`got the column ${first.name}, and all its rows were written anew`);
  const varying = added.find(({ varies }) => varies === true);
  if (varying !== undefined)
    return other(`got the column ${varying.name}, with a value that only its rows tell`);
  return { kind: "added", columns: added };
}

/**
 * What a source without numbers shows of a table, with those that its columns are known by: one is what has its place. The
 * log says where that is not so, and numbers are kept from there on.
 */
export function withKnownNumbers(now: TableShape, known: TableShape): TableShape {
  if (now.unnumbered !== true) return now;
  const added = Math.max(0, now.columns.length - known.columns.length);
  const columns = now.columns.map((column, at) => {
    const number = known.columns[at]?.number ?? known.columnsEver + at - known.columns.length + 1;
    return { ...column, number };
  });
  return { ...now, columns, columnsEver: known.columnsEver + added };
}

/** Whether nothing at all has happened to a table, as far as its source can tell. */
export function isSameShape(known: TableShape, now: TableShape): boolean {
  return known.storage === now.storage && isSameDefinition(known, now) && keysText(known) === keysText(now);
}

/** What tables that others refer to are set aside for, with these: rows there may be others than the stream tells. */
export const OTHER_KEYS = "has other foreign keys that act by themselves";

function keysText({ silentKeys }: TableShape): string {
  return JSON.stringify(silentKeys?.toSorted());
}

/** Whether nothing has happened to a table but to its rows: these may have been removed or written anew. */
export function isSameDefinition(known: TableShape, now: TableShape): boolean {
  return (
    shapeChange(known, now).kind === "none" &&
    known.columns.length === now.columns.length &&
    known.columns.every(({ version }, i) => version === now.columns[i]!.version)
  );
}

/**
 * Whether a table can be followed from one statement to the next by what its columns are: what rows hold is then
 * known without reading them, but for what columns that it got hold. Undefined when it can; else what has happened, which
 * follows "The table".
 */
export function unfollowable(
  known: TableShape,
  note: { readonly shape: TableShape; readonly rewritten: boolean; readonly plain: boolean },
): string | undefined {
  const before = new Map(known.columns.map((column) => [column.number, column]));
  for (const column of note.shape.columns) {
    const was = before.get(column.number);
    if (was === undefined) continue;
    if (was.computed !== column.computed) return `computes its column ${column.name} in another way`;
    if (was.type !== column.type && note.rewritten && !note.plain) {
      return `has another type in its column ${column.name}, perhaps by an expression`;
    }
    // Some statement was not noted, and this one's note shows what that has done.
    if (was.type !== column.type && !note.rewritten && known.storage !== note.shape.storage) {
      return `has another type in its column ${column.name}, and its rows were written anew before`;
    }
  }
  return note.rewritten && !note.plain ? "was written anew, perhaps by an expression" : undefined;
}

/** What is known of a table without how it is described and where that began. */
export function bareShape({ described: _described, place: _place, ...shape }: TableShape): TableShape {
  return shape;
}

function columnChange(known: ColumnShape, now: ColumnShape | undefined): string | undefined {
  if (now === undefined) return `lost its column ${known.name}`;
  if (now.name !== known.name) return `calls its column ${known.name} ${now.name} now`;
  if (now.type !== known.type) return `has another type in its column ${known.name}`;
  if (now.computed !== known.computed) return `computes its column ${known.name} in another way`;
  return undefined;
}

function other(how: string): ShapeChange {
  return { kind: "other", how };
}

/** `how` follows "The table". */
export function tableChanged(id: TableId, how: string): MigrationError {
  return new MigrationError("source.table_changed", {
    message: `The table ${how}.`,
    subject: displayTable(id),
    table: id,
  });
}
