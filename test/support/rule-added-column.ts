import type { Kind } from "./mapped-move.ts";
import { about, type ByKind, ofKind, type Rows, type RuleCase } from "./rule-case.ts";

/** The table to which rules add a column, and its changes. */
export const ADDED_TO = `create table t (id int primary key, v varchar(20));
  insert into t values (1, 'one'), (2, 'two'), (3, 'three')`;
const CHANGED = `insert into t values (4, 'four'); update t set v = 'zwei' where id = 2; delete from t where id = 3`;

interface Shown extends Pick<RuleCase, "loaded" | "after"> {
  /** What is asked of the column; left out: its value. */
  readonly shown?: ByKind<string>;
}

export function added(expression: string, type: object, { shown = '"added"', ...rows }: Shown): RuleCase {
  const query = (kind: Kind): string => `select id, ${ofKind(shown, kind)} from "{schema}".t order by id`;
  return {
    rules: [
      about("column", "add-column", { "table-name": "t" }, { value: "added", expression, "data-type": type }),
    ],
    ...{ made: ADDED_TO, changed: CHANGED, ...rows },
    query: { postgres: query("postgres"), mariadb: query("mariadb") },
  };
}

/** Rows 1, 2 and 3, and then 1, 2 and 4, with what stands beside each. */
export function besideIds(
  loaded: readonly (string | null)[],
  after: readonly (string | null)[],
): { readonly loaded: Rows; readonly after: Rows } {
  return {
    loaded: loaded.map((value, at) => [String(at + 1), value]),
    after: after.map((value, at) => [String([1, 2, 4][at]), value]),
  };
}
