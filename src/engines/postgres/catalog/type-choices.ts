import type { EndpointConfig } from "../../../core/engine.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";

/** Endpoint settings of the source that decide what columns are in a database of another kind. */
export interface TypeChoices {
  /** MapBooleanAsBoolean is false, and not only left out: booleans are texts, `true` and `false`. */
  readonly booleansAsTexts: boolean;
  /** MapJsonbAsClob: JSON is text of any length. */
  readonly jsonAsText: boolean;
  /** TrimSpaceInChar is false: the spaces that fill up `character(n)` belong to its values. */
  readonly keepsSpaces: boolean;
}

/** What AWS DMS does by default with booleans is done only when it is asked for: it makes texts of them. */
export function typeChoices({ settings }: Pick<EndpointConfig, "settings">): TypeChoices {
  return {
    booleansAsTexts: settings["MapBooleanAsBoolean"] === false,
    jsonAsText: settings["MapJsonbAsClob"] === true,
    keepsSpaces: settings["TrimSpaceInChar"] === false,
  };
}

/** The table as the choices want it. Between PostgreSQL servers this changes nothing: a column goes by its native type. */
export function withChoices<Table extends Pick<TableSchema, "columns">>(
  table: Table,
  choices: TypeChoices,
): Table {
  return { ...table, columns: table.columns.map((column) => chosen(column, choices)) };
}

const LONGEST_WORD = "false".length;

function chosen(column: Column, { booleansAsTexts, jsonAsText, keepsSpaces }: TypeChoices): Column {
  const { type } = column;
  if (type.kind === "boolean" && booleansAsTexts) {
    return { ...column, convertsTo: { kind: "string", maxChars: LONGEST_WORD, fixed: false } };
  }
  if (type.kind === "json" && jsonAsText) return { ...column, convertsTo: { kind: "string", fixed: false } };
  if (type.kind === "string" && type.fixed && keepsSpaces) {
    return { ...column, type: { ...type, fixed: false } };
  }
  return column;
}
