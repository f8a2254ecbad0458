import { type ColumnRow, columnOfRow, type FoundColumn } from "../catalog/catalog-columns.ts";
import type { TypeChoices } from "../catalog/type-map.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { namedCollation } from "./collation-name.ts";
import { shownDefault } from "./column-default.ts";
import { type ColumnText, UnreadDefinition } from "./column-text.ts";
import { columnTypeText, isString } from "./column-type.ts";

/** What decides what a definition means, beside its text. */
export interface DefinitionContext {
  readonly facts: ServerFacts;
  readonly choices: TypeChoices;
  /** The collation of a character set that comes without one, where that is certain. */
  readonly collations: ReadonlyMap<string, string>;
  /** Values that a column cannot have were errors. */
  readonly isStrict: boolean;
}

/** The column that the catalog will show. `collation`: the table's own. Throws UnreadDefinition. */
export function definedColumn(
  text: ColumnText,
  context: DefinitionContext,
  collation: string | undefined,
): FoundColumn {
  const { facts, choices } = context;
  const columnType = columnTypeText(text, facts);
  // Where a statement says neither, the server's explicit_defaults_for_timestamp does.
  if (/^timestamp/.test(columnType) && text.nullable === undefined) throw new UnreadDefinition();
  const isJson = text.type === "json" && facts.flavour === "mariadb";
  const nullable = text.nullable ?? (text.key !== "primary" && !text.autoIncrement);
  const parts = {
    ...{ columnType, nullable, value: text.default, autoIncrement: text.autoIncrement },
    updatesWithPrecision: text.updatesWithPrecision,
  };
  const shown = shownDefault(parts, facts);
  const row: ColumnRow = {
    ...{ schema: "", table: "", name: text.name, columnType, comment: text.comment, expression: null },
    nullable: nullable ? "YES" : "NO",
    defaultText: shown.defaultText,
    extra: text.invisible === true ? `${shown.extra} INVISIBLE`.trim() : shown.extra,
    collation: null,
  };
  if (isJson) return columnOfRow({ ...row, collation: "utf8mb4_bin" }, { choices, isJson, facts });
  if (!isString(columnType)) return columnOfRow(row, { choices, isJson, facts });
  const { charset, collation: named } = text;
  const chosen =
    charset === undefined && named === undefined
      ? collation
      : namedCollation({ charset, collation: named }, context);
  if (chosen === undefined) throw new UnreadDefinition();
  return columnOfRow({ ...row, collation: chosen }, { choices, isJson, facts });
}
