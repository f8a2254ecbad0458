import assert from "node:assert/strict";
import { test } from "node:test";
import { people } from "../../../test/support/mapped-people.ts";
import { catalog, columnRule, compile, foreignKey, table } from "../../../test/support/plan-situation.ts";
import { readTable } from "../../core/plan.ts";

const ACTIONS: readonly (readonly [action: string, more: object])[] = [
  ["rename", { value: "same" }],
  ["remove-prefix", { value: "n" }],
  ["replace-suffix", { "old-value": "e", value: "E" }],
  ["convert-uppercase", {}],
  ["remove-column", {}],
  ["include-column", {}],
  ["change-data-type", { "data-type": { type: "string", length: 64 } }],
  ["change-data-type", { "data-type": { type: "int4" } }],
  ["data-masking-hash-mask", {}],
  ["data-masking-digits-mask", { value: "0" }],
  ["add-column", { value: "x", expression: "$id || $name", "data-type": { type: "string" } }],
  ["add-before-image-columns", { "before-image-def": { "column-filter": "all" } }],
];
const COLUMNS = ["id", "name", "ssn", "age", "upper_name", "%", "%n%"];

test("random rules leave plans whose parts speak of columns that are there, and name every fault", () => {
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!;
  const byUpper = { name: "by_upper", unique: false, constraint: undefined, columns: ["upper_name"] };
  const indexes = [...people().indexes, { ...byUpper, native: "USING btree (upper_name)" }];
  let clean = 0;
  for (let round = 0; round < 3000; round++) {
    const others = Array.from({ length: random(5) }, (_, i) => {
      const [action, more] = pick(ACTIONS);
      return columnRule(i + 1, action, action.startsWith("add-") ? "%" : pick(COLUMNS), more);
    });
    const rowIdentity = pick(["key", "full"] as const);
    const referring = table("app.orders", { foreignKeys: [foreignKey("f", "app.people")] });
    const situation = {
      catalog: catalog({ tables: [people({ rowIdentity, indexes }), referring] }),
      ...{ others, replicates: random(2) === 0 },
    };
    const { plan, findings } = compile(situation);
    const label = JSON.stringify(others);
    assert.deepEqual(compile(situation), { plan, findings }, "the same again");
    for (const one of plan.tables) {
      const { source, target, rows } = one;
      const names = target.columns.map(({ name }) => name);
      const reads = readTable(one);
      assert.equal(source.columns.length, names.length, label);
      assert.equal(rows?.columns.length ?? reads.columns.length, names.length, label);
      assert.deepEqual(target.key, source.key);
      const keys = source.key.map((ordinal) => source.columns[ordinal]!.name);
      const own = reads.key.map((ordinal) => reads.columns[ordinal]!.name);
      assert.ok(keys.length === 0 || keys.join() === own.join(), label);
      const speaksOf = [...target.indexes, ...target.foreignKeys].flatMap(({ columns }) => columns ?? []);
      for (const name of speaksOf) assert.ok(names.includes(name), `${label} ${name}`);
      for (const { references, referencedColumns } of target.foreignKeys) {
        const other = plan.target.tables.find(({ id }) => id.name === references.name)!;
        const there = other.columns.map(({ name }) => name);
        assert.ok(
          referencedColumns.every((name) => there.includes(name)),
          label,
        );
      }
      for (const [i, origin] of (rows?.columns ?? []).entries()) {
        if (origin.kind === "expression") continue;
        assert.deepEqual(source.columns[i]!.type, reads.columns[origin.ordinal]!.type, label);
      }
      const hasErrors = findings.some(
        ({ severity, table: about }) => severity === "error" && about === source.id,
      );
      if (hasErrors) continue;
      clean++;
      assert.equal(new Set(names).size, names.length, label);
      assert.ok(names.length > 0, label);
    }
  }
  assert.ok(clean > 2000, `only ${clean} tables without an error: the test no longer tests much`);
});
