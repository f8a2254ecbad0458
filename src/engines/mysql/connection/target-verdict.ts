import type { ErrorCode } from "../../../core/error.ts";
import { type ErrorContext, tableCode, type Verdict } from "../../shared/connection/error-context.ts";
import type { ServerErrorFields } from "./server-error.ts";

/** Errors while writing. */
export function targetVerdict(fields: ServerErrorFields, context: ErrorContext): Verdict {
  const { number, message } = fields;
  const inTable = context.table !== undefined;
  const general: ErrorCode = inTable ? tableCode(context) : "target.query_failed";
  switch (number) {
    case 1290: // ER_OPTION_PREVENTS_STATEMENT
      return /read[-_]only/.test(message) ? { code: "target.read_only" } : { code: general };
    case 1792: // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    case 1836: // ER_READ_ONLY_MODE
    case 3100: // ER_RUN_HOOK_ERROR: a member of a group that may not write
      return { code: "target.read_only" };
    case 1021: // ER_DISK_FULL
    case 1114: // ER_RECORD_FILE_FULL
      return { code: "target.full" };
    case 1030: // ER_GET_ERRNO, with the operating system's number
      return /\berror:? 28\b|errno: 28/.test(message) ? { code: "target.full" } : { code: general };
    case 1037: // ER_OUTOFMEMORY
    case 1038: // ER_OUT_OF_SORTMEMORY
    case 1041: // ER_OUT_OF_RESOURCES
    case 1206: // ER_LOCK_TABLE_FULL
      return { code: "target.out_of_resources" };
    case 1205: // ER_LOCK_WAIT_TIMEOUT
    case 1213: // ER_LOCK_DEADLOCK
    case 1317: // ER_QUERY_INTERRUPTED
    case 1969: // MariaDB: ER_STATEMENT_TIMEOUT
    case 3024: // ER_QUERY_TIMEOUT
    case 3101: // ER_TRANSACTION_ROLLBACK_DURING_COMMIT
      return { code: "target.busy" };
    case 1044: // ER_DBACCESS_DENIED_ERROR
    case 1142: // ER_TABLEACCESS_DENIED_ERROR
    case 1143: // ER_COLUMNACCESS_DENIED_ERROR
    case 1227: // ER_SPECIFIC_ACCESS_DENIED_ERROR
    case 1370: // ER_PROCACCESS_DENIED_ERROR
      return privilege(context, general);
    case 1148: // ER_NOT_ALLOWED_COMMAND
    case 3948: // ER_CLIENT_LOCAL_FILES_DISABLED
    case 4166: // MariaDB's
      return {
        code: "target.query_failed",
        subject: "local_infile",
        remedy: "Run on the target: set global local_infile = on;",
      };
    case 1153: // ER_NET_PACKET_TOO_LARGE
    case 1301: // ER_WARN_ALLOWED_PACKET_OVERFLOWED
      return {
        code: general,
        remedy: "Raise max_allowed_packet on the target to the source's, then reload the table.",
      };
    case 1049: // ER_BAD_DB_ERROR
    case 1146: // ER_NO_SUCH_TABLE
      return inTable ? { code: general, remedy: missingRemedy(context) } : { code: general };
    case 1054: // ER_BAD_FIELD_ERROR
    case 1136: // ER_WRONG_VALUE_COUNT_ON_ROW
    case 1364: // ER_NO_DEFAULT_FOR_FIELD
      return { code: inTable && context.phase !== "build" ? "target.table_mismatch" : general };
    case 1217: // ER_ROW_IS_REFERENCED
    case 1451: // ER_ROW_IS_REFERENCED_2
    case 1701: // ER_TRUNCATE_ILLEGAL_FK
    case 3730: // ER_FK_CANNOT_DROP_PARENT
      return inTable && context.phase === "build" ? { code: "target.table_in_use" } : { code: general };
    default:
      return { code: general, isOfRow: context.phase !== "build" && refusesRow(fields) };
  }
}

/** Data exceptions, constraints, and what a trigger raises. */
const ROW_STATES = /^(?:22|23|45)/;
/**
 * Those that the server files under other states, also as warnings of LOAD DATA: values that are missing, were cut or do
 * not fit, keys that are there, checks, rows that are too long or were passed over.
 */
const ROW_NUMBERS = new Set([
  1048, 1062, 1118, 1261, 1264, 1265, 1292, 1300, 1366, 1406, 1411, 1452, 1525, 1644, 3140, 3819, 4025, 4038,
]);

function refusesRow({ number, state }: ServerErrorFields): boolean {
  return ROW_STATES.test(state) || ROW_NUMBERS.has(number);
}

function privilege(context: ErrorContext, general: ErrorCode): Verdict {
  const user = context.endpoint?.username ?? "the endpoint's user";
  if (context.table === undefined) return { code: "target.privilege", subject: user };
  return {
    code: general,
    remedy: `Give ${user} the privilege that the message names, then reload the table.`,
  };
}

function missingRemedy(context: ErrorContext): string {
  return context.phase === "build"
    ? "Create the database or the table on the target, or let the task make it (TargetTablePrepMode)."
    : "Create the table on the target, then reload it.";
}
