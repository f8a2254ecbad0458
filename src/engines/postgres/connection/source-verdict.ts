import type { ErrorContext, Verdict } from "../../shared/connection/error-context.ts";
import { objectOf, privilegeRemedy, quotedName } from "./privilege-text.ts";
import type { ServerErrorFields } from "./server-error.ts";

/**
 * Errors while reading. Slot and publication errors share SQLSTATEs with many others; what tells them
 * apart in any language are names that the server does not translate.
 */
export function sourceVerdict(fields: ServerErrorFields, context: ErrorContext): Verdict {
  const inTable = context.table !== undefined;
  switch (fields.code) {
    case "42501":
      return privilege(fields, context);
    case "40001":
    case "40P01":
    case "55P03":
    case "57014":
      return { code: "source.busy" };
    case "53000":
    case "53100":
    case "53200":
    case "58030":
      return { code: "source.out_of_resources" };
    case "42P01":
    case "3F000":
      return inTable
        ? { code: "source.table_unreadable", remedy: "The table is gone: take it out of the mappings." }
        : { code: "source.query_failed" };
    default:
      return (
        snapshotVerdict(fields) ??
        (inTable ? undefined : streamVerdict(fields, context)) ?? {
          code: inTable ? "source.table_unreadable" : "source.query_failed",
        }
      );
  }
}

/** An exported snapshot ends with the session that exported it. 22023 until version 16, 42704 from 17 on. */
function snapshotVerdict({ code, message }: ServerErrorFields): Verdict | undefined {
  if (code === "22023" && message.includes("invalid snapshot identifier"))
    return { code: "source.snapshot_lost" };
  if (code === "42704" && /^snapshot "/.test(message)) return { code: "source.snapshot_lost" };
  if (code === "55000" && message.includes("could not import the requested snapshot")) {
    return { code: "source.snapshot_lost" };
  }
  return undefined;
}

function streamVerdict(fields: ServerErrorFields, context: ErrorContext): Verdict | undefined {
  const { code, message } = fields;
  const subject = context.subject ?? quotedName(message);
  switch (code) {
    case "42704":
      if (message.includes("publication")) return { code: "source.publication_missing", subject };
      return message.includes("replication slot") ? { code: "source.slot_missing", subject } : undefined;
    case "42710":
      return message.includes("replication slot") ? { code: "source.slot_exists", subject } : undefined;
    case "55006":
      return { code: "source.slot_in_use", subject };
    case "53400":
      return { code: "source.no_free_slot", subject: "max_replication_slots" };
    case "58P01":
      return /WAL|wal/.test(message) ? { code: "source.slot_lost", subject: context.subject } : undefined;
    case "55000":
      return prerequisiteVerdict(`${message} ${fields.detail ?? ""}`, subject);
    default:
      return undefined;
  }
}

/** object_not_in_prerequisite_state: a server that is not set up for decoding, or a slot that was given up. */
function prerequisiteVerdict(text: string, slot: string | undefined): Verdict | undefined {
  if (/can no longer|invalidated|cannot read from logical replication slot/.test(text)) {
    return { code: "source.slot_lost", subject: slot };
  }
  if (text.includes("wal_level")) return { code: "source.wal_level", subject: "wal_level" };
  if (/max_replication_slots/.test(text))
    return { code: "source.no_free_slot", subject: "max_replication_slots" };
  return undefined;
}

function privilege(fields: ServerErrorFields, context: ErrorContext): Verdict {
  const subject = objectOf(fields.message) ?? context.endpoint?.username;
  const role = context.endpoint?.username;
  if (/WAL sender|walsender|replication slots/.test(`${fields.message} ${fields.detail ?? ""}`)) {
    return {
      code: "source.privilege",
      subject: role,
      remedy: `Run as a superuser: alter role ${role} replication; (on Amazon RDS: grant rds_replication to ${role};)`,
    };
  }
  if (context.table !== undefined) {
    return /row-level security|row security/.test(fields.message)
      ? { code: "source.row_security" }
      : { code: "source.table_privilege", remedy: privilegeRemedy(context, "select") };
  }
  return { code: "source.privilege", subject };
}
