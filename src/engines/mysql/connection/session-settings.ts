import type { EndpointRole } from "../../../core/engine.ts";

/**
 * What every session of ours sets, whatever a server or a user has as its default: the text form of values, and
 * that no limit of time ends a statement or a session. A comment with a version is read by servers from that
 * version on only, one with M! by MariaDB only, which passes over MySQL's from 5.7 on.
 */
const COMMON = [
  "autocommit = 1",
  "time_zone = '+00:00'",
  "sql_auto_is_null = 0",
  "sql_safe_updates = 0",
  "sql_big_selects = 1",
  "sql_select_limit = default",
  "sql_quote_show_create = 1",
  "group_concat_max_len = 1073741824",
  // A connection may stand still while the other side is slow, e.g. while it builds an index.
  "wait_timeout = 2147483",
  "interactive_timeout = 2147483",
  "net_read_timeout = 86400",
  "net_write_timeout = 86400",
  // So that texts in which names are looked for are not translated.
  "lc_messages = 'en_US'",
].join(", ");

const NO_LIMIT = "/*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */";

/**
 * The source's values are read as they are, zero dates too. The target refuses a value rather than change it, but
 * takes what another MySQL holds: dates that no calendar has, and 0 in an AUTO_INCREMENT column. Columns that are computed
 * may take unsigned numbers from each other: MariaDB lets nobody make such a column without that mode, and on MySQL what the
 * source has computed below zero is refused without it.
 */
export const TARGET_SQL_MODE =
  "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES,NO_UNSIGNED_SUBTRACTION";

const sides: Readonly<Record<EndpointRole, string>> = {
  source: "set sql_mode = '';",
  target: `set sql_mode = '${TARGET_SQL_MODE}',
    innodb_lock_wait_timeout = 100000000, lock_wait_timeout = 31536000;`,
};

/** The first statements of a session. */
export function sessionSettings(side: EndpointRole): string {
  return `set names utf8mb4; set ${COMMON} ${NO_LIMIT}; ${sides[side]}`;
}
