import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { MigrationPlan } from "../../../core/plan.ts";
import { type ObjectRights, rightsKey } from "../../../core/rights.ts";
import { displayObject, type ObjectKind } from "../../../core/schema.ts";
import type { PrepareMode } from "../../../core/target.ts";
import { finding } from "../../shared/finding.ts";
import { inSchema, readOnly, selectJson } from "../catalog/catalog-query.ts";
import { findRoles, rolesOf, unusableRoles } from "../catalog/roles.ts";
import { presentRights } from "../load/give-rights.ts";

/** Kinds that are dropped or replaced by themselves; what is part of a table goes with it. */
const REPLACED: ReadonlySet<ObjectRights["kind"]> = new Set<ObjectKind>([
  "view",
  "materialized view",
  "partitioned table",
  "function",
  "procedure",
  "aggregate",
  "text search configuration",
  "text search dictionary",
]);

/** What of the plan's objects is on the target already and will be replaced, before anything is. */
export async function assessTargetObjects(client: pg.Client, plan: MigrationPlan): Promise<Finding[]> {
  const objects = plan.target.objects.filter(({ kind }) => REPLACED.has(kind));
  if (objects.length === 0) return [];
  const values = [objects.map(({ id }) => id.schema), objects.map(({ id }) => id.name)];
  const rows = await readOnly(client, () => selectJson<{ at: number }>(client, PRESENT, values));
  return rows.map(({ at }) => {
    const object = objects[at - 1]!;
    return finding("target.object_replaced", "info", {
      subject: displayObject(object),
      message: `The ${object.kind} ${displayObject(object)} is on the target and is going to be replaced.`,
    });
  });
}

/** Roles that what is going to be made will lack; what is there before the task keeps the rights that it has. */
export async function assessRights(
  client: pg.Client,
  { target: { rights } }: MigrationPlan,
  mode: PrepareMode,
): Promise<Finding[]> {
  if (rights.length === 0) return [];
  const present = await presentRights(client, rights);
  const isMade = (one: ObjectRights): boolean => {
    const isReplaced = mode === "drop-and-create" && (one.on !== undefined || REPLACED.has(one.kind));
    return isReplaced || !present.has(rightsKey(one));
  };
  return unusableRoles(await findRoles(client, rolesOf(rights.filter(isMade))));
}

const PRESENT = `
  select wanted.at from unnest($1::text[], $2::text[]) with ordinality as wanted(schema, name, at)
    join pg_namespace n on n.nspname = wanted.schema
   where exists (select from pg_class c
                  where c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('v', 'm', 'p'))
      or exists (select from pg_proc p
                  where p.pronamespace = n.oid and p.proname = split_part(wanted.name, '(', 1)
                    and p.proname || '(' || ${inSchema("n.nspname", "oidvectortypes(p.proargtypes)")} || ')' = wanted.name)
      or exists (select from pg_ts_config c where c.cfgnamespace = n.oid and c.cfgname = wanted.name)
      or exists (select from pg_ts_dict d where d.dictnamespace = n.oid and d.dictname = wanted.name)
   order by wanted.at`;
