import { MigrationError } from "../../../core/error.ts";
import type { Finding } from "../../../core/finding.ts";
import { displayTable, type TableSchema } from "../../../core/schema.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding, mends } from "../../shared/finding.ts";
import type { Client } from "../connection/client.ts";
import { serverFields } from "../connection/errors.ts";
import { atLeast } from "../connection/server-facts.ts";
import { keepsFor } from "../log/log-expiry.ts";
import { globalVariables, isNotAllowed, type LogStatus, logStatus } from "../log/log-state.ts";
import type { Account } from "./assess-privileges.ts";

/** MySQL 8 says so to a user without XA_RECOVER_ADMIN. */
const ER_XAER_RMERR = 1401;
const SECONDS_OF_DAY = 86_400;

/** What following the binary log needs. */
export async function assessLog(
  client: Client,
  { tables }: SourceAssessment,
  account: Account,
): Promise<Finding[]> {
  const variables = await globalVariables(client, LOG_VARIABLES);
  if (variables.get("log_bin") !== "ON") return [logOff(LOG_OFF)];
  const findings =
    client.facts.serverId === 0
      ? [logOff("The source's server_id is 0: it sends its log to nobody.", "server_id")]
      : [];
  const format = variables.get("binlog_format");
  // MySQL is about to drop the variable, and has no other format then.
  if (format !== undefined && format !== "ROW") findings.push(wrongFormat(format));
  if (/PARTIAL_JSON/.test(variables.get("binlog_row_value_options") ?? "")) {
    findings.push(...partsWithoutWholes(client, tables));
  }
  if (variables.get("binlog_order_commits") === "OFF") findings.push(unordered());
  const delayed = lateWrites(variables);
  if (delayed.length > 0) findings.push(notDurable(delayed));
  findings.push(...(await assessPrepared(client)));
  findings.push(...(await assessExpiry(client)));
  if (!client.facts.hasGtids) findings.push(withoutGtids(client));
  findings.push(...(await assessReplica(client, variables, account)));
  return [...findings, ...(await assessFilters(client, tables))];
}

const LOG_VARIABLES = [
  ...["log_bin", "binlog_format", "binlog_order_commits", "binlog_row_value_options"],
  ...["log_slave_updates", "log_replica_updates"],
  ...["innodb_flush_log_at_trx_commit", "sync_binlog"],
];

/** See Source.checkStream: throws what keeps the log from telling of rows, since somebody has changed it. */
export async function checkFormat(client: Client): Promise<void> {
  const variables = await globalVariables(client, ["log_bin", "binlog_format"]);
  const format = variables.get("binlog_format");
  if (variables.get("log_bin") === "ON" && (format === undefined || format === "ROW")) return;
  const found = format === undefined || format === "ROW" ? logOff(LOG_OFF) : wrongFormat(format);
  throw new MigrationError(found.code, found);
}

const LOG_OFF = "The source writes no binary log (log_bin is off).";

function logOff(message: string, subject = "log_bin"): Finding {
  return finding("source.binary_log_off", "error", { subject, message });
}

function wrongFormat(format: string): Finding {
  return finding("source.binary_log_format", "error", {
    subject: "binlog_format",
    message: `The source's binlog_format is ${format}: its log holds statements, from which rows cannot be told.`,
    ...mends("source", ["set global binlog_format = ROW;"], {
      after: "and let sessions that are open connect again. Set it in the server's configuration, too.",
    }),
  });
}

/** Changes of parts of JSON values are told by the values before, which rows have where they are logged whole. */
function partsWithoutWholes({ facts }: Client, tables: readonly TableSchema[]): Finding[] {
  if (facts.logsWholeRows) return [];
  return tables
    .filter(({ columns }) => columns.some(({ type }) => type.kind === "json"))
    .map(({ id }) =>
      finding("source.row_image", "error", {
        subject: displayTable(id),
        table: id,
        message:
          "The source logs parts of JSON values (binlog_row_value_options is PARTIAL_JSON) without the values that they are parts of (binlog_row_image is not FULL).",
        remedy:
          "Set binlog_row_image = FULL or binlog_row_value_options = '' on the source, let sessions that are open connect again, and start the task again.",
      }),
    );
}

function unordered(): Finding {
  return finding("source.commit_order", "warning", {
    subject: "binlog_order_commits",
    message:
      "The source may commit in another order than it logs (binlog_order_commits is OFF): rows of a snapshot may lack a transaction before its position.",
    ...mends("source", ["set global binlog_order_commits = ON;"]),
  });
}

/** Variables by which the server may answer a commit before it is on its disk. */
function lateWrites(variables: ReadonlyMap<string, string>): readonly string[] {
  return ["innodb_flush_log_at_trx_commit", "sync_binlog"].filter(
    (name) => (variables.get(name) ?? "1") !== "1",
  );
}

function notDurable(names: readonly string[]): Finding {
  const [subject] = names;
  return finding("source.not_durable", "warning", {
    subject: subject!,
    message: `The source may answer a commit before it is on its disk (${names.join(" and ")} not 1): after a crash it may lack rows that it has told the target of, or its log rows that it keeps.`,
    ...mends(
      "source",
      names.map((name) => `set global ${name} = 1;`),
      {
        after:
          "Put it into its option file, too. After a crash without that compare the tables, or load them again.",
      },
    ),
  });
}

/** Nothing for a user who may not ask. */
async function assessPrepared(client: Client): Promise<Finding[]> {
  try {
    const { length } = await client.query("xa recover");
    if (length === 0) return [];
    const message = `${length === 1 ? "One transaction is" : `${length} transactions are`} prepared on the source (XA): when one commits, the log is looked through for what it has changed, back to where it was prepared.`;
    return [finding("source.prepared_transactions", "info", { subject: "XA", message })];
  } catch (error) {
    if (isNotAllowed(error) || serverFields(error)?.number === ER_XAER_RMERR) return [];
    throw error;
  }
}

async function assessExpiry(client: Client): Promise<Finding[]> {
  const seconds = await keepsFor(client);
  if (seconds === undefined || seconds >= SECONDS_OF_DAY) return [];
  const { facts } = client;
  const countsSeconds = facts.flavour === "mariadb" ? atLeast(facts, 10, 6) : atLeast(facts, 8);
  const longer = countsSeconds
    ? `binlog_expire_logs_seconds = ${7 * SECONDS_OF_DAY}`
    : "expire_logs_days = 7";
  return [
    finding("source.binary_log_expires", "warning", {
      subject: "binlog_expire_logs_seconds",
      message: `The source removes its binary log after ${seconds} seconds; a task that is stopped for longer has to load everything again.`,
      ...mends("source", [`set global ${longer};`], {
        after: "and set it in its option file; on Amazon RDS set the binlog retention hours.",
      }),
    }),
  ];
}

function withoutGtids(client: Client): Finding {
  return finding("source.no_gtids", "info", {
    subject: "gtid_mode",
    message: `The source (${client.facts.text}) does not number its transactions: the task cannot go on at another server.`,
  });
}

/** By default MySQL 5.7 and MariaDB do not log what they replicate. */
async function assessReplica(
  client: Client,
  variables: ReadonlyMap<string, string>,
  account: Account,
): Promise<Finding[]> {
  const logsUpdates = variables.get("log_replica_updates") ?? variables.get("log_slave_updates");
  if (logsUpdates === "ON") return [];
  const isOne = await isReplica(client);
  if (isOne === undefined) return client.facts.flavour === "mariadb" ? [unseenReplica(account)] : [];
  if (!isOne) return [];
  return [
    finding("source.replica_unlogged", "error", {
      subject: "log_slave_updates",
      message:
        "The source is a replica, and what it replicates is not in its binary log (log_slave_updates is off).",
    }),
  ];
}

/** MySQL tells it to whoever has REPLICATION CLIENT, of which the user hears in any case. */
function unseenReplica({ user, sql }: Account): Finding {
  return finding("source.privilege", "info", {
    subject: user,
    message: `The user ${user} lacks the privilege SLAVE MONITOR: it cannot see whether the source is a replica, of which what it replicates would not be in its binary log (log_slave_updates is off).`,
    ...mends("source", [`grant slave monitor on *.* to ${sql};`]),
  });
}

/** Undefined for a user who may not ask. */
async function isReplica(client: Client): Promise<boolean | undefined> {
  try {
    return (await client.query(replicaSql(client))).length > 0;
  } catch (error) {
    if (isNotAllowed(error)) return undefined;
    throw error;
  }
}

/** MySQL 8.4 knows the old name no more. */
function replicaSql({ facts }: Client): string {
  if (facts.flavour === "mariadb") return "show all slaves status";
  return atLeast(facts, 8, 0, 22) ? "show replica status" : "show slave status";
}

/** Databases whose changes the server leaves out of its log. */
async function assessFilters(client: Client, tables: readonly TableSchema[]): Promise<Finding[]> {
  let status: LogStatus | undefined;
  try {
    status = await logStatus(client);
  } catch (error) {
    if (!isNotAllowed(error)) throw error;
  }
  if (status === undefined) return [];
  const only = new Set(status.onlyDatabases);
  const ignored = new Set(status.ignoredDatabases);
  return tables
    .filter(({ id }) => ignored.has(id.schema) || (only.size > 0 && !only.has(id.schema)))
    .map(({ id }) =>
      finding("source.binary_log_filtered", "error", {
        subject: displayTable(id),
        table: id,
        message: `The source leaves the database ${id.schema} out of its binary log.`,
      }),
    );
}
