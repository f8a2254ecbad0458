import type { ErrorCode } from "../../../core/error.ts";
import { type ErrorContext, tableCode, type Verdict } from "../../shared/connection/error-context.ts";
import { objectOf } from "./privilege-text.ts";
import type { ServerErrorFields } from "./server-error.ts";

/** Errors while writing. */
export function targetVerdict(fields: ServerErrorFields, context: ErrorContext): Verdict {
  const { code, message } = fields;
  const inTable = context.table !== undefined;
  const general: ErrorCode = inTable ? tableCode(context) : "target.query_failed";
  switch (code) {
    case "25006":
      return { code: "target.read_only" };
    case "53100":
      return { code: "target.full" };
    case "53000":
    case "53200":
    case "58030":
      return { code: "target.out_of_resources" };
    case "40001":
    case "40P01":
    case "55P03":
    case "57014":
      return { code: "target.busy" };
    case "42501":
      return privilege(message, context, general);
    case "42P01":
    case "3F000":
      return inTable ? { code: general, remedy: missingRemedy(context) } : { code: general };
    case "42703":
    case "42804":
      return { code: inTable && context.phase !== "build" ? "target.table_mismatch" : general };
    case "XX000":
      return isOfShape(fields, context)
        ? { code: general, isOfRow: true, remedy: SHAPE_REMEDY }
        : { code: general };
    case "2BP01":
      return inTable ? { code: "target.table_in_use", remedy: dependents(fields) } : { code: general };
    default:
      return { code: general, isOfRow: context.phase !== "build" && REFUSES_ROW.test(code) };
  }
}

/**
 * A value that its column does not take, a constraint against a row, what a trigger or an index says of one; not what
 * is wrong with a statement as a whole, such as the format of a COPY.
 */
const REFUSES_ROW = /^(22(?!P04|P03)|23|44000|54000|P0001|P0004)/;

/** What PostGIS says of a value that it takes for no shape has no SQLSTATE of its own. */
function isOfShape({ file }: ServerErrorFields, { table, phase }: ErrorContext): boolean {
  return table !== undefined && phase !== "build" && file?.startsWith("lwgeom_") === true;
}

const SHAPE_REMEDY =
  "PostGIS refuses a shape, such as a line of one point, a ring that is not closed, or one of a reference system above 999999: mend it on the source.";

function privilege(text: string, context: ErrorContext, general: ErrorCode): Verdict {
  const object = objectOf(text);
  const role = context.endpoint?.username ?? "the endpoint's user";
  if (context.table === undefined) return { code: "target.privilege", subject: object ?? role };
  const on = object === undefined ? "what the message names" : object;
  return { code: general, remedy: `Give ${role} the privilege on ${on}, then reload the table.` };
}

function missingRemedy(context: ErrorContext): string {
  return context.phase === "build"
    ? "Create the object that the message names, then reload the table."
    : "The table is not on the target: reload it, so that it is created again.";
}

/** The server's detail lists the dependent objects by name. */
function dependents(fields: ServerErrorFields): string | undefined {
  if (fields.detail === undefined) return undefined;
  const names = fields.detail.split("\n").slice(0, 5).join("; ");
  return `Drop what depends on it or use TRUNCATE_BEFORE_LOAD: ${names}.`;
}
