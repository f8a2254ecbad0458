import type { ServerVerdict } from "../../shared/connection/classify-error.ts";
import {
  type ErrorContext,
  namedSide,
  passwordRemedy,
  type Verdict,
} from "../../shared/connection/error-context.ts";
import { forAccount } from "./account-words.ts";
import type { ServerErrorFields } from "./server-error.ts";
import { sourceVerdict } from "./source-verdict.ts";
import { targetVerdict } from "./target-verdict.ts";

/** What a server's error comes to, by its number. */
export function serverVerdict(fields: ServerErrorFields, context: ErrorContext): ServerVerdict {
  const verdict =
    connectionVerdict(fields, context) ??
    (context.side === "source" ? sourceVerdict(fields, context) : targetVerdict(fields, context));
  return { ...verdict, message: message(fields, context), nativeCode: String(fields.number) };
}

/** What concerns the connection or the server as a whole, on either side and whatever was being done. */
function connectionVerdict(
  { number, message }: ServerErrorFields,
  context: ErrorContext,
): Verdict | undefined {
  const user = context.endpoint?.username;
  switch (number) {
    case 1045: // ER_ACCESS_DENIED_ERROR
    case 1698: // ER_ACCESS_DENIED_NO_PASSWORD_ERROR
      // The same number refuses a statement that needs a privilege: then there is a table or a subject.
      return { code: "auth.failed", subject: user, remedy: passwordRemedy(context) };
    case 1820: // ER_MUST_CHANGE_PASSWORD
    case 1862: // ER_MUST_CHANGE_PASSWORD_LOGIN
      return {
        code: "auth.not_allowed",
        subject: user,
        remedy: "Give the user a password that has not expired.",
      };
    case 3118: // ER_ACCOUNT_HAS_BEEN_LOCKED
    case 4151: // MariaDB: ER_ACCOUNT_HAS_BEEN_LOCKED
      return {
        code: "auth.not_allowed",
        subject: user,
        remedy: forAccount(
          (account) => `Run on the server: alter user ${account} account unlock`,
          user ?? "the endpoint's user",
        ),
      };
    case 1130: // ER_HOST_NOT_PRIVILEGED
      return {
        code: "auth.not_allowed",
        subject: user,
        remedy: "Create the user for this machine's address or for '%'.",
      };
    case 1129: // ER_HOST_IS_BLOCKED
      // MySQL has no FLUSH HOSTS from 8.3 on.
      return {
        code: "auth.not_allowed",
        subject: user,
        remedy: "Run from a machine that the server lets in: mysqladmin flush-hosts",
      };
    case 1251: // ER_NOT_SUPPORTED_AUTH_MODE
      return { code: "auth.not_allowed", subject: user };
    case 3159: // ER_SECURE_TRANSPORT_REQUIRED
    case 4187: // MariaDB's
      return { code: "auth.not_allowed", subject: user, remedy: "Set the endpoint's SSL mode to require." };
    case 1049: // ER_BAD_DB_ERROR
      return context.table === undefined
        ? { code: "auth.unknown_database", subject: context.endpoint?.database || undefined }
        : undefined;
    case 1040: // ER_CON_COUNT_ERROR
    case 1203: // ER_TOO_MANY_USER_CONNECTIONS
      return { code: "connect.too_many" };
    case 1226: // ER_USER_LIMIT_REACHED
      return /connections/.test(message) ? { code: "connect.too_many" } : undefined;
    case 1053: // ER_SERVER_SHUTDOWN
    case 1077: // ER_NORMAL_SHUTDOWN
    case 1079: // ER_SHUTDOWN_COMPLETE
      return { code: "connect.starting_up" };
    case 1158: // ER_NET_READ_ERROR and its kin
    case 1159:
    case 1160:
    case 1161:
    case 1184:
    case 1927: // MariaDB: ER_CONNECTION_KILLED
    case 4031: // ER_CLIENT_INTERACTION_TIMEOUT
      return { code: "connect.lost" };
    default:
      return undefined;
  }
}

/** Never a server's text that may hold row values; names of keys and columns are not values. */
function message(fields: ServerErrorFields, context: ErrorContext): string {
  const said = `The ${namedSide(context)} answered with error ${fields.number} (SQLSTATE ${fields.state})`;
  if (isShowable(fields, context)) return `${said}: ${fields.message.replace(/\.$/, "")}.`;
  const names = namesIn(fields.message);
  return names === "" ? `${said}.` : `${said}, ${names}.`;
}

/** SQLSTATEs whose texts name objects and rights only, and numbers of the state for all else that do, too. */
const SHOWABLE_STATES = /^(08|0A|25|28|3D|42)/;
const SHOWABLE_NUMBERS = new Set([
  1005, 1018, 1021, 1025, 1030, 1033, 1040, 1041, 1050, 1067, 1114, 1118, 1153, 1193, 1205, 1206, 1217, 1227,
  1236, 1238, 1290, 1295, 1419, 1449, 1534, 1701, 1785, 1786, 1787, 1789, 1792, 1794, 1836, 1872, 1944, 1945,
  1946, 1950, 1955, 3024, 3098, 3100, 3159, 3167, 3730, 3780, 3948, 4031,
]);
/** A syntax error quotes the statement, and a failed cast its value. */
const QUOTING = new Set([1064, 1149, 1367]);

function isShowable({ number, state, message: text }: ServerErrorFields, context: ErrorContext): boolean {
  if (text === "") return false;
  if (QUOTING.has(number)) return number === 1064 && context.phase === "build";
  // 1062, a duplicate key, has state 23000; 45000 is what triggers raise.
  return SHOWABLE_STATES.test(state) || SHOWABLE_NUMBERS.has(number);
}

function namesIn(text: string): string {
  // The last ones: a value, which comes first, may hold anything.
  const key = /for key '((?:[^']|'')*)'$/.exec(text)?.[1];
  const column = /(?:for|in) column '?((?:`[^`]*`\.)*(?:`[^`]*`|[^'` ]+))'? at row \d+$/.exec(text)?.[1];
  const missing = /^(?:Column|Field) '([^']*)' (?:cannot be null|doesn't have a default value)/.exec(
    text,
  )?.[1];
  const constraint = /CONSTRAINT `([^`]*)` FOREIGN KEY/.exec(text)?.[1];
  return [
    key === undefined ? undefined : `key ${key}`,
    column === undefined ? undefined : `column ${column.replaceAll("`", "")}`,
    missing === undefined ? undefined : `column ${missing}`,
    constraint === undefined ? undefined : `constraint ${constraint}`,
  ]
    .filter((name) => name !== undefined)
    .join(", ");
}
