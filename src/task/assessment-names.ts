import type { ErrorCode } from "../core/error.ts";

/** MariaDB is MySQL's engine here, and has names of its own for the same checks. */
export type EngineFamily = "postgres" | "mysql";

/** A code, and by their subjects or words which of its findings, where it has several kinds. */
export type Subject =
  | ErrorCode
  | readonly [ErrorCode, RegExp]
  | { readonly code: ErrorCode; readonly says: RegExp };

/** An individual assessment of AWS DMS. */
export interface AssessmentName {
  readonly name: string;
  /** The engine that the source, or the target, has to be; any when left out. */
  readonly source?: EngineFamily;
  readonly target?: EngineFamily;
  /** Only where the endpoint is a MariaDB. */
  readonly mariadb?: true;
  /** Only where changes are captured. */
  readonly captures?: true;
  /** About something that is only worth knowing, which makes it a warning. */
  readonly minor?: true;
  /** The findings that it fails by; or why it is about a limit that Tideway has not, so that it is skipped. */
  readonly about: readonly Subject[] | string;
}

type Row = readonly [name: string, about: AssessmentName["about"]];
type Where = Omit<AssessmentName, "name" | "about">;

/** Rows about one engine have its name before theirs. */
function group(where: Where, rows: readonly Row[]): readonly AssessmentName[] {
  const prefix = where.source ?? where.target;
  return rows.map(([name, about]) => ({ ...where, name: `${prefix}-${name}`, about }));
}

function forAll(where: Where, rows: readonly Row[]): readonly AssessmentName[] {
  return rows.map(([name, about]) => ({ ...where, name, about }));
}

const TARGET_PRIVILEGES: readonly Subject[] = ["target.privilege", "load.rejected", "target.role_not_member"];
const UNREADABLE_COLUMNS: readonly Subject[] = [
  ...(["source.type_unknown", "source.column_compressed", "source.old_temporal"] as const),
  ...(["source.labels_unreadable", "convert.type"] as const),
  ["source.not_moved", /^values of types/],
];
const LEFT_OUT: readonly Subject[] = [
  ...(["convert.index", "convert.check", "convert.reference"] as const),
  ...(["plan.part_left_out", "plan.reference_left_out", "plan.reference_may_fail"] as const),
];

const VALUES_IN_ROWS = "Large values come in their rows, whole, in the load and in changes.";
const COMPARES_MASKED =
  "Masked values are compared as the rules make them. A column that is masked at random is told as one that is not compared.";
const COMPARES_KEYLESS = "Tables without a key are compared, too.";
const OWN_LIMITS = "Each session of Tideway sets these limits for itself.";
const ONE_BY_ONE = "What a set of changes cannot bring in one step is brought change by change.";

/** Masks say in a finding what they cannot be carried out for. */
const NO_VALUE: Subject = { code: "mapping.rule_impossible", says: /what is masked would be no value/ };
const NO_HASH: Subject = { code: "mapping.rule_impossible", says: /characters of a hash/ };
const MASKED_KEYS: readonly Subject[] = [
  { code: "mapping.key_lost", says: /mask/ },
  { code: "plan.part_left_out", says: /mask/ },
  "mapping.mask_incomplete",
];
const MASKS: readonly Row[] = [
  ["datamasking-digits-mask", [NO_VALUE, "mapping.mask_overflow", ...MASKED_KEYS]],
  ["datamasking-digits-randomize", [NO_VALUE, ...MASKED_KEYS]],
  ["datamasking-hash-mask", [NO_HASH, ...MASKED_KEYS]],
];

/**
 * Those of AWS DMS that are about PostgreSQL, MySQL or MariaDB, or about all engines, under AWS's names, in the order of its
 * user guide.
 */
export const assessmentNames: readonly AssessmentName[] = [
  ...forAll({}, [
    ["unsupported-data-types-in-source", UNREADABLE_COLUMNS],
    ["full-lob-not-nullable-at-target", VALUES_IN_ROWS],
    ["table-with-lob-but-without-primary-key-or-unique-constraint", VALUES_IN_ROWS],
    ["all-to-all-validation-with-datamasking-digits-randomize", COMPARES_MASKED],
    ["all-to-all-validation-with-datamasking-hash-mask", COMPARES_MASKED],
    ["all-to-all-validation-with-digit-mask", COMPARES_MASKED],
    ["all-check-source-selection-rules", ["mapping.no_tables", "mapping.rule_unmatched"]],
    ["all-check-secondary-constraints", LEFT_OUT],
    ["all-check-target-read-replica", ["target.read_only"]],
  ]),
  ...forAll({ captures: true }, [["target-table-has-unique-key-or-primary-key-for-cdc", ["target.no_key"]]]),
  ...forAll({ captures: true, source: "postgres" }, [
    ["table-with-no-primary-key-or-unique-constraint", ["source.no_key"]],
  ]),
  ...forAll({ captures: true, source: "mysql" }, [
    [
      "table-with-no-primary-key-or-unique-constraint",
      "Changes find rows without a key by all of their values.",
    ],
  ]),
  ...forAll({ target: "mysql" }, [["all-check-for-batch-apply-to-mysql", ["convert.row_length"]]]),

  ...group({ source: "postgres" }, [
    [
      "check-similar-table-name",
      ["mapping.target_clash", { code: "convert.name", says: /without regard to case/ }],
    ],
    ["check-table-with-array", "Arrays come in their rows, with a key or without."],
    ["check-limited-lob-size", ["mapping.value_cut"]],
    ["check-dbversion", ["source.version_unsupported"]],
    ["check-pk-lob", [{ code: "convert.type", says: /stands in a key/ }]],
    ["check-pk-validity", COMPARES_KEYLESS],
    ["check-select-object-privileges", ["source.table_privilege", "source.row_security"]],
    ...MASKS,
  ]),
  ...group({ source: "postgres", captures: true }, [
    ["batch-apply-lob-mode", VALUES_IN_ROWS],
    ["check-longrunningtxn", [["source.long_transaction", /^session/]]],
    ["check-maxwalsenders", [["source.no_free_slot", /^max_wal_senders$/]]],
    ["check-pglogical", "Changes are read by pgoutput, which every server has."],
    ["check-pk", ["source.no_key"]],
    ["check-preparedtxn", [["source.long_transaction", /^prepared/]]],
    ["check-replication-slots-count", [["source.no_free_slot", /^max_replication_slots$/]]],
    [
      "check-walsenderstimeout",
      "A stream answers the server four times as often as wal_sender_timeout asks.",
    ],
    ["check-wallevel", ["source.wal_level"]],
  ]),
  ...group({ source: "postgres", captures: true, minor: true }, [
    ["check-ddl-event-trigger", ["source.changes_unnoted"]],
    ["check-for-logical-decoding-work-mem", ["source.decoding_memory"]],
    ["check-maxslot-wal-keep-size", [["source.log_limit", /^max_slot_wal_keep_size$/]]],
  ]),
  ...group({ source: "postgres", minor: true }, [
    ["check-postgis-data-type", [["convert.type", /^(?:\w+\.)?geo(?:metry|graphy)\b/]]],
  ]),
  ...group({ target: "postgres" }, [["check-target-privileges", TARGET_PRIVILEGES]]),
  ...group({ target: "postgres", minor: true }, [
    ["check-target-secondary-indexes", ["target.indexes_kept"]],
  ]),
  ...group({ target: "postgres", captures: true }, [
    ["check-session-replication-role", ["target.trigger_privilege"]],
    ["check-batch-apply-target-pk-ui-absence", ["target.no_key"]],
    ["check-batch-apply-target-pk-ui-simultaneously", ONE_BY_ONE],
  ]),

  ...group({ source: "mysql" }, [
    ["check-select-privileges", ["source.table_privilege"]],
    ["check-table-storage-engine", ["source.not_transactional"]],
    ["check-auto-increment", "AUTO_INCREMENT comes, and is set to where the source's stands."],
    ["check-table-partition", [["source.not_moved", /^partitionings/]]],
    ["check-supported-version", ["source.version_unsupported"]],
    ["check-max-statement-time", OWN_LIMITS],
    ["tblnum-for-max-fullload-subtasks", "A table alone keeps all lanes of a load busy."],
    ["check-generated-columns", ["convert.generated"]],
    ["check-10k-tables", "A task may have any number of tables."],
    ["check-pk-validity", COMPARES_KEYLESS],
    ...MASKS,
  ]),
  ...group({ source: "mysql", minor: true }, [
    ["check-invisible-columns", [["convert.type", /^invisible$/]]],
  ]),
  ...group({ source: "mysql", captures: true }, [
    ["check-binlog-compression", "Compressed events and transactions are read like others."],
    ["check-binlog-enabled", [["source.binary_log_off", /^log_bin$/]]],
    ["check-binlog-format", ["source.binary_log_format"]],
    [
      "check-binlog-image",
      ["source.row_image", { code: "source.cascades_unlogged", says: /no more of an old row/ }],
    ],
    ["check-binlog-retention-time", ["source.binary_log_expires"]],
    ["check-expire-logs-days", "A log that is never removed keeps no task from running."],
    ["check-server-id", [["source.binary_log_off", /^server_id$/]]],
    ["check-replication-privileges", ["source.privilege"]],
    ["batch-apply-lob-mode", VALUES_IN_ROWS],
    ["check-database-role", ["source.replica_unlogged"]],
    ["check-source-replica", ["source.replica_unlogged"]],
    ["check-aurora-read-only", "A reader writes no log, which the check of that name tells."],
    ["check-cascade-constraints", ["source.cascades_unlogged"]],
    ["check-skip-table-suspension-partition-ddl", [["source.not_moved", /^partitionings/]]],
  ]),
  ...group({ source: "mysql", captures: true, mariadb: true }, [
    ["check-source-network-parameter", OWN_LIMITS],
  ]),
  ...group({ target: "mysql" }, [
    ["check-target-privileges", TARGET_PRIVILEGES],
    ["check-fk-target", "Foreign keys are not looked at while rows come in another order."],
    ["check-target-network-parameter", OWN_LIMITS],
  ]),
  ...group({ target: "mysql", minor: true }, [
    ["check-target-localinfile-set", ["target.local_infile"]],
    ["check-secondary-indexes", ["target.indexes_kept"]],
    ["check-max-allowed-packet-lob", [["target.out_of_resources", /^max_allowed_packet$/]]],
  ]),
  ...group({ target: "mysql", captures: true }, [
    ["check-batch-apply-target-pk-ui-absence", ["target.no_key"]],
    ["check-batch-apply-target-pk-ui-simultaneously", ONE_BY_ONE],
  ]),
];
