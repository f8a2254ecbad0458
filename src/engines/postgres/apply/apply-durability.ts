import type { LogState } from "../../shared/apply/log-durability.ts";
import { lsnCodec, lsnValue } from "../catalog/lsn.ts";
import type { QueryAnswer } from "./apply-session.ts";

/** Answers with the end of the target's log, and how far of it is on disk. With synchronous_commit off commits do not wait. */
export const LOG_STATE_SQL =
  "select pg_catalog.pg_current_wal_insert_lsn(), pg_catalog.pg_current_wal_flush_lsn()";

export function readLogState({ row }: QueryAnswer): LogState {
  const [end, onDisk] = row!.map((text) => lsnValue(lsnCodec.parse(text!)));
  return { end: end!, onDisk: onDisk! };
}
