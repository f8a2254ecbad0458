import type { TableId } from "./schema.ts";

/** A session that is none of Tideway's and has begun to write to a table. */
export interface OtherWriter {
  /** The target's id. */
  readonly table: TableId;
  /** The session's number, or what else the server knows the writer by. */
  readonly session: string;
  readonly user: string;
  /** Null where there is none, or where the server does not show it to this user. */
  readonly address: string | null;
  readonly application: string | null;
}
