import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { assessOtherOrigins } from "../log/origin.ts";
import { publicationName, type StreamObjects } from "../log/publication.ts";
import { assessLargeObjects } from "./assess-large-objects.ts";
import { assessLeftOut } from "./assess-left-out.ts";
import { assessLoads } from "./assess-loads.ts";
import { assessLog } from "./assess-log.ts";
import { assessSourceTables } from "./assess-source-tables.ts";
import { OLDEST_VERSION } from "./oldest-version.ts";

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
    if (request.ownOnly === true) findings.push(...(await assessOtherOrigins(client)));
    if (request.ownOnly === true) findings.push(...(await assessLoads(client, request.taskId, stream.name)));
  }
  findings.push(...(await assessSourceTables(client, { request, server, stream })));
  findings.push(...(await assessLeftOut(client, request)));
  findings.push(...(await assessLargeObjects(client, request)));
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
