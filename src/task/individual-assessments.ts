import type { ErrorCode } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import type { MigrationType } from "../core/source.ts";

/** What an individual assessment came to, in AWS DMS's words. */
export type AssessmentStatus = "passed" | "warning" | "failed";

/** Which findings an individual assessment of AWS DMS is about. */
interface Check {
  readonly name: string;
  /** The engine that the source, or the target, has to be; any when left out. */
  readonly source?: EngineFamily;
  readonly target?: EngineFamily;
  /** Only where changes are captured. */
  readonly captures?: true;
  readonly about: readonly Subject[];
}

/** MariaDB is MySQL's engine here, and has names of its own for the same checks. */
type EngineFamily = "postgres" | "mysql";

/** A code, and which of its findings where it has several kinds. */
type Subject = ErrorCode | readonly [ErrorCode, RegExp];

const TARGET_PRIVILEGES: readonly Subject[] = ["target.privilege", "load.rejected", "target.role_not_member"];

/**
 * AWS DMS's individual assessments that say something about Tideway too, under AWS's names. Those that are about a limit
 * which Tideway has not (LOB columns that must be nullable, secondary indexes on the target, ...) are not there.
 */
const checks: readonly Check[] = [
  { name: "unsupported-data-types-in-source", about: ["source.type_unknown", "convert.type"] },
  { name: "table-with-no-primary-key-or-unique-constraint", captures: true, about: ["source.no_key"] },
  { name: "all-check-source-selection-rules", about: ["mapping.no_tables", "mapping.rule_unmatched"] },
  { name: "all-check-target-read-replica", about: ["target.read_only"] },

  ...ofPostgresSource([
    ["dbversion", ["source.version_unsupported"]],
    ["select-object-privileges", ["source.table_privilege", "source.row_security"]],
    ["similar-table-name", ["mapping.target_clash"]],
  ]),
  ...ofPostgresSource(
    [
      ["wallevel", ["source.wal_level"]],
      ["longrunningtxn", [["source.long_transaction", /^session/]]],
      ["preparedtxn", [["source.long_transaction", /^prepared/]]],
      ["maxwalsenders", [["source.no_free_slot", /^max_wal_senders$/]]],
      ["replication-slots-count", [["source.no_free_slot", /^max_replication_slots$/]]],
      ["maxslot-wal-keep-size", [["source.log_limit", /^max_slot_wal_keep_size$/]]],
      ["pk", ["source.no_key"]],
      ["pk-validity", ["source.no_key"]],
    ],
    true,
  ),
  { name: "postgres-check-target-privileges", target: "postgres", about: TARGET_PRIVILEGES },
  {
    ...{ name: "postgres-check-session-replication-role", target: "postgres", captures: true },
    about: ["target.trigger_privilege"],
  },

  ...ofMysqlSource([
    ["supported-version", ["source.version_unsupported"]],
    ["select-privileges", ["source.table_privilege"]],
    ["table-storage-engine", ["source.not_transactional"]],
    ["table-partition", [["source.not_moved", /^partitionings/]]],
  ]),
  ...ofMysqlSource(
    [
      ["binlog-enabled", [["source.binary_log_off", /^log_bin$/]]],
      ["server-id", [["source.binary_log_off", /^server_id$/]]],
      ["binlog-format", ["source.binary_log_format"]],
      ["binlog-image", ["source.row_image"]],
      ["binlog-retention-time", ["source.binary_log_expires"]],
      ["expire-logs-days", ["source.binary_log_expires"]],
      ["replication-privileges", ["source.privilege"]],
      ["cascade-constraints", ["source.cascades_unlogged"]],
      ["source-replica", ["source.replica_unlogged"]],
    ],
    true,
  ),
  { name: "mysql-check-target-privileges", target: "mysql", about: TARGET_PRIVILEGES },
  { name: "mysql-check-target-localinfile-set", target: "mysql", about: ["target.local_infile"] },
  {
    ...{ name: "mysql-check-max-allowed-packet-lob", target: "mysql" },
    about: [["target.out_of_resources", /^max_allowed_packet$/]],
  },
];

/** Fails on what no other is about: nothing that Tideway finds is missing among the results. */
export const OTHER_FINDINGS = "tideway-check-other-findings";

type Row = readonly [name: string, about: readonly Subject[]];

function ofPostgresSource(rows: readonly Row[], captures?: true): readonly Check[] {
  return ofSource("postgres", rows, captures);
}

function ofMysqlSource(rows: readonly Row[], captures?: true): readonly Check[] {
  return ofSource("mysql", rows, captures);
}

function ofSource(source: EngineFamily, rows: readonly Row[], captures: true | undefined): readonly Check[] {
  return rows.map(([name, about]) => ({
    ...{ name: `${source}-check-${name}`, source, about },
    ...(captures === undefined ? {} : { captures }),
  }));
}

export interface AssessedPair {
  readonly source: AssessedEngine;
  readonly target: AssessedEngine;
  readonly type: MigrationType;
}

export interface AssessedEngine {
  /** The engine's own name. */
  readonly family: string;
  /** As the endpoint names it. */
  readonly name: string;
}

interface Applicable extends Check {
  /** With the prefix of the endpoint's engine. */
  readonly shownAs: string;
}

function applicable({ source, target, type }: AssessedPair): readonly Applicable[] {
  return checks
    .filter((check) => check.source === undefined || check.source === source.family)
    .filter((check) => check.target === undefined || check.target === target.family)
    .filter(({ captures }) => captures === undefined || type !== "full-load")
    .map((check) => {
      const engine = check.source === undefined ? check.target && target : source;
      const isMariadb = engine?.name === "mariadb";
      return { ...check, shownAs: isMariadb ? check.name.replace(/^mysql-/, "mariadb-") : check.name };
    });
}

/** Names of the individual assessments that fit a pair of engines and a migration type. */
export function applicableAssessments(pair: AssessedPair): readonly string[] {
  return [...applicable(pair).map(({ shownAs }) => shownAs), OTHER_FINDINGS];
}

export interface IndividualResult {
  readonly name: string;
  readonly status: AssessmentStatus;
  readonly findings: readonly Finding[];
}

/** What each of the named assessments came to. */
export function individualResults(
  pair: AssessedPair,
  findings: readonly Finding[],
  names: readonly string[],
): readonly IndividualResult[] {
  const all = applicable(pair);
  return names.map((name) => {
    const check = all.find(({ shownAs }) => shownAs === name);
    const about = findings.filter((finding) =>
      check === undefined ? !all.some((one) => isAbout(one, finding)) : isAbout(check, finding),
    );
    return { name, status: statusOf(about), findings: about };
  });
}

function isAbout({ about }: Check, { code, subject }: Finding): boolean {
  return about.some((one) =>
    typeof one === "string" ? one === code : one[0] === code && one[1].test(subject),
  );
}

/** What is worth knowing and nothing more leaves an assessment passed. */
export function statusOf(findings: readonly Finding[]): AssessmentStatus {
  if (findings.some(({ severity }) => severity === "error")) return "failed";
  return findings.some(({ severity }) => severity === "warning") ? "warning" : "passed";
}
