import type pg from "pg";
import type { OtherWriter } from "../../../core/other-writer.ts";
import type { TableId } from "../../../core/schema.ts";
import { selectJson } from "./catalog-query.ts";

/**
 * Whoever has written to one of the tables in a transaction that is open. `own`: processes of this program's sessions; others of
 * Tideway, of whichever task, are known by their name and by the role that is theirs, too. Everybody may see locks and users.
 */
export async function otherWriters(
  client: pg.Client,
  tables: readonly TableId[],
  own: readonly number[],
): Promise<readonly OtherWriter[]> {
  const [schemas, names] = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)];
  return await selectJson<OtherWriter>(client, WRITERS, [schemas, names, own]);
}

/** INSERT, UPDATE, DELETE, MERGE and COPY lock their table so. A prepared transaction has no process. */
const WRITERS = `
  select json_build_object('schema', schema.nspname, 'name', relation.relname) as table,
         coalesce('session ' || session.pid, 'prepared transaction ' || prepared.gid) as session,
         coalesce(session.usename, prepared.owner) as user,
         host(session.client_addr) as address, nullif(session.application_name, '') as application
    from unnest($1::text[], $2::text[]) as wanted (schema, name)
    join pg_namespace schema on schema.nspname = wanted.schema
    join pg_class relation on relation.relnamespace = schema.oid and relation.relname = wanted.name
    join pg_locks lock on lock.locktype = 'relation' and lock.relation = relation.oid and lock.granted
     and lock.mode = 'RowExclusiveLock'
     and lock.database = (select oid from pg_database where datname = current_database())
    left join pg_stat_activity session on session.pid = lock.pid
    left join pg_locks own on lock.pid is null and own.pid is null and own.locktype = 'transactionid' and own.granted
     and own.virtualtransaction = lock.virtualtransaction
    left join pg_prepared_xacts prepared on prepared.transaction = own.transactionid
   where coalesce(session.usename, prepared.owner) is not null
     and coalesce(lock.pid <> all ($3::int[]), true)
     and coalesce(session.usename <> session_user or not starts_with(session.application_name, 'tideway '), true)
   order by 2, schema.nspname, relation.relname`;
