import type { EndpointRole } from "../../../core/engine.ts";

/**
 * What every session of ours sets, whatever a server, a database or a role has as its default: the text
 * form of values, and that no limit of time ends a statement, a transaction or a session. Those limits are
 * made for applications; ours wait for each other, for locks and for rows as long as it takes.
 *
 * Names that every version knows, as options of the start. Connection poolers refuse those that they are not
 * told to ignore, so the list is kept as it is.
 */
export const SESSION_OPTIONS = Object.entries({
  datestyle: "ISO",
  intervalstyle: "postgres",
  extra_float_digits: "3",
  bytea_output: "hex",
  lc_monetary: "C",
  standard_conforming_strings: "on",
  statement_timeout: "0",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "0",
  client_min_messages: "warning",
})
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(" ");

/**
 * What the first statement sets. The limits are not known to every version: idle_session_timeout came with 14,
 * transaction_timeout with 17, and an unknown name among the options refuses the session. tcp_keepalives_*: a
 * server that is left without a word, because this machine has vanished, ends the session in about a minute
 * instead of keeping its locks for hours. tcp_user_timeout stays off: it also cuts a connection on which one
 * side lets the other wait.
 */
const FIRST_SETTINGS = {
  idle_session_timeout: "0",
  transaction_timeout: "0",
  // The names of types are texts that those of another server are compared with.
  quote_all_identifiers: "off",
  tcp_keepalives_idle: "30",
  tcp_keepalives_interval: "10",
  tcp_keepalives_count: "3",
  tcp_user_timeout: "0",
};

/**
 * While a server works on a statement it does not notice that whoever has asked is gone, unless it looks now and then, which it can
 * from 14 on. What reads would go on, for hours perhaps, and have the source keep old rows as long. A server that is not
 * sure to be able to look refuses the setting.
 */
const LOOKS_FOR_CLIENT = "client_connection_check_interval";
const OF_READERS = { [LOOKS_FOR_CLIENT]: "10s" };

/** The first statement of a session; passes over settings that the server does not know. Answers with the session's Backend. */
export function firstSql(side: EndpointRole): string {
  const settings = side === "source" ? { ...FIRST_SETTINGS, ...OF_READERS } : FIRST_SETTINGS;
  const values = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  return `
  select pg_catalog.pg_backend_pid() as pid,
         (select extract(epoch from backend_start)
            from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())) as started,
         extract(epoch from pg_catalog.pg_postmaster_start_time()) as server,
         (select count(pg_catalog.set_config(setting.name, setting.value, false))
            from (values ${values.join(", ")}) as setting (name, value)
           where pg_catalog.current_setting(setting.name, true) is not null
             and (setting.name <> '${LOOKS_FOR_CLIENT}' or pg_catalog.version() like '%linux%')) as settings`;
}
