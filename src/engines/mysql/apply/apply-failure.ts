import { MigrationError } from "../../../core/error.ts";
import type { ApplyFailure } from "../../shared/apply/apply-parts.ts";

/** What the server said against a statement, with the plan's table that it was about. */
export class StatementFailure extends Error implements ApplyFailure {
  readonly error: unknown;
  readonly table: number;

  constructor({ error, table }: ApplyFailure) {
    super("a statement failed");
    this.error = error;
    this.table = table;
  }
}

/** A change that is a statement longer than the server takes. */
export function tooLarge(table: number, length: number): StatementFailure {
  const error = new MigrationError("apply.rejected", {
    message: `A change takes ${length} bytes as a statement, more than the target's max_allowed_packet.`,
    remedy: "Raise max_allowed_packet on the target, then reload the table.",
    isOfRow: true,
  });
  return new StatementFailure({ error, table });
}

/** A change after which the server had a warning: it may not have stored what it was given. */
export function changedValue(): MigrationError {
  return new MigrationError("apply.rejected", {
    message: "The target warns of a change: a value does not fit its column as it is, or a trigger met one.",
    remedy: "Compare the column's type with the source's, mend the table on the target, then reload it.",
    isOfRow: true,
  });
}
