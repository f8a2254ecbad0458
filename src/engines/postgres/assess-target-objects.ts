import type pg from "pg";
import type { Finding } from "../../core/finding.ts";
import type { MigrationPlan } from "../../core/plan.ts";
import { displayObject, type ObjectKind } from "../../core/schema.ts";
import { inSchema, selectJson } from "./catalog-query.ts";
import { finding } from "./finding.ts";

/** Kinds that are dropped or replaced by themselves; what is part of a table goes with it. */
const REPLACED: ReadonlySet<ObjectKind> = new Set([
  "view",
  "materialized view",
  "partitioned table",
  "function",
  "procedure",
  "aggregate",
]);

/** What of the plan's objects is on the target already and will be replaced, before anything is. */
export async function assessTargetObjects(client: pg.Client, plan: MigrationPlan): Promise<Finding[]> {
  const objects = plan.target.objects.filter(({ kind }) => REPLACED.has(kind));
  if (objects.length === 0) return [];
  await client.query("begin transaction read only");
  try {
    const values = [objects.map(({ id }) => id.schema), objects.map(({ id }) => id.name)];
    const rows = await selectJson<{ at: number }>(client, PRESENT, values);
    return rows.map(({ at }) => {
      const object = objects[at - 1]!;
      return finding("target.object_replaced", "info", {
        subject: displayObject(object),
        message: `The ${object.kind} ${displayObject(object)} is on the target and is going to be replaced.`,
      });
    });
  } finally {
    await client.query("rollback");
  }
}

const PRESENT = `
  select wanted.at from unnest($1::text[], $2::text[]) with ordinality as wanted(schema, name, at)
    join pg_namespace n on n.nspname = wanted.schema
   where exists (select from pg_class c
                  where c.relnamespace = n.oid and c.relname = wanted.name and c.relkind in ('v', 'm', 'p'))
      or exists (select from pg_proc p
                  where p.pronamespace = n.oid and p.proname = split_part(wanted.name, '(', 1)
                    and p.proname || '(' || ${inSchema("n.nspname", "oidvectortypes(p.proargtypes)")} || ')' = wanted.name)
   order by wanted.at`;
