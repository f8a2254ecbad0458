import type { OtherWriter } from "../../../core/other-writer.ts";
import { type TableId, tableKey } from "../../../core/schema.ts";
import type { Client } from "../connection/client.ts";

interface WriterRow {
  readonly schema: string;
  readonly name: string;
  readonly id: string;
  readonly user: string;
  readonly address: string | null;
  readonly application: string | null;
}

/**
 * Whoever has written in a transaction that is open, and has locked one of the tables for that. Tideway's sessions, of
 * whichever task, are known by this user's name and by the program that they say they are; where the server keeps no
 * account of programs, by the user alone. Throws where the server does not keep account of locks, or not for this user.
 */
export async function otherWriters(
  client: Client,
  tables: readonly TableId[],
): Promise<readonly OtherWriter[]> {
  const wanted = new Map(tables.map((table) => [tableKey(table), table]));
  const rows = await client.query<WriterRow>(WRITERS);
  return rows.flatMap(({ schema, name, id, user, address, application }) => {
    const table = wanted.get(tableKey({ schema, name }));
    if (table === undefined) return [];
    return [{ table, session: `connection ${id}`, user, address: address || null, application }];
  });
}

const PROGRAMS = `select processlist_id as id, attr_value as name
  from performance_schema.session_connect_attrs where attr_name = 'program_name'`;

/**
 * Who reads rows to write them later has the same lock, and has modified none. The server's own threads that write, as those
 * that replicate, may have no user.
 */
const WRITERS = `
  select distinct lk.object_schema as \`schema\`, lk.object_name as name, thread.processlist_id as id,
         coalesce(thread.processlist_user, 'system user') as user, thread.processlist_host as address,
         program.name as application
    from performance_schema.metadata_locks lk
    join performance_schema.threads thread on thread.thread_id = lk.owner_thread_id
    join information_schema.innodb_trx trx on trx.trx_mysql_thread_id = thread.processlist_id
    left join (${PROGRAMS}) program on program.id = thread.processlist_id
    join performance_schema.threads own on own.processlist_id = connection_id()
    left join (${PROGRAMS}) own_program on own_program.id = own.processlist_id
   where lk.object_type = 'TABLE' and lk.lock_status = 'GRANTED'
     and lk.lock_type in ('SHARED_WRITE', 'SHARED_WRITE_LOW_PRIO', 'SHARED_NO_READ_WRITE')
     and trx.trx_rows_modified > 0
     and (not (thread.processlist_user <=> own.processlist_user)
          or (own_program.id is not null and coalesce(program.name, '') not like 'tideway %'))
   order by thread.processlist_id, lk.object_name`;
