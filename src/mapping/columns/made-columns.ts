import type { ExpressionInput } from "../../core/plan.ts";
import { displayTable, type TableSchema } from "../../core/schema.ts";
import { isLargeObject } from "../document/data-types.ts";
import { checkExpression } from "../rows/expression.ts";
import type { AddColumnRule, BeforeImageRule } from "../rules.ts";
import type { ColumnChoice } from "./column-choice.ts";
import { type ColumnFindings, listed } from "./column-findings.ts";
import { ExpressionFault, readExpression } from "./expression-reader.ts";
import { addedColumn, type PlannedColumn } from "./map-columns.ts";

export interface MakeColumns {
  /** The source's own table. */
  readonly reads: TableSchema;
  readonly choices: readonly ColumnChoice[];
  /** Most bytes that come of a column's values, by ordinal: also of those before an update. */
  readonly cuts: ReadonlyMap<number, number>;
  readonly findings: ColumnFindings;
}

/** Columns with what others held before an update. What is masked is masked there, too: it has none. */
export function beforeImages(
  rules: readonly BeforeImageRule[],
  context: MakeColumns,
): readonly PlannedColumn[] {
  const { reads, choices, cuts, findings } = context;
  const primary = reads.indexes.find(({ constraint }) => constraint === "primary-key");
  return rules.flatMap(({ id, prefix, suffix, columns }) => {
    const wanted = choices.filter(({ column, comes }) => {
      if (!comes || column.generated !== undefined) return false;
      if (columns === "pk-only") return primary?.columns?.includes(column.name) === true;
      return columns === "all" || !isLargeObject(column);
    });
    const masked = wanted.filter(({ mask }) => mask !== undefined).map(({ column }) => column.name);
    if (masked.length > 0) {
      findings.leftOut(
        "The before image",
        `the columns ${listed(masked)} are masked, and would show their values there`,
      );
    }
    return wanted.flatMap((choice): readonly PlannedColumn[] => {
      if (choice.mask !== undefined) return [];
      const { name: own, nativeType, type, binaryAs, convertsTo, collation } = choice.column;
      const column = {
        ...{ name: `${prefix}${own}${suffix}`, nativeType, type, nullable: true },
        ...(binaryAs === undefined ? {} : { binaryAs }),
        ...(convertsTo === undefined ? {} : { convertsTo }),
        ...(collation === undefined ? {} : { collation }),
      };
      const { ordinal } = choice;
      const bytes = cuts.get(ordinal);
      return [
        {
          source: column,
          target: column,
          origin: { kind: "before", ordinal, ...(bytes === undefined ? {} : { cut: bytes }) },
          rule: id,
          isMade: true,
        },
      ];
    });
  });
}

/** Columns that rules add; one without an expression is NULL in every row. */
export function addedColumns(
  rules: readonly AddColumnRule[],
  context: MakeColumns,
): readonly PlannedColumn[] {
  const { reads, choices, findings } = context;
  const isMasked = new Set(choices.filter(({ mask }) => mask !== undefined).map(({ ordinal }) => ordinal));
  return rules.flatMap((rule): readonly PlannedColumn[] => {
    try {
      const expression =
        rule.expression === undefined ? { sql: "null", inputs: [] } : readExpression(rule.expression, reads);
      const refused = checkExpression(expression.sql, expression.inputs.length);
      if (refused !== undefined) throw new ExpressionFault(`SQLite says: ${refused}.`);
      const unsent = expression.inputs.flatMap((input) => unsentColumn(input, reads) ?? []);
      if (unsent.length > 0) {
        const what = `the source computes ${listed(unsent)} and does not send the values`;
        findings.impossible(rule.id, `the column ${rule.name} is made of ${listed(unsent)}, and ${what}`);
      }
      const masked = new Set(
        expression.inputs.flatMap((input) =>
          "ordinal" in input && isMasked.has(input.ordinal) ? [reads.columns[input.ordinal]!.name] : [],
        ),
      );
      if (masked.size > 0) {
        const message = `The column ${rule.name} is made of what the masked columns ${listed([...masked])} hold, and may show it.`;
        findings.add("mapping.mask_incomplete", "warning", message);
      }
      const columns = addedColumn(rule.name, rule.type);
      return [{ ...columns, origin: { kind: "expression", expression }, rule: rule.id, isMade: true }];
    } catch (error) {
      if (!(error instanceof ExpressionFault)) throw error;
      const where = `the expression of the column ${rule.name} of ${displayTable(reads.id)}`;
      findings.impossible(rule.id, `${where} cannot be read. ${error.message.replace(/\.$/, "")}`);
      return [];
    }
  });
}

function unsentColumn(input: ExpressionInput, reads: TableSchema): string | undefined {
  if (input.kind !== "column" && input.kind !== "before") return undefined;
  const { name, generated, sends } = reads.columns[input.ordinal]!;
  return generated !== undefined && sends !== true ? name : undefined;
}
