import { errorTable } from "../core/error-table.ts";
import type { Finding } from "../core/finding.ts";
import type { Catalog, TableId } from "../core/schema.ts";
import { isAbout } from "./columns/column-choice.ts";
import { type ColumnRule, matchesTable, type SelectionRule, type TableMappings } from "./rules.ts";
import { isOfType, type Relation } from "./selection.ts";
import { matchesEveryName, type NamePattern } from "./wildcard.ts";

/**
 * Rules that match nothing: a name that is mistyped would leave a column unmasked, or move a table that was to stay, without
 * a word. Rules for every name are meant for whatever there is, and so are not mistyped.
 */

/** Rules that are to act on what is selected; the catalog holds that alone. */
export function unmatchedRules(
  mappings: TableMappings,
  { schemas, tables }: Pick<Catalog, "schemas" | "tables">,
): readonly Finding[] {
  const aboutTables = [
    ...mappings.tableRules,
    ...mappings.addedColumns,
    ...mappings.beforeImages,
    ...mappings.keyRules,
    ...mappings.tableSettings,
  ];
  const matchesColumn = (rule: ColumnRule): boolean =>
    tables.some(
      ({ id, columns }) => matchesTable(rule, id) && columns.some((column) => isAbout(rule, column)),
    );
  const lost = {
    schema: mappings.schemaRules.filter(({ schema }) => !schemas.some(({ name }) => schema.matches(name))),
    table: aboutTables.filter((rule) => !tables.some(({ id }) => matchesTable(rule, id))),
    column: mappings.columnRules.filter((rule) => !matchesColumn(rule)),
  };
  return [
    ...lost.schema.flatMap((rule) => unmatched(rule.id, [rule.schema], "schema that is selected")),
    ...lost.table.flatMap((rule) => unmatched(rule.id, locator(rule), "table that is selected")),
    ...lost.column.flatMap((rule) =>
      unmatched(rule.id, [...locator(rule), rule.column], "column of the selected tables"),
    ),
  ];
}

/** What a source has. */
export interface SourceRelations {
  readonly tables: readonly TableId[];
  /** Undefined: not known. */
  readonly views: readonly TableId[] | undefined;
  /** See Source; none of theirs is among the others. */
  readonly systemSchemas: readonly string[];
}

/**
 * Selection rules that match none of what the source has. Without views, nothing is said of rules about views alone; nor of
 * rules that leave out what never comes.
 */
export function unmatchedSelections(
  { selections }: TableMappings,
  { tables, views, systemSchemas }: SourceRelations,
): readonly Finding[] {
  const listed: Readonly<Record<Relation, readonly TableId[] | undefined>> = { table: tables, view: views };
  const known = (["table", "view"] as const).filter((relation) => listed[relation] !== undefined);
  const isOfSystem = ({ action, schema }: SelectionRule): boolean =>
    action === "exclude" &&
    systemSchemas.some((name) => schema.matches(name)) &&
    ![...tables, ...(views ?? [])].some((id) => schema.matches(id.schema));
  return selections.flatMap((rule) => {
    const asked = known.filter((relation) => isOfType(rule, relation));
    const isMatched = asked.length === 0 || asked.some((relation) => takesAny(rule, listed[relation]!));
    if (isMatched || isOfSystem(rule)) return [];
    return unmatched(rule.id, locator(rule), `${asked.join(" or ")} of the source`);
  });
}

function takesAny(rule: SelectionRule, ids: readonly TableId[]): boolean {
  return ids.some((id) => matchesTable(rule, id));
}

function locator({ schema, table }: Pick<SelectionRule, "schema" | "table">): readonly NamePattern[] {
  return [schema, table];
}

function unmatched(id: number, patterns: readonly NamePattern[], what: string): readonly Finding[] {
  if (patterns.every(matchesEveryName)) return [];
  const locator = patterns.map(({ text }) => text).join(".");
  return [
    {
      ...{ code: "mapping.rule_unmatched", severity: "warning", subject: `rule ${id}` },
      message: `Rule ${id} for ${locator} matches no ${what}.`,
      remedy: errorTable["mapping.rule_unmatched"].remedy,
    },
  ];
}
