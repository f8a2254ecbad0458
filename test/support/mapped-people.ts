import type { Finding } from "../../src/core/finding.ts";
import type { TablePlan } from "../../src/core/plan.ts";
import type { TableSchema } from "../../src/core/schema.ts";
import { catalog, column, compile, table } from "./plan-situation.ts";

export const INT = { kind: "int", bits: 64, unsigned: false } as const;
export const TEXT = { kind: "string", fixed: false } as const;

/** A table with a key, a unique index, an index of an expression, a check and a generated column. */
export function people(more: Partial<TableSchema> = {}): TableSchema {
  return table("app.people", {
    columns: [
      column("id", INT, { nullable: false, identity: "always" }),
      column("name", { kind: "string", fixed: false, maxChars: 80 }),
      column("ssn", { kind: "string", fixed: false, maxChars: 64 }),
      column("age", INT, { default: "1" }),
      column("upper_name", TEXT, { generated: "upper(name)" }),
    ],
    indexes: [
      {
        name: "people_pkey",
        unique: true,
        constraint: "primary-key",
        columns: ["id"],
        native: "PRIMARY KEY (id)",
      },
      { name: "by_ssn", unique: true, constraint: undefined, columns: ["ssn"], native: "USING btree (ssn)" },
      {
        name: "by_age",
        unique: false,
        constraint: undefined,
        columns: ["age"],
        native: "USING btree (age DESC)",
      },
      {
        name: "by_lower",
        unique: false,
        constraint: undefined,
        columns: undefined,
        native: "USING btree (lower(name))",
      },
    ],
    checks: [{ name: "grown", native: "CHECK ((age > 17))", validated: true }],
    ...more,
  });
}

interface Compiled {
  readonly plan: TablePlan;
  readonly findings: readonly Finding[];
  readonly said: readonly string[];
}

/** What rules of a document make of `people`. */
export function mapped(
  others: readonly object[],
  more: Partial<TableSchema> = {},
  replicates = false,
): Compiled {
  const { plan, findings } = compile({ catalog: catalog({ tables: [people(more)] }), others, replicates });
  return {
    plan: plan.tables[0]!,
    findings,
    said: findings.map(({ code, severity, message }) => `${severity} ${code}: ${message}`),
  };
}

/** Of the columns on both sides. */
export function names(plan: TablePlan): readonly (readonly string[])[] {
  return [plan.source, plan.target].map(({ columns }) => columns.map(({ name }) => name));
}
