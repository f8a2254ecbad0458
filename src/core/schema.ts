import type { ObjectRights } from "./rights.ts";
import type { TableShape } from "./table-shape.ts";

/**
 * What a database holds, as far as a migration cares. Texts named "native" are written in the
 * dialect of the catalog they came from; a target of the same dialect runs them as they are, any
 * other has to convert them. Native texts name objects relative to the schema of the object that
 * holds them, so that a renamed schema needs no rewriting of expressions.
 */
export interface TableId {
  readonly schema: string;
  readonly name: string;
}

export type LogicalType =
  | { readonly kind: "boolean" | "date" | "json" | "uuid" | "xml" | "interval" | "opaque" }
  | { readonly kind: "int"; readonly bits: 8 | 16 | 24 | 32 | 64; readonly unsigned: boolean }
  | { readonly kind: "float"; readonly bits: 32 | 64 }
  | { readonly kind: "decimal"; readonly precision?: number; readonly scale?: number }
  | { readonly kind: "string"; readonly maxChars?: number; readonly fixed: boolean }
  | {
      readonly kind: "bytes";
      readonly maxBytes?: number;
      readonly fixed: boolean;
      /** They are a shape in EWKB (PostGIS manual, "Geometry Formats"), of which a part is none. */
      readonly shape?: ShapeType;
    }
  | { readonly kind: "time" | "timestamp"; readonly precision: number; readonly zoned: boolean }
  | { readonly kind: "enum" | "set"; readonly values: readonly string[] }
  | { readonly kind: "bit"; readonly length: number }
  | { readonly kind: "array"; readonly of: LogicalType };

/** What a column of shapes holds. */
export interface ShapeType {
  /** The only kind of its values; "geometry" where any may stand. */
  readonly of: ShapeKind;
  /** Number of the only reference system of its values; absent where any may stand. */
  readonly reference?: number;
}

export type ShapeKind =
  | "geometry"
  | "point"
  | "linestring"
  | "polygon"
  | "multipoint"
  | "multilinestring"
  | "multipolygon"
  | "geometrycollection";

export interface Column {
  readonly name: string;
  /** The type as DDL writes it, length and array brackets included. */
  readonly nativeType: string;
  readonly type: LogicalType;
  /**
   * The type whose form its values have in the format `pg-copy-binary`, where the native type has the name of another
   * there.
   */
  readonly binaryAs?: string;
  /**
   * What the source's endpoint settings want the column to be in a database of another kind; absent: its type. Its
   * values come in the text form of `type` all the same.
   */
  readonly convertsTo?: LogicalType;
  /**
   * Rules of table mappings give the column its type: the native type is the target's to name, which Target.convert does
   * also where the plan is in its own dialect.
   */
  readonly typedByRule?: true;
  readonly nullable: boolean;
  /** `SELECT *` leaves the column out, as does an INSERT that names none. */
  readonly invisible?: true;
  /** Native default expression. A serial's default is here too, beside the sequence it draws from. */
  readonly default?: string;
  readonly identity?: "always" | "by-default";
  /** Native expression of a generated column; such a column is computed, never copied. */
  readonly generated?: string;
  /** A generated column that is computed when it is read; absent: stored. */
  readonly virtual?: true;
  /** The source computes the column, and sends its values once a plan has it as an ordinary one: without `generated`. */
  readonly sends?: true;
  /** The target has dates that no calendar has, too: a source that has such sends them as they are, unless its endpoint says else. */
  readonly holdsZeroDates?: true;
  /** Native, quoted as needed; absent for the type's own. */
  readonly collation?: string;
  readonly comment?: string;
  /**
   * The column came when the table's rows had been loaded: changes from before lack it, and stand for a row
   * with this text in it; null for NULL.
   */
  readonly later?: { readonly value: string | null };
}

export interface Index {
  readonly name: string;
  readonly unique: boolean;
  /** The change stream's key comes from this index and not from the primary key. */
  readonly replicaIdentity?: true;
  /** Set when the index is backed by a constraint of the same name. */
  readonly constraint: "primary-key" | "unique" | "exclusion" | undefined;
  /** Column names in index order, INCLUDE columns left out; undefined when an expression is part of it. */
  readonly columns: readonly string[] | undefined;
  /** What follows the table's name in CREATE INDEX; for a constraint, what follows its name in ADD CONSTRAINT. */
  readonly native: string;
  readonly comment?: string;
}

export interface Check {
  readonly name: string;
  /** What follows the constraint's name in ADD CONSTRAINT. */
  readonly native: string;
  /** False for a constraint the source has not checked itself: rows there may violate it. */
  readonly validated: boolean;
  readonly comment?: string;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: TableId;
  readonly referencedColumns: readonly string[];
  /** What follows the column list of REFERENCES: match, actions, deferrability. */
  readonly native: string;
  /** True when the last of both column lists is a range to be covered (PERIOD). */
  readonly period?: true;
  /** False for a constraint the source has not checked itself (NOT VALID). */
  readonly validated: boolean;
  /**
   * What the source does by itself to the rows that refer to one that goes or gets other values, where its log may hold
   * nothing of that. Absent where it does nothing, or always logs it as changes of these rows.
   */
  readonly silent?: SilentActions;
  readonly comment?: string;
}

export interface SilentActions {
  /** When a row goes that is referred to. */
  readonly onDelete?: SilentAction;
  /** When such a row gets other values in the columns that are referred to. */
  readonly onUpdate?: SilentAction;
}

/** cascade: the referring rows go, or get the new values. set-null: they get NULL in all columns of the key. */
export type SilentAction = "cascade" | "set-null";

export interface TableSchema {
  readonly id: TableId;
  readonly columns: readonly Column[];
  /** Ordinals into columns that identify a row in the change stream. Empty when there is none. */
  readonly key: readonly number[];
  /** How the stream describes the row before a change: by key, by all columns, or not at all. */
  readonly rowIdentity: "key" | "full" | "none";
  /** The log holds all columns of rows before changes, and a stream sends them where `rowIdentity` is "full" all the same. */
  readonly tellsBefore?: true;
  readonly indexes: readonly Index[];
  readonly checks: readonly Check[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly comment?: string;
  /** Tables whose rows are a type of its columns, so they are made before it. */
  readonly rowTypes?: readonly TableId[];
  /** A view, or something else without rows of its own: it is read as a whole, and the source tells of no changes of it. */
  readonly isView?: true;
  /** What the source's table was when it was described; absent where the source cannot tell. */
  readonly shape?: TableShape;
  /** The source's table may have more columns after these, which the task leaves out. */
  readonly leavesOut?: true;
  /** Partitions that the source keeps its rows in and reads one by one, in their order; absent where there are none. */
  readonly partitions?: readonly StoredPartition[];
  /** Estimates from the source's statistics; -1 when it has none. */
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
}

/** A part of a table that its source keeps by itself, under a name. */
export interface StoredPartition {
  readonly name: string;
  /** Names of the parts that it is divided into; empty when it is not. */
  readonly subpartitions: readonly string[];
}

export interface UserType {
  readonly id: TableId;
  readonly kind: "enum" | "domain" | "composite" | "range";
  /** Labels of an enum in their order; empty for another kind. */
  readonly labels: readonly string[];
  /** What follows CREATE DOMAIN name AS, CREATE TYPE name AS or CREATE TYPE name AS RANGE; empty for an enum. */
  readonly native: string;
  readonly comment?: string;
}

export type ObjectKind =
  | "aggregate"
  | "collation"
  | "constraint"
  | "extension"
  | "foreign key"
  | "function"
  | "index"
  | "inheritance"
  | "materialized view"
  | "partition"
  | "partitioned table"
  | "policy"
  | "procedure"
  | "row security"
  | "rule"
  | "statistics"
  | "table parameter"
  | "text search configuration"
  | "text search dictionary"
  | "trigger"
  | "view";

/** Whatever is moved beside tables, types and sequences, to a target of the same dialect. */
export interface SchemaObject {
  readonly kind: ObjectKind;
  /** A function's name ends in the types of its arguments, as in `total(integer)`. */
  readonly id: TableId;
  /** The table or view that it is part of: it comes and goes with that. */
  readonly on?: TableId;
  /** Statements that make it, one after the other. */
  readonly native: readonly string[];
  readonly stage: ObjectStage;
  /** It would act on the rows that are replicated, so it waits until no more come. */
  readonly acts?: true;
  /** What its text names and what must be there first. */
  readonly needs: readonly ObjectReference[];
}

/**
 * When an object is made. before-tables: tables, types or sequences need it. before-rows: with the tables,
 * while they are empty, as a partition that is attached later would have to be read. after-rows: the rest.
 */
export type ObjectStage = "before-tables" | "before-rows" | "after-rows";

export interface ObjectReference {
  /** "object": of a kind that is never moved. */
  readonly kind: ObjectKind | "table" | "type" | "sequence" | "object";
  readonly id: TableId;
}

export interface Sequence {
  readonly id: TableId;
  /** What follows CREATE SEQUENCE name. */
  readonly native: string;
  readonly ownedBy: { readonly table: TableId; readonly column: string } | undefined;
  /** True for the sequence behind an identity column: created with its column, only its state is copied. */
  readonly internal: boolean;
}

/** Where a sequence stands. `last` is a decimal text: it may exceed 2^53. */
export interface SequenceState {
  readonly id: TableId;
  readonly last: string;
  readonly isCalled: boolean;
}

/** One database's objects that take part in a migration. */
export interface Catalog {
  /** Name of the engine whose native texts these are. */
  readonly dialect: string;
  readonly serverVersion: string;
  readonly schemas: readonly { readonly name: string; readonly comment?: string }[];
  readonly types: readonly UserType[];
  readonly sequences: readonly Sequence[];
  readonly tables: readonly TableSchema[];
  /** Tables may have indexes of one name; else a schema has each name of an index once. */
  readonly indexNamesOfTables?: true;
  /** Native texts have backticks around all names, and backslashes escape in their strings; else as standard SQL has it. */
  readonly quotesWithBackticks?: true;
  /** Each after those that it needs. */
  readonly objects: readonly SchemaObject[];
  /** Of what is moved; empty when the task leaves owners and privileges alone. */
  readonly rights: readonly ObjectRights[];
}

/** The one text form of a table's id in maps and log fields. Unambiguous for any name. */
export function tableKey(id: TableId): string {
  let key = keys.get(id);
  if (key === undefined) {
    key = `${JSON.stringify(id.schema)}.${JSON.stringify(id.name)}`;
    keys.set(id, key);
  }
  return key;
}

/** A table is looked up for every batch of changes, a key is made once. */
const keys = new WeakMap<TableId, string>();

/** A table's id as people write it, for messages and screens. */
export function displayTable(id: TableId): string {
  return `${id.schema}.${id.name}`;
}

/** An object's id as people write it; what is part of a table is named after it. */
export function displayObject({ kind, id, on }: SchemaObject): string {
  if (kind === "extension") return id.name;
  if (on === undefined) return displayTable(id);
  if (kind === "row security" || kind === "partition" || kind === "inheritance") return displayTable(on);
  return `${displayTable(on)}.${id.name}`;
}
