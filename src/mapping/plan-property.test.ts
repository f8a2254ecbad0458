import assert from "node:assert/strict";
import { test } from "node:test";
import { catalog, compile, foreignKey, index, type Rule, table } from "../../test/support/plan-situation.ts";
import { displayTable } from "../core/schema.ts";

test("random rules on random catalogs keep every table, key, sequence and name apart", () => {
  let state = 42;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!;
  const changes: readonly Rule[1][] = [
    "add-prefix",
    "add-suffix",
    "convert-uppercase",
    "rename",
    "remove-prefix",
  ];
  let clean = 0;
  for (let round = 0; round < 3000; round++) {
    const schemas = ["a", "b", "a_b"].slice(0, 1 + random(3));
    const tables = schemas.flatMap((schema) =>
      ["t", "u", "p_t"].slice(0, random(4)).map((name) =>
        table(`${schema}.${name}`, {
          indexes: [index(`${name}_pkey`), index("common")].slice(0, random(3)),
          foreignKeys: [foreignKey("f", `${pick(schemas)}.${pick(["t", "u"])}`)].slice(0, random(2)),
          estimatedBytes: random(4),
        }),
      ),
    );
    const rules = Array.from({ length: random(4) }, (): Rule => {
      const target = pick(["schema", "table"] as const);
      const locator =
        target === "schema" ? pick(["a", "%", "b%"]) : `${pick(["a", "%"])}.${pick(["t", "%", "p[_]%"])}`;
      return [target, pick(changes), locator, pick(["p_", "t", "B"])];
    });
    const situation = {
      catalog: catalog({ tables }),
      rules,
      ...(random(3) === 0 ? { targetSchema: "x" } : {}),
    };
    const { plan, findings } = compile(situation);
    const label = JSON.stringify({ rules, tables: tables.map((one) => displayTable(one.id)) });
    assert.equal(plan.tables.length, tables.length, label);
    assert.deepEqual(compile(situation), { plan, findings }, "the same again");
    for (const { source, target } of plan.tables) {
      assert.deepEqual(target.columns, source.columns);
      for (const key of target.foreignKeys) {
        assert.ok(
          plan.tables.some((one) => displayTable(one.target.id) === displayTable(key.references)),
          label,
        );
      }
      const leftOut = findings.filter(
        ({ code, table: about }) => code === "plan.reference_left_out" && about === source.id,
      );
      assert.equal(target.foreignKeys.length + leftOut.length, source.foreignKeys.length, label);
    }
    if (findings.some(({ severity }) => severity === "error")) continue;
    clean++;
    const relations = plan.tables.flatMap(({ target }) => [
      displayTable(target.id),
      ...target.indexes.map(({ name }) => `${target.id.schema}.${name}`),
    ]);
    assert.equal(new Set(relations).size, relations.length, `${label} ${relations}`);
  }
  assert.ok(clean > 500, `only ${clean} rounds without an error: the test no longer tests much`);
});
