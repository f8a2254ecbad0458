import type { EndpointConfig } from "../../../core/engine.ts";
import type { TableId } from "../../../core/schema.ts";

export type Side = "source" | "target";

/** What was being done when an error came up; it decides which code the error gets. */
export interface ErrorContext {
  readonly side: Side;
  readonly endpoint?: EndpointConfig;
  /** The table at work, when the error is that table's alone. Always the source's id. */
  readonly table?: TableId;
  /** The object at work when it is not a table: a slot, a publication, a setting. */
  readonly subject?: string;
  /** What a target's table was being given: rows, changes, or its structure. "load" when left out. */
  readonly phase?: "load" | "apply" | "build";
}
