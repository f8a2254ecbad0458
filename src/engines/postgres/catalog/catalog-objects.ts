import type pg from "pg";
import {
  type ObjectReference,
  type SchemaObject,
  type Sequence,
  type TableId,
  tableKey,
} from "../../../core/schema.ts";
import { describeExtensions } from "./catalog-extensions.ts";
import { describePartitions } from "./catalog-partitions.ts";
import { selectJson } from "./catalog-query.ts";
import { describeRoutines } from "./catalog-routines.ts";
import { describeTableObjects } from "./catalog-table-objects.ts";
import { describeTableParameters } from "./catalog-table-parameters.ts";
import { describeTextSearch } from "./catalog-text-search.ts";
import { describeViews } from "./catalog-views.ts";
import { ObjectGraph, oidOf } from "./object-graph.ts";
import type { NativeType } from "./type-map.ts";

/** What objects are looked for. */
export interface ObjectScope {
  /** Schemas all of whose objects are moved. */
  readonly schemas: readonly string[];
  /** Oids of the task's tables and of partitioned tables, whose triggers and the like are moved. */
  readonly tables: readonly string[];
  /** Oids of functions, collations and extensions that tables, types and other objects need. */
  readonly oids: readonly string[];
}

/** An object with its node in the graph of what needs what. */
export type FoundObject = Omit<SchemaObject, "stage" | "needs"> & {
  readonly node: string;
  /** Another table that its text names. */
  readonly of?: TableId;
  /** Undefined: before the tables when they need it, else `otherwise`, and when that is left out after the rows. */
  readonly stage?: SchemaObject["stage"];
  readonly otherwise?: SchemaObject["stage"];
};

export interface ObjectRequest {
  readonly schemas: readonly string[];
  /** What tables are parts of is moved, too. */
  readonly isStructured: boolean;
  readonly tables: ReadonlyMap<string, TableId>;
  /** Partitioned tables above the task's tables and in the schemas that are moved whole, by oid. */
  readonly parents: ReadonlyMap<string, TableId>;
  readonly sequences: readonly Sequence[];
  /** The types that tables and other objects are made of, by oid. */
  readonly types: ReadonlyMap<string, NativeType>;
}

/**
 * What is moved beside the tables: everything in the schemas that are moved whole, everything that is
 * part of a table, and whatever of other schemas these need, each after what it needs itself. The
 * client must be in a transaction; see inSchema.
 */
export async function describeObjects(client: pg.Client, request: ObjectRequest): Promise<SchemaObject[]> {
  const graph = await ObjectGraph.read(client);
  const tables = [...request.tables.keys(), ...request.parents.keys()];
  const base = [
    ...tables.map((oid) => `pg_class/${oid}`),
    ...[...request.types.keys()].map((oid) => `pg_type/${oid}`),
  ];
  const early = graph.closure(base);
  const structure = request.isStructured ? await describePartitions(client, request) : [];
  let found: readonly FoundObject[] = [];
  let needed = early;
  // What is found may need more of other schemas, and that again.
  for (let known = -1; known !== needed.size; ) {
    known = needed.size;
    const scope = { schemas: request.schemas, tables, oids: [...needed].flatMap(oidOf) };
    found = [...structure, ...(await findObjects(client, scope))];
    needed = graph.closure([...base, ...found.map(({ node }) => node)]);
  }
  const order = new Map([...needed].map((node, at) => [node, at]));
  const own = new Set(found.map(({ node }) => node));
  const references = await nameNodes(
    client,
    [...needed].filter((node) => !own.has(node)),
  );
  for (const { node, kind, id } of found) references.set(node, { kind, id });
  return found
    .toSorted((a, b) => order.get(a.node)! - order.get(b.node)!)
    .map(({ node, of, otherwise = "after-rows", ...object }) => ({
      ...object,
      stage: object.stage ?? (early.has(node) ? "before-tables" : otherwise),
      needs: withoutOwn(object.kind, [
        ...(object.on === undefined ? [] : [{ kind: "table" as const, id: object.on }]),
        ...(of === undefined ? [] : [{ kind: "table" as const, id: of }]),
        ...graph.needs(node).flatMap((need) => references.get(need) ?? []),
      ]).filter(isFirst),
    }));
}

async function findObjects(client: pg.Client, scope: ObjectScope): Promise<FoundObject[]> {
  return [
    ...(await describeExtensions(client, scope)),
    ...(await describeRoutines(client, scope)),
    ...(await describeViews(client, scope)),
    ...(await describeTextSearch(client, scope)),
    ...(await describeTableObjects(client, scope)),
    ...(await describeTableParameters(client, scope)),
  ];
}

/** What a partitioned table refers to by its foreign keys, and what is above it, are objects of their own. */
function withoutOwn(kind: SchemaObject["kind"], needs: readonly ObjectReference[]): ObjectReference[] {
  if (kind !== "partitioned table") return [...needs];
  return needs.filter((need) => need.kind !== "table" && need.kind !== "partitioned table");
}

function isFirst(reference: ObjectReference, at: number, all: readonly ObjectReference[]): boolean {
  return all.findIndex((other) => other.kind === reference.kind && sameId(other.id, reference.id)) === at;
}

function sameId(a: TableId, b: TableId): boolean {
  return tableKey(a) === tableKey(b);
}

interface NameRow extends TableId {
  readonly node: string;
  readonly kind: ObjectReference["kind"];
}

/** Whatever else stands in the graph, by its name. */
async function nameNodes(client: pg.Client, nodes: readonly string[]): Promise<Map<string, ObjectReference>> {
  const rows = await selectJson<NameRow>(client, NAMES, [nodes]);
  return new Map(rows.map(({ node, kind, schema, name }) => [node, { kind, id: { schema, name } }]));
}

/** pg_identify_object() quotes names, so those that have to be compared are taken from their catalogs. */
const NAMES = `
  select wanted.node, coalesce(cn.nspname, tn.nspname, '') as schema,
    coalesce(c.relname, t.typname::text, i.identity) as name,
    case when c.relkind in ('r', 'p', 'f') then 'table' when c.relkind = 'S' then 'sequence'
         when c.relkind = 'v' then 'view' when c.relkind = 'm' then 'materialized view'
         when t.oid is not null then 'type' else 'object' end as kind
    from (select node, split_part(node, '/', 1)::regclass as class, split_part(node, '/', 2)::oid as oid
            from unnest($1::text[]) as node) as wanted
    left join pg_class c on wanted.class = 'pg_class'::regclass and c.oid = wanted.oid
    left join pg_namespace cn on cn.oid = c.relnamespace
    left join pg_type t on wanted.class = 'pg_type'::regclass and t.oid = wanted.oid
    left join pg_namespace tn on tn.oid = t.typnamespace
   cross join lateral pg_identify_object(wanted.class, wanted.oid, 0) as i
   where i.identity is not null`;
