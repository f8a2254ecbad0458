import { qualified } from "../../shared/identifier.ts";
import { COLUMNS } from "./catalog-columns.ts";
import { CHECKS, FOREIGN_KEYS, INDEXES } from "./catalog-constraints.ts";
import { SAFE_PATH } from "./catalog-query.ts";
import { KEY_SQL } from "./note-key.ts";
import { shapeSql } from "./table-shape.ts";

export const NOTE_FUNCTION = "tideway_note_change";

/** Prefix of the messages that are notes, by the key of the source. */
export function notePrefix(key: string): string {
  return `${PREFIX}${key}`;
}

const PREFIX = "tideway note ";

/** A message that says nothing; its place in the log matters. */
export const EMPTY_MESSAGE = "pg_catalog.pg_logical_emit_message(true, 'tideway', '')";

/**
 * Notes are not the last that the function writes. To logical decoding a message lies where its record ends, a change where
 * its record starts, and what a savepoint or an exception block has written is sorted into its transaction by these places.
 * So the record that follows a message may come before it: a change, which would then be read with the table as it was.
 */
const CLOSED = `if found then
    perform ${EMPTY_MESSAGE};
  end if;`;

/** Of the tables by the same texts that describe them, so that a note can be read like the catalog. */
const DESCRIBED = Object.entries({
  columns: COLUMNS,
  indexes: INDEXES,
  checks: CHECKS,
  foreignKeys: FOREIGN_KEYS,
})
  .map(
    ([name, sql]) => `'${name}', (select coalesce(json_agg(row_to_json(q)), '[]') from (${ofOne(sql)}) as q)`,
  )
  .join(",\n      ");

function ofOne(sql: string): string {
  return sql.replaceAll("$1::oid[]", "array[noted.oid]::oid[]");
}

/** A setting that is on in transactions of a task that applies changes and whose own are not to come back. */
export const APPLIED = "tideway.applied";

/** Settings that decide what a value becomes when its column gets another type. */
const SETTINGS = [
  "TimeZone",
  "DateStyle",
  "IntervalStyle",
  "extra_float_digits",
  "bytea_output",
  "xmloption",
];

const SETTINGS_SQL = `json_build_object(${SETTINGS.map((name) => `'${name}', current_setting('${name}')`).join(", ")})`;

/** Enums among the types of a table's columns, their elements or what domains are based on. */
const ENUMS = `select coalesce(json_agg(e), '[]') from (
    select n.nspname as schema, t.typname as name, (
        select json_agg(l.enumlabel order by l.enumsortorder) from pg_catalog.pg_enum l where l.enumtypid = t.oid) as labels
      from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     where t.typtype = 'e' and exists (
       select from pg_catalog.pg_attribute a join pg_catalog.pg_type c on c.oid = a.atttypid
        where a.attrelid = noted.oid and a.attnum > 0 and not a.attisdropped and t.oid in (c.oid, c.typelem, c.typbasetype))
  ) as e`;

/** Columns without a value of their own: no default, none of a domain or a type, no identity, no expression. */
const UNFILLED = `select coalesce(json_agg(a.attnum), '[]') from pg_catalog.pg_attribute a
     join pg_catalog.pg_type t on t.oid = a.atttypid
    where a.attrelid = noted.oid and a.attnum > 0 and not a.attisdropped
      and not a.atthasdef and a.attidentity = '' and t.typdefault is null and t.typdefaultbin is null`;

/**
 * The function behind the event triggers. It reads the catalog and the key alone, and lets no error out. It runs as its
 * owner, so nothing of its statements may be looked up in a schema of the user's: what describes a table leaves the search
 * path at the table's schema, see inSchema(), and before anything else is looked up it is set back.
 *
 * To describe a table takes a weak lock of it. A statement that reaches tables below the one it names holds locks of
 * them; others may be somebody's for long. For those that a type's columns are in the function does not wait long: what goes
 * without its note is found by comparing.
 *
 * A statement that is run by itself is the session's query, and only an expression after USING (or its absence) makes
 * values of their own; what a function runs cannot be looked at, so it is never plain.
 */
export function noteFunctionSql(schema: string): { readonly create: string; readonly body: string } {
  const body = `
#variable_conflict use_column
declare
  context text;
  prefix text;
  plain boolean;
  rewritten text;
  noted record;
begin
  rewritten := coalesce(current_setting('tideway.rewritten', true), '');
  if tg_event = 'table_rewrite' then
    perform set_config('tideway.rewritten', rewritten || ' ' || pg_event_trigger_table_rewrite_oid() || ' ', true);
    return;
  end if;
  if tg_event = 'ddl_command_end' then
    perform set_config('tideway.rewritten', '', true);
    if not exists (select from pg_catalog.pg_event_trigger_ddl_commands() d where d.schema_name is distinct from 'pg_temp') then
      return;
    end if;
  end if;
  select '${PREFIX}' || key into strict prefix from (${KEY_SQL}) as k;
  if tg_event = 'sql_drop' then
    for noted in
      select d.objid, d.schema_name, d.object_name from pg_catalog.pg_event_trigger_dropped_objects() d
       where (d.object_type = 'table' or d.object_type = 'index' and tg_tag = 'DROP INDEX') and not d.is_temporary
       order by d.objid
    loop
      perform pg_catalog.pg_logical_emit_message(true, prefix, convert_to(json_build_object(
        'schema', noted.schema_name, 'name', noted.object_name, 'dropped', true, 'rewritten', false, 'plain', true,
        'shape', json_build_object('table', noted.objid::text, 'storage', '', 'columnsEver', 0, 'columns', '[]'::json)
      )::text, 'UTF8'));
    end loop;
    ${CLOSED}
  end if;
  get diagnostics context = pg_context;
  plain := context not like e'%\\n%' and current_query() collate "C" !~* '[[:<:]]using[[:>:]]';
  for noted in
    with recursive named(id) as (
      ${namedTables()}
    ), locked(id) as materialized (
      select l.relation from pg_catalog.pg_locks l where l.pid = pg_backend_pid() and l.locktype = 'relation'
    ), tables(id) as (
      select id from named
      union
      select i.inhrelid from tables join pg_catalog.pg_inherits i on i.inhparent = tables.id
        join locked on locked.id = i.inhrelid
    )
    select c.oid, c.relname, c.relreplident, n.nspname, ${shapeSql("c")} as shape
      from tables join pg_catalog.pg_class c on c.oid = tables.id
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and c.relpersistence <> 't' order by c.oid
  loop
    perform pg_catalog.set_config('search_path', '${SAFE_PATH}', true);
    perform pg_catalog.pg_logical_emit_message(true, prefix, convert_to(json_build_object(
      'schema', noted.nspname, 'name', noted.relname, 'identity', noted.relreplident, 'shape', noted.shape,
      'rewritten', strpos(rewritten, ' ' || noted.oid || ' ') > 0, 'plain', plain, 'settings', ${SETTINGS_SQL},
      'ofType', tg_tag = 'ALTER TYPE', 'enums', (${ENUMS}), 'unfilled', (${UNFILLED}),
      'applied', coalesce(current_setting('${APPLIED}', true), '') = 'on',
      ${DESCRIBED}
    )::text, 'UTF8'));
  end loop;
  ${CLOSED}
exception when others then
  return;
end`;
  const create = `create or replace function ${qualified({ schema, name: NOTE_FUNCTION })}() returns event_trigger
    language plpgsql security definer set search_path = ${SAFE_PATH}
      set jit = off set lock_timeout = '500ms' as $tideway$${body}$tideway$`;
  return { create, body };
}

/** Tables that the statement was about, by what it changed of them. */
function namedTables(): string {
  return `select d.objid from pg_catalog.pg_event_trigger_ddl_commands() d
        where tg_event = 'ddl_command_end' and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      union
      select i.indrelid from pg_catalog.pg_event_trigger_ddl_commands() d
        join pg_catalog.pg_index i on i.indexrelid = d.objid
        where tg_event = 'ddl_command_end' and d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
      union
      select a.attrelid from pg_catalog.pg_event_trigger_ddl_commands() d
        join pg_catalog.pg_type t on t.oid = d.objid or t.typelem = d.objid or t.typbasetype = d.objid
        join pg_catalog.pg_attribute a on a.atttypid = t.oid and a.attnum > 0 and not a.attisdropped
        where tg_event = 'ddl_command_end' and d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
      union
      select k.conrelid from pg_catalog.pg_event_trigger_ddl_commands() d
        join pg_catalog.pg_constraint k on k.oid = d.objid
        where tg_event = 'ddl_command_end' and d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
      union
      select d.objid from pg_catalog.pg_event_trigger_dropped_objects() d
        where tg_event = 'sql_drop' and d.object_type = 'table column'`;
}
