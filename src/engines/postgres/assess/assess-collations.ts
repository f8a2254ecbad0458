import type pg from "pg";
import type { CollationRules, SourceCollation } from "../../../core/collation.ts";
import type { Finding } from "../../../core/finding.ts";
import type { TablePlan } from "../../../core/plan.ts";
import { displayTable, type TableId, tableKey } from "../../../core/schema.ts";
import type { TargetAssessment } from "../../../core/target.ts";
import { finding, mends } from "../../shared/finding.ts";
import { identifier } from "../../shared/identifier.ts";
import { machineLocales, rulesHere } from "../catalog/collations.ts";
import { existingTables } from "../load/prepare.ts";

/** Collations of the source that the target lacks, or has under the same name with other rules. */
export async function assessCollations(
  client: pg.Client,
  { plan, mode, prepared, collations = [] }: TargetAssessment,
): Promise<readonly Finding[]> {
  if (collations.length === 0) return [];
  const here = await rulesHere(
    client,
    collations.map(({ id }) => id),
  );
  const locales = await machineLocales(client);
  const present = await existingTables(
    client,
    plan.tables.map(({ target }) => target.id),
  );
  const kept = new Set(present.map(tableKey));
  const isMade = ({ source, target }: TablePlan): boolean => {
    const isDropped = mode === "drop-and-create" && !prepared.has(tableKey(source.id));
    return isDropped || !kept.has(tableKey(target.id));
  };
  const tables = new Map(plan.tables.map((table) => [tableKey(table.source.id), table]));
  return collations.flatMap((collation, i) => {
    const rules = here.get(i);
    const having = collation.tables.flatMap((id) => tables.get(tableKey(id)) ?? []);
    if (rules !== undefined) return having.length === 0 ? [] : differing(collation, rules);
    const isThere = collation.own && (collation.provider !== "libc" || isKnown(collation.locale, locales));
    if (isThere || collation.id === undefined) return [];
    const { name } = collation.id;
    return having
      .filter((table) => isMade(table) && isNamed(name, table))
      .map(({ source }) => missing(source.id, collation));
  });
}

/** Whether what is made of a table names the collation: rules may leave its columns out. */
function isNamed(name: string, { target: { columns, indexes } }: TablePlan): boolean {
  const forms = [identifier(name), ...(/^[a-z_][a-z0-9_$]*$/.test(name) ? [name] : [])];
  const isOf = (text: string): boolean => forms.some((form) => text === form || text.endsWith(`.${form}`));
  const isIn = (text: string): boolean => forms.some((form) => text.includes(`COLLATE ${form}`));
  return (
    columns.some(({ collation }) => collation !== undefined && isOf(collation)) ||
    indexes.some(({ native }) => isIn(native))
  );
}

/** By every character's number, whoever does it. */
const PLAIN: ReadonlySet<string> = new Set(["C", "POSIX"]);

function isKnown(locale: string, locales: ReadonlySet<string>): boolean {
  return PLAIN.has(locale) || locales.has(locale);
}

function missing(table: TableId, { id, own, locale }: SourceCollation): Finding {
  const what = own ? `, whose locale ${locale} the target's machine has not` : ", which the target has not";
  return finding("target.collation_missing", "error", {
    subject: displayTable(table),
    table,
    message: `The table ${displayTable(table)} has columns or indexes of the collation ${nameOf(id)}${what}.`,
    ...mends("target", ["select pg_import_system_collations('pg_catalog');"], {
      as: "as a superuser, once its machine has the locale",
    }),
  });
}

function differing({ id, ...there }: SourceCollation, here: CollationRules): readonly Finding[] {
  const isOther = here.provider !== there.provider || here.locale !== there.locale;
  const isPlain = PLAIN.has(here.locale) && PLAIN.has(there.locale);
  const isOtherVersion =
    here.version !== undefined && there.version !== undefined && here.version !== there.version;
  if (isPlain || (!isOther && !isOtherVersion)) return [];
  return [
    finding("target.collation_differs", isOther ? "warning" : "info", {
      subject: id === undefined ? "default" : nameOf(id),
      message: `${id === undefined ? "The databases' own collations are" : `The collation ${nameOf(id)} is`} ${rulesText(there)} on the source, ${rulesText(here)} on the target.`,
    }),
  ];
}

function nameOf(id: TableId | undefined): string {
  if (id === undefined) return "of the database";
  return id.schema === "pg_catalog" ? id.name : displayTable(id);
}

function rulesText({ provider, locale, version }: CollationRules): string {
  return `${locale} of ${provider}${version === undefined ? "" : ` ${version}`}`;
}
