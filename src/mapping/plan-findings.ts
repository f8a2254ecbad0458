import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import {
  displayObject,
  displayTable,
  type ForeignKey,
  type ObjectReference,
  type SchemaObject,
  type TableId,
} from "../core/schema.ts";

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

/** Whether it can be made shows only when the rows are there. */
export function maySplit(table: TableId, foreignKey: ForeignKey): Finding {
  const referring = displayTable(table);
  return {
    code: "plan.reference_may_fail",
    severity: "warning",
    subject: referring,
    table,
    message:
      `The foreign key ${foreignKey.name} of ${referring} cannot be made if rows refer to some of ` +
      `${displayTable(foreignKey.references)} that its filter leaves out.`,
    remedy: errorTable["plan.reference_may_fail"].remedy,
  };
}

interface Clash {
  readonly sources: readonly [TableId, TableId];
  /** Ids of the rules that name them. */
  readonly rules: readonly number[];
}

export function clash(kind: string, { sources, rules }: Clash, target: TableId): Finding {
  const [one, other] = sources.map(displayTable);
  const by = [...new Set(rules)].map((rule) => `rule ${rule}`).join(" and ");
  return {
    code: "mapping.target_clash",
    severity: "error",
    subject: displayTable(target),
    message: `${one} and ${other} both come to the ${kind} ${displayTable(target)} on the target${by === "" ? "" : `, by ${by}`}.`,
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

export function objectLeftOut(object: SchemaObject, missing: ObjectReference): Finding {
  return aboutObject(
    "plan.object_left_out",
    object,
    `is left out: it needs the ${missing.kind} ${displayName(missing)}, which is not part of the task.`,
  );
}

export function objectNamesRenamed(object: SchemaObject, renamed: ObjectReference): Finding {
  return aboutObject(
    "plan.object_left_out",
    object,
    `is left out: its text names the ${renamed.kind} ${displayName(renamed)}, which has another name on the target.`,
  );
}

export function objectNamesColumns(object: SchemaObject, table: TableId): Finding {
  return aboutObject(
    "plan.object_left_out",
    object,
    `is left out: it is about columns of ${displayTable(table)} that rules leave out or change.`,
  );
}

/** A foreign key one end of which the target has not. What the source does by it without logging it would be missing. */
export function referenceLost(
  table: TableId,
  foreignKey: ForeignKey,
  replicates: boolean,
): readonly Finding[] {
  const message = `The foreign key ${foreignKey.name} of ${displayTable(table)} is left out: columns of one of its ends stay behind, or rules change their values.`;
  const about = { subject: displayTable(table), table };
  const left: Finding = {
    ...about,
    ...{ code: "plan.part_left_out", severity: "warning", message },
    remedy: errorTable["plan.part_left_out"].remedy,
  };
  if (!replicates || foreignKey.silent === undefined) return [left];
  return [
    left,
    {
      ...about,
      ...{ code: "mapping.key_lost", severity: "error" },
      message: `The source changes rows by the foreign key ${foreignKey.name} without logging that, and they are not found on the target without its columns.`,
      remedy: errorTable["mapping.key_lost"].remedy,
    },
  ];
}

export function namesText(object: SchemaObject, schema: string): Finding {
  return aboutObject(
    "plan.text_names_schema",
    object,
    `is moved as it is; its text seems to name the schema ${schema}, which has another name on the target.`,
  );
}

export function schemaRightsLeftOut(schema: string, sources: readonly string[]): Finding {
  return {
    code: "plan.rights_left_out",
    severity: "warning",
    subject: schema,
    message: `The schemas ${sources.join(", ")} come together in ${schema}, which gets the owner, the privileges and the default privileges of none.`,
    remedy: errorTable["plan.rights_left_out"].remedy,
  };
}

function aboutObject(
  code: "plan.object_left_out" | "plan.text_names_schema",
  object: SchemaObject,
  what: string,
): Finding {
  return {
    code,
    severity: "warning",
    subject: displayObject(object),
    ...(object.on === undefined ? {} : { table: object.on }),
    message: `The ${object.kind} ${displayObject(object)} ${what}`,
    remedy: errorTable[code].remedy,
  };
}

function displayName({ kind, id }: ObjectReference): string {
  return kind === "object" || kind === "extension" ? id.name : displayTable(id);
}
