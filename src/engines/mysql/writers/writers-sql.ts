/** Ids of all sessions of the user that asks, but for the one that does; a user may always see these. */
export const OWN_USER = `select id as id from information_schema.processlist
  where user = substring_index(user(), '@', 1) and id <> connection_id()`;

const PROGRAMS = `select processlist_id as id, attr_value as name
  from performance_schema.session_connect_attrs where attr_name = 'program_name'`;

/** Of sessions that say what they are; throws where the server does not keep that, or not for this user. */
export function programsOf(ids: readonly string[]): string {
  return `${PROGRAMS} and processlist_id in (${ids.map(Number).join(", ")})`;
}

/** `thread` is a session's. The server's own threads that write, as those that replicate, may have no user. */
const SOMEBODY = `thread.processlist_id as session, coalesce(thread.processlist_user, 'system user') as user,
         thread.processlist_host as address, program.name as application`;

/**
 * Tideway's sessions, of whichever task, are known by this user's name and by the program that they say they are; where the
 * server keeps no account of programs, by the user alone.
 */
const OF_OTHERS = `left join (${PROGRAMS}) program on program.id = thread.processlist_id
    join performance_schema.threads own on own.processlist_id = connection_id()
    left join (${PROGRAMS}) own_program on own_program.id = own.processlist_id
   where (not (thread.processlist_user <=> own.processlist_user)
          or (own_program.id is not null and coalesce(program.name, '') not like 'tideway %'))`;

/**
 * Whoever has written in a transaction that is open, and has locked a table for that. Who reads rows to write them later has the
 * same lock, and has modified none. Throws where the server does not keep account of locks, or not for this user.
 */
export const WRITING = `
  select distinct lk.object_schema as \`schema\`, lk.object_name as name, ${SOMEBODY}
    from performance_schema.metadata_locks lk
    join performance_schema.threads thread on thread.thread_id = lk.owner_thread_id
    join information_schema.innodb_trx trx on trx.trx_mysql_thread_id = thread.processlist_id
    ${OF_OTHERS}
     and lk.object_type = 'TABLE' and lk.lock_status = 'GRANTED'
     and lk.lock_type in ('SHARED_WRITE', 'SHARED_WRITE_LOW_PRIO', 'SHARED_NO_READ_WRITE')
     and trx.trx_rows_modified > 0
   order by thread.processlist_id, lk.object_name`;

/** Now, by the timer of statements: one that is at work ends now. Null where the server keeps no account of statements. */
export const LAST_STATEMENT = "select max(timer_end) as at from performance_schema.events_statements_current";

/** By the names of events: statements that may write to a table, those of a prepared one and of a routine among them. */
const WRITING_EVENTS = [
  ...["insert", "insert_select", "replace", "replace_select", "update", "delete", "load", "truncate"].map(
    (name) => `sql/${name}`,
  ),
  ...["com/Execute", "sp/stmt"],
].map((name) => `'statement/${name}'`);

/** Statements of sessions that are there which have written rows, or emptied a table, and ended after a moment of the timer. */
export function statementsSince(timer: string): string {
  const columns = "thread_id, event_name, timer_end, sql_text, current_schema, errors, rows_affected";
  const from = (table: string): string =>
    `select ${columns} from performance_schema.${table} where timer_end > ${BigInt(timer)}`;
  return `
  select distinct ${SOMEBODY}, said.current_schema as \`database\`, left(said.sql_text, 1000) as text
    from (${from("events_statements_history")} union all ${from("events_statements_current")}) said
    join performance_schema.threads thread on thread.thread_id = said.thread_id
    ${OF_OTHERS}
     and said.event_name in (${WRITING_EVENTS.join(", ")}) and said.errors = 0
     and (said.rows_affected > 0 or said.event_name = 'statement/sql/truncate')`;
}

/** By account, how many rows its statements have written to anything: also of sessions that have ended. */
export const ACCOUNTS = `
  select user as user, host as address, sum(sum_rows_affected) as \`rows\`
    from performance_schema.events_statements_summary_by_account_by_event_name
   where not (user <=> substring_index(user(), '@', 1)) and sum_rows_affected > 0
   group by user, host`;

export const TRIGGERS = `select distinct event_object_schema as \`schema\`, event_object_table as name
  from information_schema.triggers`;

export const PASSED_ON = `
  select unique_constraint_schema as \`schema\`, referenced_table_name as name,
         constraint_schema as toSchema, table_name as toName
    from information_schema.referential_constraints
   where delete_rule not in ('RESTRICT', 'NO ACTION') or update_rule not in ('RESTRICT', 'NO ACTION')`;
