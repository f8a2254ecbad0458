import type { TablePlan } from "../../../core/plan.ts";
import type { Check } from "../../../core/schema.ts";
import type { ConvertNotes } from "../../shared/convert/convert-notes.ts";
import { hasChecks } from "../catalog/ddl.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { convertExpression, type ExpressionContext } from "./convert-expression.ts";
import type { DatabaseNames } from "./convert-names.ts";

export interface ChecksContext {
  readonly facts: ServerFacts;
  readonly notes: ConvertNotes;
  readonly expressions: ExpressionContext;
  readonly names: DatabaseNames;
}

/** The checks of a table of PostgreSQL that mean the same here; the others are told. */
export function convertChecks(plan: TablePlan, context: ChecksContext): readonly Check[] {
  const { facts, notes, names } = context;
  const { source, target } = plan;
  const left: string[] = [];
  const checks = target.checks.flatMap((check) => {
    const here = hasChecks(facts) ? conditionOf(plan, check, context) : undefined;
    if (here === undefined) {
      left.push(check.name);
      return [];
    }
    const { comment: _comment, ...rest } = check;
    return { ...rest, name: names.take(target.id, check.name), native: `check ${here}` };
  });
  if (left.length > 0) {
    notes.about(
      source,
      "convert.check",
      `Checks have no equal here and are left out: ${left.join(", ")}.`,
      "info",
    );
  }
  return checks;
}

/** Rows may violate one that is not validated. */
function conditionOf(
  plan: TablePlan,
  check: Check,
  { facts, expressions }: ChecksContext,
): string | undefined {
  const [, condition] = /^check (\(.*\))(?: no inherit)?$/is.exec(check.native.trim()) ?? [];
  if (condition === undefined || !check.validated) return undefined;
  const columns = withoutUnfit(plan, expressions.columns, facts);
  const value = convertExpression(condition, { ...expressions, columns });
  return value?.kind === "boolean" && value.sql.startsWith("(") ? value.sql : undefined;
}

/** On MySQL no check may be about a column that a foreign key changes. */
function withoutUnfit(
  { target }: TablePlan,
  columns: ExpressionContext["columns"],
  facts: ServerFacts,
): ExpressionContext["columns"] {
  if (facts.flavour === "mariadb") return columns;
  const acting = target.foreignKeys.filter(({ native }) =>
    /on update cascade|set (?:null|default)/i.test(native),
  );
  const changed = new Set(acting.flatMap((key) => key.columns));
  return new Map([...columns].filter(([name]) => !changed.has(name)));
}
