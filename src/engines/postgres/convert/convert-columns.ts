import { ordinaryColumn, type TablePlan, withSentColumns } from "../../../core/plan.ts";
import type { Column, TableId } from "../../../core/schema.ts";
import { type ConvertNotes, displayColumn } from "../../shared/convert/convert-notes.ts";
import { convertDefault } from "./convert-default.ts";
import { columnKey, columnNames } from "./convert-names.ts";
import type { ConvertedTable } from "./convert-references.ts";
import { postgresType, shapeType } from "./convert-type.ts";

export interface ColumnContext {
  /** See signedColumns(). */
  readonly signed: ReadonlySet<string>;
  /** The target's name of a sequence of the source. */
  readonly sequenceOf: (source: TableId) => TableId | undefined;
  readonly notes: ConvertNotes;
  /** The name of PostGIS's type in SQL; undefined where the target has no PostGIS. */
  readonly geometry: string | undefined;
}

/**
 * The plan with the target's columns in PostgreSQL's dialect. A generated column is an ordinary one on both sides:
 * the source sends its values, because the target cannot compute them.
 */
export function convertColumns(plan: TablePlan, context: ColumnContext): ConvertedTable {
  const { target } = plan;
  const names = columnNames(target.columns.map(({ name }) => name));
  const columns = target.columns.map((column, i) => {
    return convertColumn({ plan, column, name: names[i]! }, context);
  });
  return {
    plan: { ...withSentColumns(plan, () => true), target: { ...target, columns } },
    columns: new Map(target.columns.map(({ name }, i) => [name, columns[i]!])),
    indexes: target.indexes,
  };
}

interface ColumnRequest {
  readonly plan: TablePlan;
  readonly column: Column;
  /** On the target. */
  readonly name: string;
}

function convertColumn(request: ColumnRequest, context: ColumnContext): Column {
  const { signed, sequenceOf, notes, geometry } = context;
  const { plan, column, name } = request;
  const { default: _default, identity, collation: _collation, ...same } = ordinaryColumn(column);
  const isSigned = signed.has(columnKey(plan.target.id, column.name));
  const { type } = column;
  const shape =
    geometry === undefined || type.kind !== "bytes" || type.shape === undefined
      ? undefined
      : shapeType(type.shape, geometry);
  const nativeType = isSigned ? "bigint" : (shape ?? postgresType(type));
  noteColumn(request, { isSigned, notes, nativeType });
  if (column.generated !== undefined) {
    const how = `The column ${column.name} is computed by the source as ${column.generated}; the target's column holds the values.`;
    notes.about(plan.source, "convert.generated", how);
    return { ...same, name, nativeType };
  }
  if (identity !== undefined) {
    if (/^(?:smallint|integer|bigint)$/.test(nativeType)) return { ...same, name, nativeType, identity };
    const why = `The column ${column.name} numbers its rows by itself, which the type ${nativeType} cannot do on the target.`;
    notes.about(plan.source, "convert.default", why);
    return { ...same, name, nativeType };
  }
  const { sql, isLeftOut, followsUpdates } = convertDefault(column, sequenceOf);
  if (isLeftOut) {
    notes.about(
      plan.source,
      "convert.default",
      `The default ${column.default} of the column ${column.name} is left out.`,
    );
  }
  if (followsUpdates) {
    notes.together(displayColumn(plan.source, column.name), {
      ...{ code: "convert.on_update", severity: "warning", subject: "on update" },
      message: "Columns take the time of every update of their row on the source, not on the target",
    });
  }
  return { ...same, name, nativeType, ...(sql === undefined ? {} : { default: sql }) };
}

function noteColumn(
  { plan, column, name }: ColumnRequest,
  {
    isSigned,
    notes,
    nativeType,
  }: { readonly isSigned: boolean; readonly notes: ConvertNotes; readonly nativeType: string },
): void {
  const tell = (subject: string, message: string, severity: "info" | "warning" = "info"): void =>
    notes.together(displayColumn(plan.source, column.name), {
      code: "convert.type",
      severity,
      subject,
      message,
    });
  const { type } = column;
  if (column.invisible === true) tell("invisible", "Invisible columns become ordinary ones");
  if (type.kind === "enum") tell("enum", "Columns of labels become texts that any other text fits");
  if (type.kind === "set") tell("set", "Columns of sets become texts, with commas between their members");
  if (type.kind === "int" && type.unsigned)
    tell("unsigned", "Columns of unsigned numbers take negative ones, too");
  if (isSigned) {
    tell(
      "bigint",
      "Columns that number their rows end at 9223372036854775807, and so do those that refer to them",
      "warning",
    );
  }
  if (type.kind === "bytes" && type.shape !== undefined && nativeType === "bytea") {
    tell(
      "geometry",
      "Columns of shapes become bytea with EWKB in it, which PostGIS reads by a cast to geometry; where the target has the extension postgis before the task starts, they become its type",
    );
  }
  if (name !== column.name) {
    notes.about(plan.source, "convert.name", `The column ${column.name} is named ${name} on the target.`);
  }
  if (column.collation !== undefined && !/_bin$|_cs$|^binary$/i.test(column.collation)) {
    notes.together(displayColumn(plan.source, column.name), {
      ...{ code: "convert.collation", severity: "info", subject: "collations" },
      message:
        "Texts that differ in case or accents alone may be equal on the source and are not on the target",
    });
  }
}
