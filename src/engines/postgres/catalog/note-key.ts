import { literal, qualified } from "../../shared/identifier.ts";

/** Schema of the key alone: nobody but its owner can put something else in the key's place there. */
export const KEY_SCHEMA = "tideway_notes";

/**
 * A materialized view, of which the key is the only row: a publication of all tables does not have it in it, a dump that an
 * ordinary role makes of the database does not read it, and not everybody may read it as they may what views and functions
 * are made of. A copy of the schema alone brings it without its row, which counts as none.
 */
const KEY_VIEW = qualified({ schema: KEY_SCHEMA, name: "note_key" });

/** Makes the view's row: the one that it has, so that whoever refreshes all views leaves the key as it is, else a new one. */
const KEY_FUNCTION = qualified({ schema: KEY_SCHEMA, name: "present_or_new" });

const KEY_OF = `from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = ${literal(KEY_SCHEMA)} and c.relname = 'note_key' and c.relkind = 'm' and c.relispopulated`;

/**
 * What only the function behind the event triggers and who may read the key can write before a note: anybody may
 * write messages into the log, of any prefix.
 */
export const KEY_SQL = `select key from ${KEY_VIEW}`;

/** SQL that is true when the key is there and belongs, as its schema does, to the role `owner`. */
export function hasKeySql(owner: string): string {
  return `exists (select ${KEY_OF} and c.relowner = ${owner} and n.nspowner = ${owner})`;
}

/** SQL that is true when the key is there and this session may read it. */
export const MAY_READ_KEY = `exists (select ${KEY_OF}
  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select'))`;

/** SQL that is true when the schema is one that this session's role has not made, nor a superuser. */
export const IS_KEY_FOREIGN = `exists (select from pg_namespace n join pg_roles r on r.oid = n.nspowner
  where n.nspname = ${literal(KEY_SCHEMA)} and not r.rolsuper and r.rolname <> current_user)`;

export const DROP_KEY = `drop schema if exists ${KEY_SCHEMA} cascade`;

/** While the view is being made it is there and empty, in some versions; in others it is not there yet. */
const PRESENT_OR_NEW = `declare
  present text;
begin
  begin
    present := (${KEY_SQL});
  exception when undefined_table or object_not_in_prerequisite_state then
    null;
  end;
  return coalesce(present, gen_random_uuid()::text);
end`;

/** What default privileges have given to others. */
const REVOKE_FROM_OTHERS = `do $$
declare
  given record;
begin
  for given in
    select o.object, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee
      from (select 'schema ${KEY_SCHEMA}' as object, nspacl as acl, nspowner as owner from pg_namespace where nspname = ${literal(KEY_SCHEMA)}
            union all select '${KEY_VIEW}', relacl, relowner from pg_class where oid = '${KEY_VIEW}'::regclass
            union all select 'function ${KEY_FUNCTION}()', proacl, proowner from pg_proc where oid = '${KEY_FUNCTION}'::regproc) as o,
        aclexplode(o.acl) as a
     where a.grantee <> o.owner
     group by 1, 2
  loop
    execute format('revoke all on %s from %s cascade', given.object, given.grantee);
  end loop;
end $$`;

/** The server makes the key up, so that no log of statements holds it. */
export const MAKE_KEY: readonly string[] = [
  DROP_KEY,
  `create schema ${KEY_SCHEMA}`,
  `create function ${KEY_FUNCTION}() returns text language plpgsql
    set search_path = pg_catalog, pg_temp as $$${PRESENT_OR_NEW}$$`,
  `revoke all on function ${KEY_FUNCTION}() from public`,
  `create materialized view ${KEY_VIEW} as select ${KEY_FUNCTION}() as key`,
  // Without it nobody can refresh all views concurrently.
  `create unique index on ${KEY_VIEW} (key)`,
  REVOKE_FROM_OTHERS,
];
