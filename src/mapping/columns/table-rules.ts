import type { TableSchema } from "../../core/schema.ts";
import {
  type AddColumnRule,
  type BeforeImageRule,
  type ColumnRule,
  type KeyRule,
  matchesTable,
  type SelectionRule,
  type TableMappings,
} from "../rules.ts";
import { selectingRules } from "../selection.ts";

/** The rules of a document that are about one table, each list in the order of their ids. */
export interface RulesOfTable {
  readonly columns: readonly ColumnRule[];
  readonly added: readonly AddColumnRule[];
  readonly images: readonly BeforeImageRule[];
  /** One primary key at most, and unique indexes, each of which is an object of its own. */
  readonly keys: readonly KeyRule[];
  /** Of the rules that select it those with filters: a row has to satisfy one of them, if there are any. */
  readonly filtering: readonly SelectionRule[];
}

export const NO_RULES: RulesOfTable = { columns: [], added: [], images: [], keys: [], filtering: [] };

/** Undefined where no rule is about a table's columns or rows. */
export function rulesOfTable(table: TableSchema, mappings: TableMappings): RulesOfTable | undefined {
  const isAbout = (rule: ColumnRule | AddColumnRule | BeforeImageRule | KeyRule): boolean =>
    matchesTable(rule, table.id);
  const columns = mappings.columnRules.filter(isAbout);
  const added = mappings.addedColumns.filter(isAbout);
  const images = mappings.beforeImages.filter(isAbout);
  const defined = mappings.keyRules.filter(isAbout);
  const primary = defined.find(({ origin }) => origin === "primary-key");
  const keys = defined.filter((rule) => rule === primary || rule.origin === "unique-index");
  const selecting = selectingRules(table, mappings);
  const filtering = selecting.filter(({ filters }) => filters.length > 0);
  const count = columns.length + added.length + images.length + keys.length + filtering.length;
  return count === 0 ? undefined : { columns, added, images, keys, filtering };
}
