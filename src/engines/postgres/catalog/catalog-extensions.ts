import type pg from "pg";
import { identifier, literal } from "../../shared/identifier.ts";
import type { FoundObject, ObjectScope } from "./catalog-objects.ts";
import { commentOn, isExtensionMember, selectJson } from "./catalog-query.ts";
import { nodeSql } from "./object-graph.ts";

interface ExtensionRow {
  readonly node: string;
  readonly schema: string;
  readonly name: string;
}

interface CollationRow extends ExtensionRow {
  /** pg_collation's row: its columns differ from version to version. */
  readonly row: Readonly<Record<string, unknown>>;
  readonly comment: string | null;
}

/** Extensions, and collations that people have made. */
export async function describeExtensions(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  const extensions = await selectJson<ExtensionRow>(client, EXTENSIONS, [
    scope.schemas.length > 0,
    scope.oids,
  ]);
  const collations = await selectJson<CollationRow>(client, COLLATIONS, [scope.schemas, scope.oids]);
  return [...extensions.map(extension), ...collations.map(collation)];
}

/** Those that every database has are not among them. */
const EXTENSIONS = `
  select ${nodeSql("pg_extension", "e.oid")} as node, n.nspname as schema, e.extname as name
    from pg_extension e join pg_namespace n on n.oid = e.extnamespace
   where e.oid >= 16384 and e.extname <> 'plpgsql' and ($1::boolean or e.oid = any($2::oid[]))
   order by e.oid`;

const COLLATIONS = `
  select ${nodeSql("pg_collation", "c.oid")} as node, n.nspname as schema, c.collname as name,
    to_jsonb(c) as row, ${commentOn("c.oid", "pg_collation")} as comment
    from pg_collation c join pg_namespace n on n.oid = c.collnamespace
   where c.oid >= 16384 and (n.nspname = any($1::text[]) or c.oid = any($2::oid[]))
     and not ${isExtensionMember("c.oid", "pg_collation")}
   order by n.nspname collate "C", c.collname collate "C"`;

/** In the version that the target has; data of an extension's own tables is not part of it. */
function extension({ node, schema, name }: ExtensionRow): FoundObject {
  const place = schema === "pg_catalog" ? "" : ` with schema ${identifier(schema)}`;
  return {
    node,
    kind: "extension",
    stage: "before-tables",
    id: { schema, name },
    native: [`create extension ${identifier(name)}${place}`],
  };
}

const PROVIDERS: Readonly<Record<string, string>> = { b: "builtin", c: "libc", i: "icu" };

function collation({ node, schema, name, row, comment }: CollationRow): FoundObject {
  const options: string[] = [];
  const add = (option: string, value: unknown): void => {
    if (typeof value === "string") options.push(`${option} = ${literal(value)}`);
  };
  const provider = PROVIDERS[String(row["collprovider"])];
  if (provider !== undefined) options.push(`provider = ${provider}`);
  // Its name was colliculocale in 15 and 16; before, ICU's stood where libc's stands.
  const locale = row["colllocale"] ?? row["colliculocale"];
  if (provider === "libc") {
    add("lc_collate", row["collcollate"]);
    add("lc_ctype", row["collctype"]);
  } else add("locale", locale ?? row["collcollate"]);
  if (row["collisdeterministic"] === false) options.push("deterministic = false");
  add("rules", row["collicurules"]);
  return {
    node,
    kind: "collation",
    id: { schema, name },
    native: [
      `create collation ${identifier(name)} (${options.join(", ")})`,
      ...(comment === null ? [] : [`comment on collation ${identifier(name)} is ${literal(comment)}`]),
    ],
  };
}
