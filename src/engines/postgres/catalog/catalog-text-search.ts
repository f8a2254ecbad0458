import type pg from "pg";
import { identifier, literal } from "../../shared/identifier.ts";
import type { FoundObject, ObjectScope } from "./catalog-objects.ts";
import { commentOn, inSchema, isExtensionMember, selectJson } from "./catalog-query.ts";
import { nodeSql } from "./object-graph.ts";

interface SearchRow {
  readonly node: string;
  readonly schema: string;
  readonly name: string;
  readonly comment: string | null;
}

interface DictionaryRow extends SearchRow {
  readonly template: string;
  /** Options as CREATE TEXT SEARCH DICTIONARY has them. */
  readonly options: string | null;
}

interface ConfigurationRow extends SearchRow {
  readonly parser: string;
  readonly mappings: readonly { readonly token: string; readonly dictionaries: string }[];
}

/**
 * Dictionaries and configurations of text search. Parsers and templates are functions in C, which come with
 * an extension. Needs a transaction; see inSchema.
 */
export async function describeTextSearch(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  const values = [scope.schemas, scope.oids];
  const dictionaries = await selectJson<DictionaryRow>(client, DICTIONARIES, values);
  const configurations = await selectJson<ConfigurationRow>(client, CONFIGURATIONS, values);
  return [
    ...dictionaries.map((row) =>
      searchObject("text search dictionary", row, [
        `template = ${row.template}`,
        ...(row.options === null ? [] : [row.options]),
      ]),
    ),
    ...configurations.map((row) => {
      const object = searchObject("text search configuration", row, [`parser = ${row.parser}`]);
      const name = identifier(row.name);
      const mappings = row.mappings.map(({ token, dictionaries: those }) => {
        return `alter text search configuration ${name} add mapping for ${identifier(token)} with ${those}`;
      });
      return { ...object, native: [...object.native, ...mappings] };
    }),
  ];
}

function ofScope(oid: string, catalog: string): string {
  return `${oid} >= 16384 and (n.nspname = any($1::text[]) or ${oid} = any($2::oid[]))
     and not ${isExtensionMember(oid, catalog)}`;
}

const DICTIONARIES = `
  select ${nodeSql("pg_ts_dict", "d.oid")} as node, n.nspname as schema, d.dictname as name,
    ${inSchema("n.nspname", named("pg_ts_template", "t.oid", "t.tmplname", "tn.nspname"))} as template,
    d.dictinitoption as options, ${commentOn("d.oid", "pg_ts_dict")} as comment
    from pg_ts_dict d join pg_namespace n on n.oid = d.dictnamespace
    join pg_ts_template t on t.oid = d.dicttemplate join pg_namespace tn on tn.oid = t.tmplnamespace
   where ${ofScope("d.oid", "pg_ts_dict")}
   order by n.nspname collate "C", d.dictname collate "C"`;

const CONFIGURATIONS = `
  select ${nodeSql("pg_ts_config", "c.oid")} as node, n.nspname as schema, c.cfgname as name,
    ${inSchema("n.nspname", named("pg_ts_parser", "p.oid", "p.prsname", "pn.nspname"))} as parser,
    (select coalesce(json_agg(json_build_object('token', m.alias, 'dictionaries', m.dictionaries) order by m.alias), '[]')
       from (select k.alias, string_agg(${inSchema("n.nspname", "m.mapdict::regdictionary::text")}, ', ' order by m.mapseqno) as dictionaries
               from pg_ts_config_map m join ts_token_type(c.cfgparser) k on k.tokid = m.maptokentype
              where m.mapcfg = c.oid group by k.alias) as m) as mappings,
    ${commentOn("c.oid", "pg_ts_config")} as comment
    from pg_ts_config c join pg_namespace n on n.oid = c.cfgnamespace
    join pg_ts_parser p on p.oid = c.cfgparser join pg_namespace pn on pn.oid = p.prsnamespace
   where ${ofScope("c.oid", "pg_ts_config")}
   order by n.nspname collate "C", c.cfgname collate "C"`;

/** As the search path needs it; there is no type that writes the names of these. */
function named(catalog: string, oid: string, name: string, schema: string): string {
  return `case when ${catalog}_is_visible(${oid}) then quote_ident(${name}) else quote_ident(${schema}) || '.' || quote_ident(${name}) end`;
}

function searchObject(
  kind: "text search dictionary" | "text search configuration",
  { node, schema, name, comment }: SearchRow,
  options: readonly string[],
): FoundObject {
  return {
    ...{ node, kind, id: { schema, name } },
    // A function that a column is computed with may name any, which nobody has recorded.
    otherwise: "before-rows",
    native: [
      `${unlessThere(kind, name)}; create ${kind} ${identifier(name)} (${options.join(", ")})`,
      ...(comment === null ? [] : [`comment on ${kind} ${identifier(name)} is ${literal(comment)}`]),
    ],
  };
}

/** These are found to be there by a unique key of the catalog, as if a row of a table were twice. */
function unlessThere(kind: "text search dictionary" | "text search configuration", name: string): string {
  const [catalog, prefix] =
    kind === "text search dictionary" ? ["pg_ts_dict", "dict"] : ["pg_ts_config", "cfg"];
  const query = `select from pg_catalog.${catalog} join pg_catalog.pg_namespace n on n.oid = ${prefix}namespace
    where ${prefix}name = ${literal(name)} and n.nspname = current_schema()`;
  return `do $tideway$ begin if exists (${query}) then raise duplicate_object; end if; end $tideway$`;
}
