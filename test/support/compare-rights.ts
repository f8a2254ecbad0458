import type pg from "pg";

/**
 * Owners and privileges of all that is in a schema, one line each, as the server's catalogs describe them.
 * Without MAINTAIN, which servers have since version 17 and give to owners by themselves, and without the types
 * of sequences' rows, which they had until version 13.
 */
export async function rightsOf(client: pg.Client, schema: string): Promise<string[]> {
  await client.query("set search_path = pg_catalog");
  const { rows } = await client.query<{ fact: string }>(RIGHTS, [schema]);
  return rows.map(({ fact }) => fact);
}

const RIGHTS = `
  with space as (select oid from pg_namespace where nspname = $1),
  thing(what, owner, acl) as (
    select 'schema', nspowner, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace where oid in (table space)
    union all
    select 'relation ' || relname, relowner, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner))
      from pg_class where relnamespace in (table space) and relkind in ('r', 'p', 'v', 'm', 'S')
    union all
    select 'column ' || c.relname || '.' || a.attname, c.relowner, a.attacl
      from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace in (table space) and a.attacl is not null
    union all
    select 'routine ' || proname, proowner, coalesce(proacl, acldefault('f', proowner)) from pg_proc where pronamespace in (table space)
    union all
    select 'type ' || typname, typowner, coalesce(typacl, acldefault('T', typowner))
      from pg_type where typnamespace in (table space) and typcategory <> 'A'
         and typrelid not in (select oid from pg_class where relkind = 'S')
    union all
    select 'collation ' || collname, collowner, null from pg_collation where collnamespace in (table space)
    union all
    select 'statistics ' || stxname, stxowner, null from pg_statistic_ext where stxnamespace in (table space)
    union all
    select 'default ' || defaclobjtype::text, defaclrole, defaclacl from pg_default_acl where defaclnamespace in (table space)
  )
  select what || ' of ' || pg_get_userbyid(owner) || ': ' || array(
           select concat_ws(' ', privilege_type, 'by', pg_get_userbyid(grantor), 'to',
                            case grantee when 0 then 'everybody' else pg_get_userbyid(grantee) end, case when is_grantable then '*' end)
             from aclexplode(acl) where privilege_type <> 'MAINTAIN' order by 1)::text as fact
    from thing order by what collate "C"`;
