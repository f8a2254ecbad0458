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
 * Whoever has written in a transaction that is open, and has locked one of the tables for that. Sessions of this user's name are taken for
 * Tideway's: no server shows what a session is for. None where the performance schema is off, or does not watch locks of tables.
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

/** Who reads rows to write them later has the same lock, and has modified none. */
const WRITERS = `
  select lk.object_schema as \`schema\`, lk.object_name as name, thread.processlist_id as id,
         thread.processlist_user as user, thread.processlist_host as address, attribute.attr_value as application
    from performance_schema.metadata_locks lk
    join performance_schema.threads thread on thread.thread_id = lk.owner_thread_id
    join information_schema.innodb_trx trx on trx.trx_mysql_thread_id = thread.processlist_id
    left join performance_schema.session_connect_attrs attribute
      on attribute.processlist_id = thread.processlist_id and attribute.attr_name = 'program_name'
   where lk.object_type = 'TABLE' and lk.lock_status = 'GRANTED'
     and lk.lock_type in ('SHARED_WRITE', 'SHARED_WRITE_LOW_PRIO', 'SHARED_NO_READ_WRITE')
     and trx.trx_rows_modified > 0 and thread.processlist_user <> substring_index(current_user(), '@', 1)
   order by thread.processlist_id`;
