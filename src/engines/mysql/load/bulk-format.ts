import type { TableOutcome } from "../../../core/error.ts";
import type { TablePlan } from "../../../core/plan.ts";
import type { BulkFormat } from "../../../core/row-chunk.ts";
import { tableKey } from "../../../core/schema.ts";
import { mismatch } from "../../shared/catalog/table-misfit.ts";
import { findTables, misfit } from "../catalog/target-table.ts";
import type { Client } from "../connection/client.ts";
import type { OutOfRange } from "../values/out-of-range.ts";
import { type LoadColumns, loadColumns } from "./load-columns.ts";

const FORMATS: readonly BulkFormat[] = ["pg-copy-text"];

export interface LoadableTable {
  readonly formats: readonly BulkFormat[];
  readonly columns: LoadColumns;
}

/** What tables of the target can be written in, and how; `target.table_mismatch` for one that rows do not fit into. */
export async function loadableTables(
  client: Client,
  plans: readonly TablePlan[],
  choices: OutOfRange,
): Promise<TableOutcome<LoadableTable>[]> {
  const found = await findTables(
    client,
    plans.map(({ target }) => target.id),
  );
  return plans.map((plan) => {
    const { id } = plan.target;
    const table = found.get(tableKey(id));
    if (table === undefined) return mismatch(plan, "it does not exist");
    const reason = misfit(table, plan);
    if (reason !== undefined) return mismatch(plan, reason);
    return { formats: FORMATS, columns: loadColumns(plan, table.columns, choices) };
  });
}
