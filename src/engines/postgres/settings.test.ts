import assert from "node:assert/strict";
import { test } from "node:test";
import { endpointSettings } from "./settings.ts";

test("a setting without effect says so and why, and one with an effect says which", () => {
  for (const { name, effective, describe } of endpointSettings) {
    assert.equal(describe.startsWith("No effect: "), !effective, name);
    assert.ok(describe.length > 30, name);
  }
});

test("names are there once, and defaults lie among the values and within the range", () => {
  assert.equal(new Set(endpointSettings.map(({ name }) => name)).size, endpointSettings.length);
  for (const setting of endpointSettings) {
    const { type, values, min, max, name } = setting;
    assert.equal(type === "enum", values !== undefined, name);
    if (setting.default === undefined) continue;
    assert.equal(
      typeof setting.default,
      { enum: "string", integer: "number", string: "string", boolean: "boolean" }[type],
    );
    if (values !== undefined) assert.ok(values.includes(String(setting.default)), name);
    if (typeof setting.default === "number") {
      assert.ok(setting.default >= (min ?? -Infinity) && setting.default <= (max ?? Infinity), name);
    }
  }
});

test("a setting that holds a secret would be marked, and the endpoint's own members are not repeated", () => {
  const own = ["ServerName", "Port", "DatabaseName", "Username", "Password"];
  assert.deepEqual(
    endpointSettings.filter(({ name }) => own.includes(name)),
    [],
  );
});
