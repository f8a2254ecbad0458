import type { TableId } from "./schema.ts";

/** By which rules a server sorts texts and takes them for the same. */
export interface CollationRules {
  /** Whose rules these are: "libc", "icu", "builtin". */
  readonly provider: string;
  readonly locale: string;
  /** Undefined where the server tells none. */
  readonly version: string | undefined;
}

/** A collation that some of a source's tables have. */
export interface SourceCollation extends CollationRules {
  /** Undefined for the database's own, which texts have that name no other. */
  readonly id: TableId | undefined;
  /** Users have made it: it comes with the tables. */
  readonly own: boolean;
  /** Tables with columns or indexes of it. */
  readonly tables: readonly TableId[];
}
