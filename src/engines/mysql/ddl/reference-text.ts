import { expect, readBrackets, UnreadDefinition } from "./column-text.ts";
import type { SqlReader } from "./sql-words.ts";

/** A foreign key that does nothing by itself. */
export interface ReferenceText {
  readonly name: string;
  readonly columns: readonly string[];
  /** undefined: the database of the table that refers. */
  readonly schema: string | undefined;
  readonly table: string;
  readonly referencedColumns: readonly string[];
}

/**
 * Reads KEY [index] (column, ...) REFERENCES table (column, ...) [actions]. One that acts by itself throws
 * UnreadDefinition, and so does one without a name: servers give it different ones.
 */
export function readReference(reader: SqlReader, name: string | undefined): ReferenceText {
  expect(reader, "KEY");
  if (reader.takeIf("IF") !== undefined) throw new UnreadDefinition();
  if (reader.next?.kind !== "sign") reader.name();
  const columns = readBrackets(reader);
  expect(reader, "REFERENCES");
  const table = reader.table("");
  const referenced = readBrackets(reader);
  if (name === undefined || columns === undefined || table === undefined || referenced === undefined) {
    throw new UnreadDefinition();
  }
  while (reader.takeIf("ON") !== undefined) {
    if (reader.takeIf("DELETE", "UPDATE") === undefined) throw new UnreadDefinition();
    if (reader.takeIf("NO") !== undefined) expect(reader, "ACTION");
    else expect(reader, "RESTRICT");
  }
  return {
    ...{ name, table: table.name, schema: table.schema === "" ? undefined : table.schema },
    columns: columns.map(({ text }) => text),
    referencedColumns: referenced.map(({ text }) => text),
  };
}
