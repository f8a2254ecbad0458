import type { TableOutcome } from "../../../core/error.ts";
import type { TableId } from "../../../core/schema.ts";
import { oneByOne } from "../../shared/table-outcomes.ts";
import { classify } from "./errors.ts";

/**
 * Does work on the target's structure for tables one after the other: DDL commits by itself, so one that fails takes
 * nothing with it. An outcome for each; what is not about the table at work is thrown.
 *
 * `tableOf`: the source's id of an item's table.
 */
export function eachTable<Item, Result>(
  items: readonly Item[],
  tableOf: (item: Item) => TableId,
  work: (item: Item) => Promise<Result>,
): Promise<TableOutcome<Result>[]> {
  return oneByOne(items, async (item) => {
    try {
      return await work(item);
    } catch (error) {
      throw classify(error, { side: "target", table: tableOf(item), phase: "build" });
    }
  });
}
