import { MigrationError } from "../core/error.ts";
import type { TableId, TableSchema } from "../core/schema.ts";
import { matchesTable, type SelectionRule, type TableMappings } from "./rules.ts";
import { escapeWildcards, matchesEveryName } from "./wildcard.ts";

/** What a rule's table-type tells apart. */
export type Relation = "table" | "view";

export function relationOf({ isView }: Pick<TableSchema, "isView">): Relation {
  return isView === true ? "view" : "table";
}

/** Whether a rule is about tables, or about views. */
export function isOfType({ tableType }: SelectionRule, relation: Relation): boolean {
  return tableType === "all" || tableType === relation;
}

/**
 * The tables, or the views, that the rules select, in the given order: those that an include or explicit rule
 * matches and no exclude rule does.
 */
export function selectTables(
  ids: readonly TableId[],
  mappings: TableMappings,
  relation: Relation = "table",
): readonly TableId[] {
  const rules = mappings.selections.filter((rule) => isOfType(rule, relation));
  const includes = rules.filter((rule) => rule.action !== "exclude");
  const excludes = rules.filter((rule) => rule.action === "exclude");
  return ids.filter(
    (id) =>
      includes.some((rule) => matchesTable(rule, id)) && !excludes.some((rule) => matchesTable(rule, id)),
  );
}

/**
 * The schemas of which everything is moved, also what is no table: an include rule takes all their tables
 * (`%`), and no exclude rule takes all away again. Single tables may still be excluded.
 */
export function wholeSchemas(schemas: readonly string[], mappings: TableMappings): readonly string[] {
  const everyTable = mappings.selections.filter(
    (rule) => isOfType(rule, "table") && matchesEveryName(rule.table),
  );
  const matched = (schema: string, excludes: boolean): boolean =>
    everyTable.some((rule) => (rule.action === "exclude") === excludes && rule.schema.matches(schema));
  return schemas.filter((schema) => matched(schema, false) && !matched(schema, true));
}

/**
 * A selected table's `load-order`: that of an explicit rule before that of an include rule, among
 * these the rule with the lowest id that states one; 0 when none does.
 */
export function loadOrderOf(table: Pick<TableSchema, "id" | "isView">, mappings: TableMappings): number {
  const stating = selectingRules(table, mappings).filter(({ loadOrder }) => loadOrder !== undefined);
  const rule = stating.find(({ action }) => action === "explicit") ?? stating[0];
  return rule?.loadOrder ?? 0;
}

/** The rules by which a table or a view is selected. */
export function selectingRules(
  table: Pick<TableSchema, "id" | "isView">,
  { selections }: TableMappings,
): readonly SelectionRule[] {
  const relation = relationOf(table);
  return selections.filter(
    (rule) => rule.action !== "exclude" && isOfType(rule, relation) && matchesTable(rule, table.id),
  );
}

/** Whether a table is selected by a rule that is about few tables, and not about all whose names have something in common. */
export function isNamed(id: TableId, mappings: TableMappings): boolean {
  return selectingRules({ id }, mappings).some(({ namesTable }) => namesTable);
}

/** Whether views are selected, too. */
export function takesViews({ selections }: TableMappings): boolean {
  return selections.some((rule) => rule.action !== "exclude" && isOfType(rule, "view"));
}

/**
 * The command line's --include and --exclude as a DMS table mappings document (JSON text).
 *
 * A pattern is `schema.table`, case-sensitive. In it `*` and `%` stand for any run of characters and
 * `?` for one; everything else, `_` and `[` too, is literal. Between double quotes all characters are
 * literal, `""` being a quote: `"my.schema"."50%"`. Without includes, every table is included.
 * Throws `usage.invalid` for a pattern that is not of that form.
 */
export function mappingsFromPatterns(include: readonly string[], exclude: readonly string[]): string {
  const included = include.length === 0 ? ["%.%"] : include;
  const rules = [
    ...included.map((pattern) => ({ pattern, action: "include" })),
    ...exclude.map((pattern) => ({ pattern, action: "exclude" })),
  ];
  return JSON.stringify({
    rules: rules.map(({ pattern, action }, index) => {
      const [schema, table] = splitPattern(pattern);
      return {
        "rule-type": "selection",
        "rule-id": `${index + 1}`,
        "rule-name": `${action} ${pattern}`,
        "object-locator": { "schema-name": schema, "table-name": table },
        "rule-action": action,
      };
    }),
  });
}

/** The two halves as DMS patterns. */
function splitPattern(pattern: string): readonly [schema: string, table: string] {
  const parts: string[] = [];
  let rest = pattern;
  while (true) {
    const part = /^(?:"((?:[^"]|"")+)"|([^".]+))(\.|$)/su.exec(rest);
    if (part === null) throw malformed(pattern);
    const [whole, quoted, plain, end] = part;
    parts.push(quoted === undefined ? plainPart(plain!) : escapeWildcards(quoted.replaceAll('""', '"')));
    if (end === "") break;
    rest = rest.slice(whole.length);
  }
  const [schema, table] = parts;
  if (schema === undefined || table === undefined || parts.length > 2) throw malformed(pattern);
  return [schema, table];
}

const WILDCARDS: Readonly<Record<string, string>> = { "*": "%", "%": "%", "?": "_" };

function plainPart(text: string): string {
  return text.replaceAll(/[*%?_[]/gu, (character) => WILDCARDS[character] ?? escapeWildcards(character));
}

function malformed(pattern: string): MigrationError {
  return new MigrationError("usage.invalid", {
    message: `The table pattern ${JSON.stringify(pattern)} is not of the form schema.table.`,
    subject: pattern,
    remedy:
      "Write schema.table, with * for any characters and ? for one, e.g. 'app.*' or '*.orders'; " +
      "put a name that holds a dot between double quotes.",
  });
}
