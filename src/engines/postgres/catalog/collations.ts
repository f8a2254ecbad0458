import type pg from "pg";
import type { CollationRules, SourceCollation } from "../../../core/collation.ts";
import type { TableId, TableSchema } from "../../../core/schema.ts";
import { selectJson } from "./catalog-query.ts";

/** SQL for the rules in a row of a catalog, whose columns differ from version to version and begin with `prefix`. */
function rulesSql(row: string, provider: string, prefix: "coll" | "dat"): string {
  const value = (column: string): string => `to_jsonb(${row}) ->> '${column}'`;
  return `
    coalesce('{"b": "builtin", "i": "icu"}'::jsonb ->> (${value(provider)}), 'libc') as provider,
    coalesce(${["locale", "iculocale", "collate"].map((name) => value(`${prefix}${name}`)).join(", ")}) as locale,
    ${value(prefix === "coll" ? "collversion" : "datcollversion")} as version`;
}

interface RulesRow extends Omit<CollationRules, "version"> {
  readonly version: string | null;
}

interface CollationRow extends RulesRow {
  readonly schema: string | null;
  readonly name: string | null;
  readonly own: boolean;
  readonly tables: readonly TableId[];
}

/** The collations of columns and indexes of these tables, the database's own among them. */
export async function collationsOf(
  client: pg.Client,
  tables: readonly TableSchema[],
): Promise<readonly SourceCollation[]> {
  const rows = await selectJson<CollationRow>(client, USED, [
    tables.map(({ id }) => id.schema),
    tables.map(({ id }) => id.name),
  ]);
  return rows.map(({ schema, name, own, tables: having, ...rules }) => {
    const id = schema === null || name === null ? undefined : { schema, name };
    return { id, own, tables: having, ...rulesOf(rules) };
  });
}

/** `default` has a number that no other version gives to anything else. */
const DEFAULT_OID = 100;

const USED = `
  with wanted as (
    select wanted.schema, wanted.name, c.oid from unnest($1::text[], $2::text[]) as wanted(schema, name)
      join pg_namespace n on n.nspname = wanted.schema
      join pg_class c on c.relnamespace = n.oid and c.relname = wanted.name),
  parts as (
    select wanted.schema, wanted.name, a.attcollation as number
      from wanted join pg_attribute a on a.attrelid = wanted.oid and a.attnum > 0 and not a.attisdropped
    union
    select wanted.schema, wanted.name, unnest(x.indcollation::oid[])
      from wanted join pg_index x on x.indrelid = wanted.oid),
  used as (
    select number, json_agg(json_build_object('schema', schema, 'name', name) order by schema, name) as tables
      from parts where number <> 0 group by number)
  select n.nspname as schema, l.collname as name, l.oid >= 16384 as own, tables, ${rulesSql("l", "collprovider", "coll")}
    from used join pg_collation l on l.oid = used.number join pg_namespace n on n.oid = l.collnamespace
   where l.oid <> ${DEFAULT_OID}
  union all
  select null, null, false, tables, ${rulesSql("d", "datlocprovider", "dat")}
    from used, pg_database d where used.number = ${DEFAULT_OID} and d.datname = current_database()
   order by 1, 2`;

/** Those of the named collations that a database has, by place in the list; the database's own where the id is undefined. */
export async function rulesHere(
  client: pg.Client,
  ids: readonly (TableId | undefined)[],
): Promise<ReadonlyMap<number, CollationRules>> {
  const rows = await selectJson<RulesRow & { readonly at: number }>(client, HERE, [
    ids.map((id) => id?.schema ?? null),
    ids.map((id) => id?.name ?? null),
  ]);
  return new Map(rows.map(({ at, ...rules }) => [at - 1, rulesOf(rules)]));
}

const HERE = `
  with wanted as (select * from unnest($1::text[], $2::text[]) with ordinality as wanted(schema, name, at))
  select wanted.at, ${rulesSql("l", "collprovider", "coll")}
    from wanted join pg_namespace n on n.nspname = wanted.schema
    join pg_collation l on l.collnamespace = n.oid and l.collname = wanted.name
    join pg_database d on d.datname = current_database() and l.collencoding in (-1, d.encoding)
  union all
  select wanted.at, ${rulesSql("d", "datlocprovider", "dat")}
    from wanted, pg_database d where wanted.schema is null and d.datname = current_database()`;

/** Locales of the machine's own library that a server knows. */
export async function machineLocales(client: pg.Client): Promise<ReadonlySet<string>> {
  const rows = await selectJson<{ locale: string }>(
    client,
    "select distinct collcollate as locale from pg_collation where collprovider = 'c' and collcollate is not null",
  );
  return new Set(rows.map(({ locale }) => locale));
}

function rulesOf({ provider, locale, version }: RulesRow): CollationRules {
  return { provider, locale, version: version ?? undefined };
}
