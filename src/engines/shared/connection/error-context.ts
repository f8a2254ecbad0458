import type { EndpointConfig, EndpointRole } from "../../../core/engine.ts";
import type { ErrorCode } from "../../../core/error.ts";
import type { TableId } from "../../../core/schema.ts";

/** What was being done when an error came up; it decides which code the error gets. */
export interface ErrorContext {
  readonly side: EndpointRole;
  readonly endpoint?: EndpointConfig;
  /** The table at work, when the error is that table's alone. Always the source's id. */
  readonly table?: TableId;
  /** The object at work when it is not a table: a slot, a position, a setting. */
  readonly subject?: string;
  /** What a target's table was being given: rows, changes, or its structure. "load" when left out. */
  readonly phase?: "load" | "apply" | "build";
}

/** What the database is to whoever reads of the error. */
export function namedSide({ side, endpoint }: ErrorContext): EndpointRole {
  return endpoint?.readAs ?? side;
}

/** What an error comes to; the rest is filled in from the context. */
export interface Verdict {
  readonly code: ErrorCode;
  readonly subject?: string | undefined;
  /** When the code's general remedy is not exact. */
  readonly remedy?: string | undefined;
  /** The server refuses a single row. */
  readonly isOfRow?: boolean;
}

/** What goes wrong with one of a target's tables, when nothing more exact is known. */
export function tableCode({ phase }: ErrorContext): ErrorCode {
  switch (phase) {
    case "build":
      return "target.object_failed";
    case "apply":
      return "apply.rejected";
    default:
      return "load.rejected";
  }
}

/** Undefined when the endpoint has a password, which then is wrong. */
export function passwordRemedy({ endpoint }: ErrorContext): string | undefined {
  return endpoint?.password === undefined || endpoint.password === ""
    ? "The server asks for a password and the endpoint has none: give it one."
    : undefined;
}
