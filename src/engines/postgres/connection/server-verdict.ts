import type { ServerVerdict } from "../../shared/connection/classify-error.ts";
import { type ErrorContext, namedSide, type Verdict } from "../../shared/connection/error-context.ts";
import type { ServerErrorFields } from "./server-error.ts";
import { sourceVerdict } from "./source-verdict.ts";
import { condition } from "./sqlstate.ts";
import { targetVerdict } from "./target-verdict.ts";

/** What a server's error comes to, by its SQLSTATE; texts only where one SQLSTATE means several things. */
export function serverVerdict(fields: ServerErrorFields, context: ErrorContext): ServerVerdict {
  const verdict =
    connectionVerdict(fields, context) ??
    (context.side === "source" ? sourceVerdict(fields, context) : targetVerdict(fields, context));
  return { ...verdict, message: message(fields, context), nativeCode: fields.code };
}

/** What concerns the connection or the server as a whole, on either side and whatever was being done. */
function connectionVerdict(fields: ServerErrorFields, context: ErrorContext): Verdict | undefined {
  const { code } = fields;
  const user = context.endpoint?.username;
  switch (code) {
    case "28P01":
      return { code: "auth.failed", subject: user };
    case "28000":
      return accessVerdict(fields.message, user);
    case "3D000":
      return { code: "auth.unknown_database", subject: context.endpoint?.database };
    case "57P04":
      return { code: "auth.unknown_database", subject: context.endpoint?.database };
    case "53300":
      return /max_wal_senders/.test(fields.message)
        ? { code: "source.no_free_slot", subject: "max_wal_senders", remedy: "Raise max_wal_senders." }
        : { code: "connect.too_many" };
    case "57P02":
    case "57P03":
      return { code: "connect.starting_up" };
    case "57P01":
    case "57P05":
    case "25P03":
    case "25P04":
      return { code: "connect.lost" };
    case "08P01":
      return undefined;
    default:
      return code.startsWith("08") ? { code: "connect.lost" } : undefined;
  }
}

function accessVerdict(text: string, user: string | undefined): Verdict {
  if (/role .* does not exist/.test(text)) {
    return {
      code: "auth.failed",
      subject: user,
      remedy: "Create the role on the server or correct the user name.",
    };
  }
  if (/not permitted to log in/.test(text)) {
    return {
      code: "auth.not_allowed",
      subject: user,
      remedy: `Run on the server: alter role ${user} login;`,
    };
  }
  if (/no encryption|SSL off/.test(text)) {
    return {
      code: "auth.not_allowed",
      subject: user,
      remedy:
        "Set the endpoint's SSL mode to require if the server admits this user only with TLS, else add a line for the user, database and address to pg_hba.conf.",
    };
  }
  return { code: "auth.not_allowed", subject: user };
}

/** Never a server's text that may hold row values; names of tables, columns and constraints are not values. */
function message(fields: ServerErrorFields, context: ErrorContext): string {
  const said = `The ${namedSide(context)} answered with ${condition(fields.code)}`;
  if (showable(fields, context)) return `${said}: ${fields.message}.`;
  const { schema, table, column, constraint } = fields;
  const names = [
    table === undefined ? undefined : `table ${schema === undefined ? table : `${schema}.${table}`}`,
    column === undefined ? undefined : `column ${column}`,
    constraint === undefined ? undefined : `constraint ${constraint}`,
  ].filter((name) => name !== undefined);
  return names.length === 0 ? `${said}.` : `${said}, ${names.join(", ")}.`;
}

/** Classes whose texts name objects, settings and sizes only. */
const SHOWABLE = /^(08|0A|25|28|2B|3D|3F|40|42|53|54|55|57|58)/;

/**
 * A text with a context comes from inside a function or a row: a trigger can raise anything, also
 * row values, under any SQLSTATE. A syntax error quotes the statement, which may hold bounds of keys.
 */
function showable(fields: ServerErrorFields, context: ErrorContext): boolean {
  if (!SHOWABLE.test(fields.code) || fields.where !== undefined || fields.message === "") return false;
  return fields.code !== "42601" || context.phase === "build";
}
