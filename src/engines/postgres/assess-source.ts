import type pg from "pg";
import type { Finding } from "../../core/finding.ts";
import type { SourceAssessment } from "../../core/source.ts";
import { assessLog } from "./assess-log.ts";
import { assessSourceTables } from "./assess-source-tables.ts";
import { selectJson } from "./catalog-query.ts";
import { finding, OLDEST_VERSION } from "./finding.ts";
import { publicationName, type StreamObjects } from "./publication.ts";

export interface AssessmentOptions {
  /** Age from which on an open transaction is reported; 600 when left out. */
  readonly longTransactionSeconds?: number;
  /** The task's own when left out. */
  readonly stream?: StreamObjects;
}

/** Whether a database is fit to be read from, as far as its catalogs tell. Changes nothing. */
export async function assessSource(
  client: pg.Client,
  request: SourceAssessment,
  options: AssessmentOptions = {},
): Promise<Finding[]> {
  const server = await readServer(client);
  const { stream = { name: publicationName(request.taskId), own: true } } = options;
  const findings = assessServer(server, request);
  if (request.type !== "full-load" && !server.standby) {
    findings.push(...(await assessLog(client, { request, server, ...options, stream })));
  }
  findings.push(...(await assessSourceTables(client, { request, server, stream })));
  findings.push(...(await assessLeftOut(client)));
  return findings;
}

export interface SourceServer {
  /** 150004 for 15.4. */
  readonly version: number;
  readonly versionText: string;
  readonly standby: boolean;
  readonly database: string;
  readonly role: string;
  readonly superuser: boolean;
}

async function readServer(client: pg.Client): Promise<SourceServer> {
  const [server] = await selectJson<SourceServer>(
    client,
    `select current_setting('server_version_num')::int as version,
       current_setting('server_version') as "versionText", pg_is_in_recovery() as standby,
       current_database() as database, current_user as role,
       (select rolsuper from pg_roles where rolname = current_user) as superuser`,
  );
  return server!;
}

function assessServer(server: SourceServer, request: SourceAssessment): Finding[] {
  const findings: Finding[] = [];
  if (server.version < OLDEST_VERSION) {
    findings.push(
      finding("source.version_unsupported", "error", {
        subject: `PostgreSQL ${server.versionText}`,
        message: `The source is PostgreSQL ${server.versionText}; Tideway reads from version 12 on.`,
      }),
    );
  }
  if (server.standby) {
    const cdc = request.type !== "full-load";
    findings.push(
      finding("source.standby", cdc ? "error" : "warning", {
        subject: server.database,
        message: cdc
          ? "The source is a standby, from which changes cannot be captured."
          : "The source is a standby: it may cancel long reads that stand in the way of what it replays.",
        ...(cdc ? {} : { remedy: "Set hot_standby_feedback = on at the standby while the task runs." }),
      }),
    );
  }
  return findings;
}

interface LeftOut {
  readonly largeObjects: boolean;
  readonly foreignTables: string;
}

/** Objects of the database, whatever the task selects, that no task moves. */
async function assessLeftOut(client: pg.Client): Promise<Finding[]> {
  const [found] = await selectJson<LeftOut>(
    client,
    `select exists (select from pg_largeobject_metadata) as "largeObjects",
       (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind = 'f' and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
       )::text as "foreignTables"`,
  );
  const findings: Finding[] = [];
  if (found!.largeObjects) {
    findings.push(
      finding("source.not_moved", "info", {
        subject: "large objects",
        message:
          "The database has large objects (pg_largeobject); they are not moved, columns keep their numbers.",
      }),
    );
  }
  if (found!.foreignTables !== "0") {
    findings.push(
      finding("source.not_moved", "info", {
        subject: "foreign tables",
        message: `The database has ${found!.foreignTables} foreign tables; they are not moved.`,
      }),
    );
  }
  return findings;
}
