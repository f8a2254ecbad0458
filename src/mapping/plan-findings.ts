import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import { displayTable, type ForeignKey, type TableId } from "../core/schema.ts";

/** The findings that compiling a plan can come to, in words. */

export function leftOut(table: TableId, foreignKey: ForeignKey): Finding {
  return {
    code: "plan.reference_left_out",
    severity: "warning",
    subject: displayTable(table),
    table,
    message:
      `The foreign key ${foreignKey.name} of ${displayTable(table)} refers to ` +
      `${displayTable(foreignKey.references)}, which is not part of the task, and is left out.`,
    remedy: errorTable["plan.reference_left_out"].remedy,
  };
}

export function clash(kind: string, sources: readonly [TableId, TableId], target: TableId): Finding {
  const [one, other] = sources.map(displayTable);
  return {
    code: "mapping.target_clash",
    severity: "error",
    subject: displayTable(target),
    message: `${one} and ${other} both come to the ${kind} ${displayTable(target)} on the target.`,
    remedy: "Change the rename rules, or the setting TargetSchema, so that each gets a name of its own.",
  };
}

export function badTableName(table: TableId, target: string, fault: string): Finding {
  return {
    code: "mapping.table_name_invalid",
    severity: "error",
    subject: displayTable(table),
    table,
    message: `${displayTable(table)} would be named ${JSON.stringify(target)} on the target, which ${fault}.`,
    remedy: errorTable["mapping.table_name_invalid"].remedy,
  };
}

export function badSchemaName(schema: string, target: string, fault: string): Finding {
  return {
    code: "mapping.schema_name_invalid",
    severity: "error",
    subject: schema,
    message: `The schema ${schema} would be named ${JSON.stringify(target)} on the target, which ${fault}.`,
    remedy: errorTable["mapping.schema_name_invalid"].remedy,
  };
}

export function renamed(
  kind: "index" | "sequence",
  table: TableId,
  names: readonly [string, string],
): Finding {
  const [from, to] = names;
  return {
    code: "plan.object_renamed",
    severity: "info",
    subject: displayTable(table),
    table,
    message: `The ${kind} ${from} of ${displayTable(table)} is named ${to} on the target, where its name is taken.`,
    remedy: errorTable["plan.object_renamed"].remedy,
  };
}
