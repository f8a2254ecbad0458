import type { TableId } from "./schema.ts";

/** Somebody who is none of Tideway's and has written to a table, or has begun to. */
export interface OtherWriter {
  /** The target's id. */
  readonly table: TableId;
  /** The session's number; null where there is none any more, or where the server does not show whose writes it has counted. */
  readonly session: string | null;
  /** The name of the prepared transaction in which it was written, where that is what the server shows. */
  readonly prepared: string | null;
  /** Null where the server shows that somebody has written, and not who. */
  readonly user: string | null;
  /** Null where there is none, or where the server does not show it to this user. */
  readonly address: string | null;
  readonly application: string | null;
  /** Known by the text of a statement, of which nobody has seen whether it was this one that has changed rows of the table. */
  readonly isStated?: true;
  /** What was counted while nothing of Tideway's wrote to the table; null for one who was seen writing. */
  readonly counted: CountedWrites | null;
}

export interface CountedWrites {
  /** Null where the server keeps no number. */
  readonly rows: number | null;
  /** They were written in so many milliseconds before they were told, or a moment earlier. */
  readonly withinMs: number;
  /** The only account beside Tideway's own that has written to anything meanwhile, where the server shows that. */
  readonly onlyAccount: Pick<OtherWriter, "user" | "address"> | null;
}

/** Looks for other writers of some tables, again and again. */
export interface WriterWatch {
  /**
   * Who is writing, or has written since the look before: to be asked each second or so, one call after the other, because what
   * a server shows of sessions goes quickly. The first look tells of what is under way alone. The same writer may be told in
   * many looks. What the server does not show to this user is left out.
   */
  look(signal: AbortSignal): Promise<readonly OtherWriter[]>;
}
