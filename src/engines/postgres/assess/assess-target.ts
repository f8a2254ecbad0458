import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { MigrationPlan } from "../../../core/plan.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { finding, mends } from "../../shared/finding.ts";
import { identifier } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { maySilenceTriggers } from "../catalog/trigger-privilege.ts";
import { assessCollations } from "./assess-collations.ts";
import { assessDefinitions } from "./assess-definitions.ts";
import { assessExtensions } from "./assess-extensions.ts";
import { assessRecords } from "./assess-records.ts";
import { assessRights, assessTargetObjects } from "./assess-target-objects.ts";
import { assessTargetTables } from "./assess-target-tables.ts";
import { OLDEST_VERSION } from "./oldest-version.ts";

export interface TargetServer {
  readonly version: number;
  readonly versionText: string;
  readonly standby: boolean;
  readonly readOnly: boolean;
  readonly encoding: string;
  readonly database: string;
  readonly role: string;
  readonly mayCreate: boolean;
}

/** Whether a database is fit to be written to, as far as its catalogs tell. Changes nothing. */
export async function assessTarget(client: pg.Client, request: TargetAssessment): Promise<Finding[]> {
  const { plan, mode, prepared } = request;
  const [server] = await selectJson<TargetServer>(
    client,
    `select current_setting('server_version_num')::int as version,
       current_setting('server_version') as "versionText", pg_is_in_recovery() as standby,
       current_setting('default_transaction_read_only') = 'on' as "readOnly",
       current_setting('server_encoding') as encoding, current_database() as database,
       current_user as role, has_database_privilege(current_database(), 'create') as "mayCreate"`,
  );
  const findings = assessServer(server!);
  const records = await assessRecords(client, request, server!.role);
  findings.push(...(await assessSchemas(client, { plan, ...records }, server!)), ...records.findings);
  const silences = await maySilenceTriggers(client);
  if (!silences) findings.push(triggersAct(server!));
  findings.push(...(await assessTargetTables(client, request, { role: server!.role, silences })));
  findings.push(...(await assessCollations(client, request)));
  findings.push(...(await assessDefinitions(client, request, server!.version)));
  findings.push(...(await assessExtensions(client, plan)));
  // Once a table is prepared, the objects that were there are gone.
  if (mode === "drop-and-create" && prepared.size === 0)
    findings.push(...(await assessTargetObjects(client, plan)));
  findings.push(...(await assessRights(client, plan, mode)));
  return findings;
}

function assessServer(server: TargetServer): Finding[] {
  const findings: Finding[] = [];
  if (server.version < OLDEST_VERSION) {
    findings.push(
      finding("target.version_unsupported", "error", {
        subject: `PostgreSQL ${server.versionText}`,
        message: `The target is PostgreSQL ${server.versionText}; Tideway writes from version 12 on.`,
      }),
    );
  }
  if (server.standby || server.readOnly) {
    findings.push(
      finding("target.read_only", "error", {
        subject: server.database,
        message: server.standby
          ? "The target is a standby and takes no writes."
          : "The target takes no writes: default_transaction_read_only is on.",
        remedy: server.standby
          ? "Point the endpoint at the primary."
          : "Set default_transaction_read_only = off for the server, the database or the role.",
      }),
    );
  }
  if (server.encoding !== "UTF8") {
    findings.push(
      finding("target.encoding", "warning", {
        subject: server.database,
        message: `The target's encoding is ${server.encoding}: characters it lacks make rows fail.`,
      }),
    );
  }
  return findings;
}

/** Schemas that are missing have to be created; in those that are there, tables. */
async function assessSchemas(
  client: pg.Client,
  { plan, recordsIn }: { readonly plan: MigrationPlan; readonly recordsIn: string | undefined },
  server: TargetServer,
): Promise<Finding[]> {
  const ofRecords = recordsIn === undefined ? [] : [recordsIn];
  const rows = await selectJson<{ name: string; found: boolean; create: boolean | null }>(
    client,
    `select wanted.name, n.oid is not null as found,
            has_schema_privilege(n.oid, 'create') and has_schema_privilege(n.oid, 'usage') as create
       from unnest($1::text[]) as wanted(name) left join pg_namespace n on n.nspname = wanted.name`,
    [[...new Set([...plan.target.schemas.map(({ name }) => name), ...ofRecords])]],
  );
  const role = identifier(server.role);
  const findings: Finding[] = [];
  const missing = rows.filter((row) => !row.found);
  if (missing.length > 0 && !server.mayCreate) {
    findings.push(
      finding("target.privilege", "error", {
        subject: `database ${server.database}`,
        message: `The role ${server.role} may not create the schema ${missing[0]!.name} in the target database.`,
        ...mends("target", [`grant create on database ${identifier(server.database)} to ${role};`]),
      }),
    );
  }
  const absent = await missingTableSchemas(client, plan);
  for (const { name, found, create } of rows) {
    if (!found || create === true || !(absent.has(name) || name === recordsIn)) continue;
    const why = absent.has(name) ? "" : ", where the task's records are to be";
    findings.push(
      finding("target.privilege", "error", {
        subject: `schema ${name}`,
        message: `The role ${server.role} may not create tables in the target's schema ${name}${why}.`,
        ...mends("target", [`grant usage, create on schema ${identifier(name)} to ${role};`]),
      }),
    );
  }
  return findings;
}

/** Schemas in which a table of the plan has to be made. */
async function missingTableSchemas(client: pg.Client, plan: MigrationPlan): Promise<ReadonlySet<string>> {
  const rows = await selectJson<{ schema: string }>(
    client,
    `select distinct wanted.schema from unnest($1::text[], $2::text[]) as wanted(schema, name)
      where not exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                         where n.nspname = wanted.schema and c.relname = wanted.name)`,
    [plan.tables.map(({ target }) => target.id.schema), plan.tables.map(({ target }) => target.id.name)],
  );
  return new Set(rows.map((row) => row.schema));
}

function triggersAct(server: TargetServer): Finding {
  return finding("target.trigger_privilege", "warning", {
    subject: server.role,
    message: `The role ${server.role} may not set session_replication_role: triggers and foreign keys on the target act while changes are applied.`,
    ...(server.version >= 150_000
      ? mends("target", [`grant set on parameter session_replication_role to ${identifier(server.role)};`], {
          as: "as a superuser",
        })
      : { remedy: "Use a superuser, or drop triggers on the target until cutover." }),
  });
}
