import type { TableSchema } from "../../../core/schema.ts";
import { qualified } from "../../shared/identifier.ts";

/** Whose rows are read: without those of tables that inherit from it, unless it has none of its own. */
export function ownRowsSql({ id, isView }: TableSchema): string {
  return isView === true ? qualified(id) : `only ${qualified(id)}`;
}
