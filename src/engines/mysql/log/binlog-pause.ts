import type { Position } from "../../../core/position.ts";
import type { BinlogPlace } from "./binlog-position.ts";
import type { RowsStatement } from "./binlog-statement.ts";

/** What somebody else has to do before the log is read on: resume() follows. */
export type Pause =
  /** More of a compressed transaction is to be had. */
  | { readonly kind: "payload"; readonly fill: () => Promise<void> }
  /** A transaction (XA) commits that was prepared before the stream began: its events lie before this place. */
  | { readonly kind: "prepared"; readonly xid: string; readonly before: BinlogPlace }
  /** A statement was logged that names no table of the stream, and may change one all the same; see StatementReach. */
  | { readonly kind: "statement"; readonly statement: RowsStatement; readonly definitions: number }
  /** What comes next lies beyond the place that was asked for: up to it there is everything up to this position. */
  | { readonly kind: "place"; readonly position: Position };
