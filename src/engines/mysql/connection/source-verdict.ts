import type { ErrorContext, Verdict } from "../../shared/connection/error-context.ts";
import { forAccount } from "./account-words.ts";
import type { ServerErrorFields } from "./server-error.ts";

/** Errors while reading. */
export function sourceVerdict(fields: ServerErrorFields, context: ErrorContext): Verdict {
  const inTable = context.table !== undefined;
  switch (fields.number) {
    case 1044: // ER_DBACCESS_DENIED_ERROR
    case 1142: // ER_TABLEACCESS_DENIED_ERROR
    case 1143: // ER_COLUMNACCESS_DENIED_ERROR
    case 1227: // ER_SPECIFIC_ACCESS_DENIED_ERROR
    case 1345: // ER_VIEW_NO_EXPLAIN
    case 1370: // ER_PROCACCESS_DENIED_ERROR
      return privilege(fields, context);
    case 1205: // ER_LOCK_WAIT_TIMEOUT
    case 1213: // ER_LOCK_DEADLOCK
    case 1317: // ER_QUERY_INTERRUPTED
    case 1969: // MariaDB: ER_STATEMENT_TIMEOUT
    case 3024: // ER_QUERY_TIMEOUT
      return { code: "source.busy" };
    case 1021: // ER_DISK_FULL
    case 1037: // ER_OUTOFMEMORY
    case 1038: // ER_OUT_OF_SORTMEMORY
    case 1041: // ER_OUT_OF_RESOURCES
    case 1114: // ER_RECORD_FILE_FULL, of a temporary table
      return { code: "source.out_of_resources" };
    case 1412: // ER_TABLE_DEF_CHANGED: since the snapshot was taken
      return { code: inTable ? "source.table_rewritten" : "source.snapshot_lost" };
    case 1054: // ER_BAD_FIELD_ERROR: it was there when the table was described
      return { code: inTable ? "source.table_rewritten" : "source.query_failed" };
    case 1146: // ER_NO_SUCH_TABLE
    case 1049: // ER_BAD_DB_ERROR
      return inTable
        ? { code: "source.table_unreadable", remedy: "The table is gone: take it out of the mappings." }
        : { code: "source.query_failed" };
    default:
      return { code: inTable ? "source.table_unreadable" : "source.query_failed" };
  }
}

function privilege({ message }: ServerErrorFields, context: ErrorContext): Verdict {
  const user = context.endpoint?.username ?? "the endpoint's user";
  if (context.table !== undefined) {
    const { schema, name } = context.table;
    return {
      code: "source.table_privilege",
      remedy: forAccount(
        (account) => `Run on the source: grant select on ${quoted(schema)}.${quoted(name)} to ${account}`,
        user,
      ),
    };
  }
  const needed = leastOf(/you need \(at least one of\) the (.+?) privilege/.exec(message)?.[1]);
  return {
    code: "source.privilege",
    subject: user,
    remedy:
      needed === undefined
        ? `Grant the privilege that the message names to ${user}.`
        : forAccount(
            (account) => `Run on the source: grant ${needed.toLowerCase()} on *.* to ${account}`,
            user,
          ),
  };
}

/** Of the privileges that would do, one that allows no more than it must. */
function leastOf(list: string | undefined): string | undefined {
  const names = list?.split(",").map((name) => name.trim());
  return names?.find((name) => name !== "SUPER") ?? names?.[0];
}

function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}
