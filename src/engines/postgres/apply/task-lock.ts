import { literal } from "../../shared/identifier.ts";

/** SQL of the key of the lock that sessions share while they work on a task: names of sessions do not tell whose they are. */
export function taskLockKey(taskSql: string): string {
  return `pg_catalog.hashtextextended('tideway task ' || ${taskSql}, 0)`;
}

/** SQL of the key of the lock that the one session which applies a task's changes has for itself. */
export function applyLockKey(taskSql: string, controlSchema: string | undefined): string {
  return `pg_catalog.hashtextextended(${literal(`tideway apply ${controlSchema ?? ""} `)} || ${taskSql}, 0)`;
}

/** SQL of the locks of this database that are held by one of the keys. */
export function heldLocksSql(keys: readonly string[]): string {
  return `pg_catalog.pg_locks where locktype = 'advisory' and granted and objsubid = 1
          and database = (select oid from pg_catalog.pg_database where datname = current_database())
          and (classid::int8 << 32 | objid::int8) in (${keys.join(", ")})`;
}
