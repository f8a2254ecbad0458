import type { MigrationPlan } from "../../src/core/plan.ts";
import { dataTypeNames } from "../../src/mapping/document/data-types.ts";
import { catalog, column, columnRule, compile, table } from "./plan-situation.ts";

/** What else a type of DMS is told. */
const MEMBERS: Readonly<Record<string, object>> = {
  ...{ string: { length: 9 }, wstring: { length: 9 }, bytes: { length: 9 } },
  ...{ numeric: { precision: 12, scale: 3 }, time: { precision: 3 }, datetime: { precision: 3 } },
};

/** A plan of a table with a column for each type of DMS, added by a rule and named after it. */
export function typesByRule(dialect: string): MigrationPlan {
  const columns = [column("id", { kind: "int", bits: 32, unsigned: false }, { nativeType: "int" })];
  const others = dataTypeNames.map((name, i) =>
    columnRule(i + 1, "add-column", "%", { value: name, "data-type": { type: name, ...MEMBERS[name] } }),
  );
  return compile({ catalog: catalog({ dialect, tables: [table("app.t", { columns })] }), others }).plan;
}

/** The target's native types by the names of the columns that rules have added. */
export function ruledTypes({ tables, target }: MigrationPlan): Readonly<Record<string, string>> {
  const made = tables[0]!.target.columns.slice(1).map(({ name, nativeType }) => [name, nativeType] as const);
  const listed = target.tables[0]!.columns.slice(1).map(
    ({ name, nativeType }) => [name, nativeType] as const,
  );
  if (JSON.stringify(made) !== JSON.stringify(listed)) throw new Error("The plan's tables are two.");
  return Object.fromEntries(made);
}
