import type { MigrationPlan, TablePlan } from "../../../core/plan.ts";
import { type Column, displayTable } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import { hasChecks, hasInvisibleColumns, hasReferences } from "../catalog/ddl.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { withTables } from "./convert-sequences.ts";
import { mysqlType } from "./convert-type.ts";
import { withZeroDates } from "./convert-zero-dates.ts";

/** A plan of one MySQL or MariaDB for another one, which may lack some of its types and collations. */
export function convertSame(plan: MigrationPlan, facts: ServerFacts, notes: ConvertNotes): MigrationPlan {
  const isFromMysql = plan.target.serverVersion.startsWith("MySQL ");
  const tables = plan.tables.map((table) => {
    if (isFromMysql) tellBackslashes(table, notes);
    return sameTable(table, facts, notes);
  });
  return withTables(plan, tables, notes);
}

/** MySQL reads them as the session does that writes a row, MariaDB always in one way. */
function tellBackslashes({ source, target }: TablePlan, notes: ConvertNotes): void {
  for (const { name, generated } of target.columns) {
    if (generated?.includes("\\") !== true) continue;
    const how = `The source computes the column ${name} with other backslashes in sessions of NO_BACKSLASH_ESCAPES; the target computes it as in all others.`;
    notes.about(source, "convert.generated", how);
  }
}

function sameTable(plan: TablePlan, facts: ServerFacts, notes: ConvertNotes): TablePlan {
  const { source, target } = plan;
  const isHidden = target.columns.every(({ invisible }) => invisible === true);
  const columns = target.columns.map((column) => {
    const same = sameColumn(column, facts);
    const made = isHidden || !mayHide(same, facts) ? shown(same) : same;
    if (made.invisible !== column.invisible) {
      notes.together(`${displayTable(source.id)}.${column.name}`, {
        ...{ code: "convert.type", severity: "info", subject: "invisible" },
        message: "Invisible columns, which the target cannot have in this way, become ordinary ones",
      });
    }
    if (made.nativeType !== column.nativeType && column.typedByRule !== true) {
      notes.together(`${displayTable(source.id)}.${column.name}`, {
        ...{ code: "convert.type", severity: "info", subject: `${column.nativeType} to ${made.nativeType}` },
        message: `Columns of the type ${column.nativeType}, which the target has not, become ${made.nativeType}`,
      });
    }
    if (made.collation !== column.collation) {
      notes.together(`${displayTable(source.id)}.${column.name}`, {
        ...{ code: "convert.collation", severity: "warning", subject: column.collation! },
        message: `Columns of the collation ${column.collation}, which the target has not, get ${made.collation}`,
      });
    }
    if (column.default !== undefined && made.default === undefined) {
      notes.together(`${displayTable(source.id)}.${column.name}`, {
        ...{ code: "convert.default", severity: "info", subject: "defaults" },
        message: "Defaults of columns have no equal here and are left out",
      });
    }
    return made;
  });
  const hasThem = hasChecks(facts);
  if (!hasThem && target.checks.length > 0) {
    const named = target.checks.map(({ name }) => name).join(", ");
    notes.about(source, "convert.check", `The target has no checks; they are left out: ${named}.`, "info");
  }
  return withZeroDates({ ...plan, target: { ...target, columns, checks: hasThem ? target.checks : [] } });
}

/** MariaDB wants a value for what an INSERT does not name. */
function mayHide({ nullable, default: value, identity, generated }: Column, facts: ServerFacts): boolean {
  if (!hasInvisibleColumns(facts)) return false;
  const hasValue = nullable || value !== undefined || identity !== undefined || generated !== undefined;
  return facts.flavour === "mysql" || hasValue;
}

function shown({ invisible: _invisible, ...column }: Column): Column {
  return column;
}

function sameColumn(column: Column, facts: ServerFacts): Column {
  const isRuled = column.typedByRule === true;
  const nativeType = isRuled ? mysqlType(column, facts).native : sameType(column, facts);
  const { collation, default: value, ...rest } = column;
  const isText = nativeType !== "json" && nativeType !== "uuid";
  const made = { ...rest, nativeType };
  const sameDefault = value === undefined ? undefined : defaultHere(value, nativeType, facts);
  return {
    ...made,
    ...(sameDefault === undefined ? {} : { default: sameDefault }),
    ...(collation === undefined || !isText ? {} : { collation: collationHere(collation, facts) }),
  };
}

function sameType({ nativeType, type: { kind } }: Column, facts: ServerFacts): string {
  if (facts.flavour === "mysql") {
    if (nativeType === "uuid") return "char(36)";
    if (nativeType === "inet4") return "varchar(15)";
    if (nativeType === "inet6") return "varchar(39)";
  } else if (nativeType === "uuid" && !atLeast(facts, 10, 7)) return "char(36)";
  else if (nativeType === "inet4" && !atLeast(facts, 10, 10)) return "varchar(15)";
  const type = nativeType.replace(/\s*\/\*M?!\d+.*?\*\//g, "");
  return hasReferences(facts) || kind !== "bytes" ? type : type.replace(/ srid \d+$/, "");
}

/** The nearest that every server has: what takes case and accents into account or not, as before. */
function collationHere(collation: string, facts: ServerFacts): string {
  const isMysql8 = facts.flavour === "mysql" && atLeast(facts, 8);
  const character = collation.split("_")[0]!.replace("utf8mb3", "utf8");
  if (/_0900_/.test(collation)) {
    if (isMysql8) return collation;
    if (/_bin$/.test(collation)) return facts.flavour === "mariadb" ? "utf8mb4_nopad_bin" : "utf8mb4_bin";
    if (/_as_cs$/.test(collation)) return "utf8mb4_bin";
    return facts.flavour === "mariadb" ? "utf8mb4_unicode_520_nopad_ci" : "utf8mb4_unicode_520_ci";
  }
  if (/uca1400/.test(collation)) {
    if (facts.flavour === "mariadb" && atLeast(facts, 10, 10)) return collation;
    const name = character === "uca1400" ? "utf8mb4" : character;
    if (/_as_cs$|_cs$/.test(collation)) return isMysql8 ? "utf8mb4_0900_as_cs" : `${name}_bin`;
    return isMysql8 ? "utf8mb4_0900_ai_ci" : `${name}_unicode_520_ci`;
  }
  if (/nopad/.test(collation) && facts.flavour === "mysql") {
    if (isMysql8 && collation === "utf8mb4_nopad_bin") return "utf8mb4_0900_bin";
    return collation.replace("_nopad", "").replace(/^utf8mb3/, "utf8");
  }
  // MySQL 5.7 has this name alone for it, and the others know it, too.
  return collation.replace(/^utf8mb3_/, "utf8_");
}

/** Older MySQL has no expressions as defaults, and no defaults for what may have any length. */
function defaultHere(value: string, nativeType: string, facts: ServerFacts): string | undefined {
  if (facts.flavour === "mariadb" || atLeast(facts, 8, 0, 13)) {
    const isLong = /^(?:tiny|medium|long)?(?:text|blob)|^json|^geometry/i.test(nativeType);
    return isLong && facts.flavour === "mysql" && !value.startsWith("(") ? `(${value})` : value;
  }
  if (/^(?:tiny|medium|long)?(?:text|blob)|^json/i.test(nativeType)) return undefined;
  const isPlain = /^(?:'|b'|x'|-?[\d.]|null\b|current_timestamp|on update)/i.test(value);
  return isPlain ? value : undefined;
}
