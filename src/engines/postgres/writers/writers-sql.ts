/** The server as firstSql() names it. */
export const SERVER = "select extract(epoch from pg_catalog.pg_postmaster_start_time())::text as server";

/** Enough to see what a statement writes to, unless much stands before it in WITH. */
const TEXT_LENGTH = 1_000;

/**
 * $1: processes of this program's sessions. $2: when this was asked before, null for never. $3: what sessions of Tideway are for
 * that may write. Others of Tideway, of whichever task, are known by their name and by the role that is theirs, too.
 *
 * Everybody may see locks and users. Statements and addresses are shown to members of pg_read_all_stats, and to a session's own role.
 * INSERT, UPDATE, DELETE, MERGE and COPY lock their table so, and EXPLAIN does, too: a transaction that has written has a number,
 * which it locks. A prepared transaction has no process.
 * Who asks is to be known by its name: a pooler that passes names not on would have Tideway's own sessions be somebody's.
 */
export const SESSIONS = `
  with other as (
    select pid, usename as user, host(client_addr) as address, nullif(application_name, '') as application, query, query_start
      from pg_catalog.pg_stat_activity
     where datname = current_database() and usename is not null and pid <> all ($1::int[])
       and (usename <> session_user or not starts_with(application_name, 'tideway '))
  ), lock as materialized (
    select * from pg_catalog.pg_locks where granted
  ), writing as (
    select json_build_object('schema', schema.nspname, 'name', relation.relname) as table,
           session.pid::text as session, prepared.gid as prepared, coalesce(session.user, prepared.owner) as user,
           session.address, session.application
      from lock
      left join other session on session.pid = lock.pid
      left join lock own on lock.pid is null and own.pid is null and own.locktype = 'transactionid'
       and own.virtualtransaction = lock.virtualtransaction
      left join pg_catalog.pg_prepared_xacts prepared on prepared.transaction = own.transactionid
      join pg_catalog.pg_class relation on relation.oid = lock.relation
      join pg_catalog.pg_namespace schema on schema.oid = relation.relnamespace
     where lock.locktype = 'relation' and lock.mode = 'RowExclusiveLock'
       and lock.database = (select oid from pg_catalog.pg_database where datname = current_database())
       and coalesce(session.user, prepared.owner) is not null
       and (lock.pid is null or exists (select from lock numbered where numbered.pid = lock.pid
                                          and numbered.locktype = 'transactionid' and numbered.mode = 'ExclusiveLock'))
     order by prepared.gid, session.pid, schema.nspname, relation.relname
  ), stating as (
    select pid::text as session, null as prepared, "user", address, application, left(query, ${TEXT_LENGTH}) as query
      from other
     where query_start >= $2::timestamptz
       and query ~* '^[\\s;]*(insert|update|delete|merge|copy|truncate|with|begin|start|set|/[*]|--)'
  )
  select statement_timestamp() as asked,
         exists (select from pg_catalog.pg_stat_activity
                  where pid = pg_backend_pid() and starts_with(application_name, 'tideway ')) as "isKnown",
         coalesce((select json_agg(writing) from writing), '[]') as writing,
         coalesce((select json_agg(stating) from stating), '[]') as stating,
         coalesce((select json_agg(pid) from pg_catalog.pg_stat_activity
                    where datname = current_database() and usename = session_user
                      and application_name = any ($3::text[])), '[]') as tideway`;

/**
 * $1, $2: schemas and names of tables. Rows of a partitioned table are counted where they are, so that it is another one once a
 * partition has been attached. TRUNCATE gives a table another file.
 */
export const COUNTS = `
  select current_setting('server_version_num')::int as version,
         coalesce(json_agg(json_build_object('index', wanted.index, 'count', counted.count, 'identity', counted.identity)), '[]') as counts
    from unnest($1::text[], $2::text[]) with ordinality as wanted (schema, name, index)
    join pg_catalog.pg_namespace schema on schema.nspname = wanted.schema
    join pg_catalog.pg_class relation on relation.relnamespace = schema.oid and relation.relname = wanted.name
   cross join lateral (
     select coalesce(sum(pg_catalog.pg_stat_get_tuples_inserted(part.oid) + pg_catalog.pg_stat_get_tuples_updated(part.oid)
                       + pg_catalog.pg_stat_get_tuples_deleted(part.oid)), 0) as count,
            concat_ws(' ', relation.oid, count(*), sum(part.oid::int8),
                      sum(pg_catalog.pg_relation_filenode(part.oid)::int8)) as identity
       from (select relation.oid where relation.relkind <> 'p' union all
             select leaf.relid from pg_catalog.pg_partition_tree(relation.oid) leaf
              where relation.relkind = 'p' and leaf.isleaf) as part (oid)
   ) as counted`;

/**
 * $1, $2, $3: users, schemas or null, and names of tables that their statements name. A name without a schema is answered
 * where one relation alone has it, whatever the session's search path is.
 */
export const STATED = `
  select stated.index, json_build_object('schema', found.schema, 'name', stated.name) as table
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality as stated ("user", schema, name, index)
    join pg_catalog.pg_roles role on role.rolname = stated."user"
   cross join lateral (
     select min(schema.nspname) as schema, min(relation.oid::int8)::oid as oid
       from pg_catalog.pg_class relation join pg_catalog.pg_namespace schema on schema.oid = relation.relnamespace
      where relation.relname = stated.name and relation.relkind in ('r', 'p', 'f', 'v', 'm')
        and case when stated.schema is null then schema.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
                 else schema.nspname = stated.schema end
     having count(*) = 1
   ) as found
   where has_table_privilege(role.oid, found.oid, 'insert, update, delete, truncate')
      or has_any_column_privilege(role.oid, found.oid, 'insert, update')
   order by stated.index`;

const ID = (schema: string, name: string): string =>
  `json_build_object('schema', ${schema}, 'name', ${name})`;

/**
 * From version 15 on. Triggers act for Tideway only if they always do, or if it may not keep them from it; foreign keys and rules
 * are taken to act. What is done to a partition's rows is its root's.
 */
export const EFFECTS = `
  with relation as (
    select relation.oid, schema.nspname as schema, relation.relname as name, relation.relhasrules as has_rules, relation.relkind as kind
      from pg_catalog.pg_class relation join pg_catalog.pg_namespace schema on schema.oid = relation.relnamespace
     where relation.relkind in ('r', 'p', 'f')
  ), acting as (
    select coalesce(pg_catalog.pg_partition_root(tgrelid), tgrelid) as oid from pg_catalog.pg_trigger
     where not tgisinternal and tgenabled <> 'D'
       and (tgenabled <> 'O' or not has_parameter_privilege(current_user, 'session_replication_role', 'set'))
    union select oid from relation where has_rules
  ), passing as (
    select confrelid as giver, conrelid as taker from pg_catalog.pg_constraint
     where contype = 'f' and (confdeltype in ('c', 'n', 'd') or confupdtype in ('c', 'n', 'd'))
    union select inhparent, inhrelid from pg_catalog.pg_inherits
  )
  select coalesce((select json_agg(${ID("relation.schema", "relation.name")})
                     from acting join relation using (oid)), '[]') as acting,
         coalesce((select json_agg(json_build_array(${ID("giver.schema", "giver.name")}, ${ID("taker.schema", "taker.name")}))
                     from passing join relation giver on giver.oid = passing.giver
                     join relation taker on taker.oid = passing.taker), '[]') as "passedOn"`;
