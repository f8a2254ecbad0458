import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { MigrationPlan } from "../../../core/plan.ts";
import { finding, mends } from "../../shared/finding.ts";
import { selectJson } from "../catalog/catalog-query.ts";

interface ExtensionFacts {
  readonly name: string;
  readonly installed: boolean;
  /** Its files are on the server. */
  readonly available: boolean;
  readonly mayCreate: boolean;
}

/** Extensions that the plan makes and the target will not have. */
export async function assessExtensions(client: pg.Client, { target }: MigrationPlan): Promise<Finding[]> {
  const extensions = target.objects.filter(({ kind }) => kind === "extension");
  if (extensions.length === 0) return [];
  const statements = new Map(extensions.map(({ id, native }) => [id.name, native]));
  const facts = await selectJson<ExtensionFacts>(client, FACTS, [[...statements.keys()]]);
  return facts.flatMap(({ name, installed, available, mayCreate }) => {
    if (installed || (available && mayCreate)) return [];
    const lacking = `The extension ${name} is not in the target database`;
    return [
      finding("target.extension_missing", "warning", {
        subject: name,
        ...(available
          ? {
              message: `${lacking}, and the target's user may not make it.`,
              ...mends(
                "target",
                (statements.get(name) ?? []).map((statement) => `${statement};`),
                { as: "as a superuser", after: "before the task starts." },
              ),
            }
          : { message: `${lacking}, and its files are not on the server.` }),
      }),
    ];
  });
}

/** An extension is made by a superuser, or by whoever may create in the database where it is trusted (13 and later) or harmless. */
const FACTS = `
  select wanted.name, e.oid is not null as installed, v.name is not null as available,
    (select rolsuper from pg_roles where rolname = current_user)
      or has_database_privilege(current_database(), 'create')
         and coalesce(not v.superuser or (to_jsonb(v) ->> 'trusted')::boolean, false) as "mayCreate"
  from unnest($1::text[]) with ordinality as wanted(name, at)
  left join pg_extension e on e.extname = wanted.name
  left join pg_available_extensions a on a.name = wanted.name
  left join pg_available_extension_versions v on v.name = a.name and v.version = a.default_version
  order by wanted.at`;
