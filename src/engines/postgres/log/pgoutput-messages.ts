import type { MessageCursor } from "./pgoutput-cursor.ts";
import type { RelationColumn, RelationMessage } from "./pgoutput-relation.ts";

/** Message tags (protocol manual, "Logical Replication Message Formats"). */
export const Tag = {
  begin: 0x42,
  commit: 0x43,
  delete: 0x44,
  insert: 0x49,
  message: 0x4d,
  origin: 0x4f,
  relation: 0x52,
  truncate: 0x54,
  type: 0x59,
  update: 0x55,
} as const;

/** What Relation tells after the relation's number: seldom, and before the first change of it that follows. */
export function readRelation(cursor: MessageCursor): RelationMessage {
  // The system's own schema is sent as an empty name.
  const schema = cursor.string() || "pg_catalog";
  const name = cursor.string();
  const identity = String.fromCharCode(cursor.byte());
  const count = cursor.uint16();
  const columns: RelationColumn[] = [];
  for (let i = 0; i < count; i++) {
    const inKey = (cursor.byte() & 1) === 1;
    const column = cursor.string();
    columns.push({ name: column, inKey, type: cursor.uint32(), modifier: cursor.uint32() | 0 });
  }
  return { schema, name, identity, columns };
}

/**
 * The contents of a Message of the transaction with the prefix; undefined for any other. Anybody may write messages into
 * the log. Those outside of transactions come at once, also inside another's.
 */
export function readLogicalMessage(
  cursor: MessageCursor,
  prefix: string | undefined,
): Uint8Array | undefined {
  const isTransactional = cursor.byte() === 1;
  cursor.advance(8);
  const isOurs = cursor.string() === prefix;
  const length = cursor.uint32();
  cursor.need(length);
  if (!isTransactional || !isOurs) return undefined;
  return cursor.bytes.subarray(cursor.at, cursor.at + length);
}
