import { MigrationError } from "../../core/error.ts";
import { displayTable, type TableSchema } from "../../core/schema.ts";

/** A column as the log's Relation message describes it. */
export interface RelationColumn {
  readonly name: string;
  readonly inKey: boolean;
  readonly type: number;
  readonly modifier: number;
}

/** A Relation message (protocol manual, "Logical Replication Message Formats"). */
export interface RelationMessage {
  readonly schema: string;
  readonly name: string;
  /** pg_class.relreplident: d, i, f or n. */
  readonly identity: string;
  readonly columns: readonly RelationColumn[];
}

/** Types of a table's columns by name when the stream was opened: pg_type oid and type modifier. */
export type ColumnTypes = ReadonlyMap<string, { readonly type: number; readonly modifier: number }>;

/** A relation that is not the table that was described under its name. */
export interface RelationMisfit {
  readonly table: number;
  readonly error: MigrationError;
}

/** How a relation's tuples become rows of its table. */
export interface RelationMap {
  /** Index into the stream's tables. */
  readonly table: number;
  readonly error?: undefined;
  /** Cells of a row are 2 * columns numbers. */
  readonly columns: number;
  /** For each column that is sent, where in a row its cell stands. */
  readonly cellOf: Int32Array;
}

/**
 * Fits a relation to its table. Throws `source.table_changed` when the table that wrote these changes
 * is not the one that was described: other columns, types, or another replica identity.
 */
export function mapRelation(
  message: RelationMessage,
  tables: { readonly schema: TableSchema; readonly index: number; readonly types: ColumnTypes | undefined },
): RelationMap {
  const { schema, index, types } = tables;
  const sent = schema.columns.flatMap((column, ordinal) => (column.generated === undefined ? [ordinal] : []));
  if (sent.length !== message.columns.length) throw changed(schema, "has other columns");
  const cellOf = new Int32Array(sent.length);
  for (let i = 0; i < sent.length; i++) {
    const ordinal = sent[i]!;
    const column = message.columns[i]!;
    if (schema.columns[ordinal]!.name !== column.name) throw changed(schema, "has other columns");
    const known = types?.get(column.name);
    if (known !== undefined && (known.type !== column.type || known.modifier !== column.modifier)) {
      throw changed(schema, `has another type in column ${column.name}`);
    }
    cellOf[i] = 2 * ordinal;
  }
  checkIdentity(message, schema, sent);
  return { table: index, columns: schema.columns.length, cellOf };
}

function checkIdentity(message: RelationMessage, schema: TableSchema, sent: readonly number[]): void {
  // FULL sends the whole old row, which holds any key. Less than what the table was described with
  // would leave rows that cannot be found.
  if (message.identity === "f") return;
  const key = sent.filter((_, i) => message.columns[i]!.inKey);
  const same = key.length === schema.key.length && key.every((ordinal) => schema.key.includes(ordinal));
  if (schema.rowIdentity === "full" || !same) throw changed(schema, "has another replica identity");
}

function changed(schema: TableSchema, how: string): MigrationError {
  return new MigrationError("source.table_changed", {
    message: `The table ${how} than when the task described it.`,
    subject: displayTable(schema.id),
    table: schema.id,
  });
}
