import type { TableId } from "../../../core/schema.ts";
import type { SqlReader } from "./sql-words.ts";

/** A statement that makes or drops a trigger. Names of tables in it are of the trigger's own database. */
export type TriggerStatement =
  | {
      readonly kind: "create-trigger";
      readonly name: TableId;
      readonly table: TableId;
      /** INSERT, UPDATE or DELETE. */
      readonly event: string;
      /** Whatever in its body may be a name, in lower case. */
      readonly names: ReadonlySet<string>;
    }
  | { readonly kind: "drop-trigger"; readonly name: TableId };

/** Whether a statement makes a trigger, read from behind CREATE [OR REPLACE]; passes over who defines it. */
export function isTriggerNext(reader: SqlReader): boolean {
  if (reader.isNext("DEFINER")) {
    while (reader.next !== undefined && !reader.isNext(...DEFINABLE)) reader.take();
  }
  return reader.isNext("TRIGGER");
}

/** What may have a definer: no user is called so without quotes in the log, which the server writes itself. */
const DEFINABLE = ["TRIGGER", "VIEW", "PROCEDURE", "FUNCTION", "EVENT", "AGGREGATE", "SQL"];

/** TRIGGER [IF NOT EXISTS] name BEFORE | AFTER event ON table FOR EACH ROW ...; undefined where that is not what it says. */
export function readCreatedTrigger(reader: SqlReader, database: string): TriggerStatement | undefined {
  reader.take();
  while (reader.takeIf("IF", "NOT", "EXISTS") !== undefined);
  const name = reader.table(database);
  reader.takeIf("BEFORE", "AFTER");
  const event = reader.takeIf("INSERT", "UPDATE", "DELETE");
  const table = reader.takeIf("ON") === undefined ? undefined : reader.table(database);
  if (name === undefined || event === undefined || table === undefined) return undefined;
  const names = new Set<string>();
  for (let word = reader.take(); word !== undefined; word = reader.take()) {
    if (word.kind !== "sign") names.add(word.text.toLowerCase());
  }
  return { kind: "create-trigger", name, table, event, names };
}

/** TRIGGER [IF EXISTS] name */
export function readDroppedTrigger(reader: SqlReader, database: string): TriggerStatement | undefined {
  reader.take();
  while (reader.takeIf("IF", "EXISTS") !== undefined);
  const name = reader.table(database);
  return name === undefined ? undefined : { kind: "drop-trigger", name };
}
