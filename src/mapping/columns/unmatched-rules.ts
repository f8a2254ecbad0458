import { errorTable } from "../../core/error-table.ts";
import type { Finding } from "../../core/finding.ts";
import type { TableSchema } from "../../core/schema.ts";
import { type ColumnRule, matchesTable, type TableMappings } from "../rules.ts";
import { isAbout } from "./column-choice.ts";

/**
 * Rules about columns or single tables that match nothing among the selected tables: a name that is mistyped would leave
 * a column unmasked without a word.
 */
export function unmatchedRules(mappings: TableMappings, tables: readonly TableSchema[]): readonly Finding[] {
  const aboutTables = [
    ...mappings.addedColumns,
    ...mappings.beforeImages,
    ...mappings.keyRules,
    ...mappings.tableSettings,
  ];
  const lost = aboutTables.filter((rule) => !tables.some(({ id }) => matchesTable(rule, id)));
  const matchesColumn = (rule: ColumnRule): boolean =>
    tables.some(
      ({ id, columns }) => matchesTable(rule, id) && columns.some((column) => isAbout(rule, column)),
    );
  return [
    ...mappings.columnRules.filter((rule) => !matchesColumn(rule)).map(({ id }) => unmatched(id, "column")),
    ...lost.map(({ id }) => unmatched(id, "table")),
  ];
}

function unmatched(id: number, what: "column" | "table"): Finding {
  return {
    ...{ code: "mapping.rule_unmatched", severity: "warning", subject: `rule ${id}` },
    message: `Rule ${id} matches no ${what} of the selected tables.`,
    remedy: errorTable["mapping.rule_unmatched"].remedy,
  };
}
