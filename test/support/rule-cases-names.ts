import { about, type RuleCase } from "./rule-case.ts";

/* Rules that change names: of the case's schema, of its table, or of a column. */

/** Members of a rule for each action, and what it makes of the name `Old_{n}_Name`. */
const changes = {
  rename: [{ value: "Other{n}" }, "Other{n}"],
  "convert-lowercase": [{}, "old_{n}_name"],
  "convert-uppercase": [{}, "OLD_{n}_NAME"],
  "add-prefix": [{ value: "My" }, "MyOld_{n}_Name"],
  "remove-prefix": [{ value: "Old_" }, "{n}_Name"],
  "replace-prefix": [{ "old-value": "Old", value: "New" }, "New_{n}_Name"],
  "add-suffix": [{ value: "2" }, "Old_{n}_Name2"],
  "remove-suffix": [{ value: "_Name" }, "Old_{n}"],
  "replace-suffix": [{ "old-value": "Name", value: "End" }, "Old_{n}_End"],
} as const;

const OLD = "Old_{n}_Name";

function nameCases(
  target: "schema" | "table" | "column",
  locator: object,
): readonly (readonly [string, RuleCase])[] {
  return Object.entries(changes).map(([action, [members, name]]) => {
    const table = `"${target === "schema" ? name : "{schema}"}"."${target === "table" ? name : OLD}"`;
    const column = target === "column" ? name : OLD;
    const one: RuleCase = {
      rules: [about(target, action, locator, members)],
      made: `create table "${OLD}" (id int primary key, "${OLD}" varchar(20));
        insert into "${OLD}" values (1, 'one'), (2, 'two'), (3, 'three')`,
      changed: `insert into "${OLD}" values (4, 'four'); update "${OLD}" set "${OLD}" = 'zwei' where id = 2;
        delete from "${OLD}" where id = 3`,
      query: `select id, "${column}" from ${table} order by id`,
      loaded: [
        ["1", "one"],
        ["2", "two"],
        ["3", "three"],
      ],
      after: [
        ["1", "one"],
        ["2", "zwei"],
        ["4", "four"],
      ],
    };
    return [`${action} of a ${target}`, one];
  });
}

export const ruleNameCases: ReadonlyMap<string, RuleCase> = new Map([
  ...nameCases("schema", {}),
  ...nameCases("table", { "table-name": OLD }),
  ...nameCases("column", { "table-name": "%", "column-name": OLD }),
]);
