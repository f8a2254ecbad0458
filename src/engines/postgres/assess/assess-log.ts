import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { type FindingDetails, finding, mends } from "../../shared/finding.ts";
import { identifier } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { openWriters } from "../catalog/open-writers.ts";
import type { StreamObjects } from "../log/publication.ts";
import { LOG_PURPOSE } from "../log/source-log.ts";
import type { SourceServer } from "./assess-source.ts";

/** How long slots and WAL senders of an attempt before may go on after its end. */
const LINGERING_MS = 5_000;
const LINGERING_PAUSE_MS = 250;

export interface LogAssessment {
  readonly request: SourceAssessment;
  readonly server: SourceServer;
  readonly longTransactionSeconds?: number;
  readonly stream: StreamObjects;
}

interface LogFacts {
  readonly walLevel: string;
  readonly slots: number;
  readonly maxSlots: number;
  readonly senders: number;
  readonly maxSenders: number;
  readonly mayReplicate: boolean;
  readonly managed: boolean;
  readonly mayCreate: boolean;
  readonly publication: boolean;
  /** null where the server does not know the setting. */
  readonly keepSize: string | null;
  readonly idleSlotTimeout: string | null;
  /** In kB; null before version 13. */
  readonly decodingMemory: number | null;
}

/** What reading the log needs of the server and of the role. Whether its tables can be published is not asked here. */
export async function assessLog(client: pg.Client, assessment: LogAssessment): Promise<Finding[]> {
  const { request, server } = assessment;
  const facts = await readFacts(client, assessment);
  return [
    ...settings(facts),
    ...capacity(facts, request),
    ...role({ ...facts, publication: facts.publication || !assessment.stream.own }, server),
    ...limits(facts),
    ...memory(facts),
    ...(request.resumes ? [] : await longTransactions(client, assessment.longTransactionSeconds ?? 600)),
  ];
}

/** What a task that has just ended had may still be counted for a moment: what cannot be had is asked for again. */
async function readFacts(client: pg.Client, { request, stream }: LogAssessment): Promise<LogFacts> {
  for (const start = performance.now(); ; await delay(LINGERING_PAUSE_MS)) {
    const [facts] = await selectJson<LogFacts>(client, FACTS, [stream.name]);
    const isLacking = capacity(facts!, request).some(({ severity }) => severity === "error");
    if (!isLacking || performance.now() - start > LINGERING_MS) return facts!;
  }
}

/** Not counted is the session that a task has just asked for the log's name: it is on its way out. */
const FACTS = `
  select current_setting('wal_level') as "walLevel",
    (select count(*) from pg_replication_slots)::int as slots,
    current_setting('max_replication_slots')::int as "maxSlots",
    (select count(*) from pg_stat_replication where application_name <> '${LOG_PURPOSE}')::int as senders,
    current_setting('max_wal_senders')::int as "maxSenders",
    (select rolreplication or rolsuper from pg_roles where rolname = session_user)
      or coalesce((select pg_has_role(session_user, oid, 'member') from pg_roles
                    where rolname = 'rds_replication'), false) as "mayReplicate",
    exists (select from pg_roles where rolname = 'rds_replication') as managed,
    has_database_privilege(current_database(), 'create') as "mayCreate",
    exists (select from pg_publication where pubname = $1) as publication,
    (select setting from pg_settings where name = 'max_slot_wal_keep_size') as "keepSize",
    (select setting from pg_settings where name = 'idle_replication_slot_timeout') as "idleSlotTimeout",
    (select setting::int from pg_settings where name = 'logical_decoding_work_mem') as "decodingMemory"`;

function settings(facts: LogFacts): Finding[] {
  if (facts.walLevel === "logical") return [];
  return [
    finding("source.wal_level", "error", {
      subject: "wal_level",
      message: `The source's wal_level is ${facts.walLevel}; changes can be read with logical only.`,
      ...(facts.managed
        ? { remedy: "Set rds.logical_replication = 1 in the parameter group and reboot the instance." }
        : mends("source", ["alter system set wal_level = logical;"], { after: "and restart it." })),
    }),
  ];
}

/**
 * A run that starts anew makes a slot, and while its snapshot is open has a second WAL sender. One
 * that resumes has its slot, but reloading a table needs another for a moment.
 */
function capacity(facts: LogFacts, request: SourceAssessment): Finding[] {
  const needed = request.resumes ? 0 : 1;
  const reload = needed + 1;
  const findings: Finding[] = [];
  const freeSlots = facts.maxSlots - facts.slots;
  if (freeSlots < reload) {
    findings.push(
      finding("source.no_free_slot", freeSlots < needed ? "error" : "warning", {
        subject: "max_replication_slots",
        message:
          freeSlots < needed
            ? `All ${facts.maxSlots} replication slots of the source are taken.`
            : `The source has ${freeSlots} free replication slots; reloading a table takes one more for a moment.`,
        ...raised("max_replication_slots", facts.maxSlots + needed + 1 - freeSlots, facts),
      }),
    );
  }
  const freeSenders = facts.maxSenders - facts.senders;
  if (freeSenders < 2) {
    findings.push(
      finding("source.no_free_slot", freeSenders < 1 ? "error" : "warning", {
        subject: "max_wal_senders",
        message:
          freeSenders < 1
            ? `All ${facts.maxSenders} WAL senders of the source are in use.`
            : "The source has one free WAL sender; a full load beside the change stream needs two.",
        ...raised("max_wal_senders", facts.maxSenders + 2 - freeSenders, facts),
      }),
    );
  }
  return findings;
}

/** The places that are lacking, beside those that others have taken. */
function raised(name: string, value: number, { managed }: LogFacts): Pick<FindingDetails, "remedy" | "fix"> {
  if (managed)
    return { remedy: `Set ${name} = ${value} or more in the parameter group and reboot the instance.` };
  return mends("source", [`alter system set ${name} = ${value};`], {
    after: "and restart it, or drop slots that nobody uses.",
  });
}

function role(facts: LogFacts, server: SourceServer): Finding[] {
  const name = identifier(server.role);
  const findings: Finding[] = [];
  if (!facts.mayReplicate) {
    findings.push(
      finding("source.privilege", "error", {
        subject: server.role,
        message: `The role ${server.role} may not read the log.`,
        ...(facts.managed
          ? mends("source", [`grant rds_replication to ${name};`])
          : mends("source", [`alter role ${name} replication;`], { as: "as a superuser" })),
      }),
    );
  }
  if (!facts.mayCreate && !facts.publication) {
    findings.push(
      finding("source.privilege", "error", {
        subject: server.role,
        message: `The role ${server.role} may not create a publication in the database ${server.database}.`,
        ...mends("source", [`grant create on database ${identifier(server.database)} to ${name};`]),
      }),
    );
  }
  return findings;
}

/** Limits beyond which the server gives up on a slot that lags. */
function limits(facts: LogFacts): Finding[] {
  const findings: Finding[] = [];
  if (facts.keepSize !== null && facts.keepSize !== "-1") {
    findings.push(
      finding("source.log_limit", "info", {
        subject: "max_slot_wal_keep_size",
        message: `The source keeps at most ${facts.keepSize} MB of log for a slot; a task that falls behind further has to start again.`,
      }),
    );
  }
  if (facts.idleSlotTimeout !== null && facts.idleSlotTimeout !== "0") {
    findings.push(
      finding("source.log_limit", "warning", {
        subject: "idle_replication_slot_timeout",
        message: "The source gives up slots that nobody reads from for a while, such as a stopped task's.",
        remedy: "Set idle_replication_slot_timeout = 0 while the task exists.",
      }),
    );
  }
  return findings;
}

/** What a server of version 13 and later has when nobody has set it. */
const USUAL_DECODING_KB = 65_536;

function memory({ decodingMemory }: LogFacts): Finding[] {
  if (decodingMemory === null || decodingMemory >= USUAL_DECODING_KB) return [];
  const statements = ["alter system set logical_decoding_work_mem = '64MB';", "select pg_reload_conf();"];
  return [
    finding("source.decoding_memory", "info", {
      subject: "logical_decoding_work_mem",
      message: `The source's logical_decoding_work_mem is ${decodingMemory} kB: larger transactions pass through files on its disk.`,
      ...mends("source", statements, { as: "as a superuser" }),
    }),
  ];
}

async function longTransactions(client: pg.Client, seconds: number): Promise<Finding[]> {
  const found = await openWriters(client, seconds);
  return found.map(({ subject, state, seconds: open }) =>
    finding("source.long_transaction", "warning", {
      subject,
      message: `The ${subject} (${state}) has had a writing transaction open for ${Math.round(open / 60)} minutes; the task's replication slot cannot be made before it ends.`,
    }),
  );
}
