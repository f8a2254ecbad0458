import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeTaskSettings } from "./settings.ts";
import { validationOnlyRefusal } from "./validation-only-refusal.ts";

const only = mergeTaskSettings(
  undefined,
  '{"ValidationSettings": {"EnableValidation": true, "ValidationOnly": true}}',
);
const plain = mergeTaskSettings(undefined, '{"ValidationSettings": {"EnableValidation": true}}');

test("a task that only compares either compares once or follows changes, and loads nothing", () => {
  assert.equal(validationOnlyRefusal({ type: "full-load", settings: only }), undefined);
  assert.equal(validationOnlyRefusal({ type: "cdc", settings: only }), undefined);
  const refusal = validationOnlyRefusal({ type: "full-load-and-cdc", settings: only });
  assert.match(refusal!.message, /full-load-and-cdc/);
  assert.equal(validationOnlyRefusal({ type: "full-load-and-cdc", settings: plain }), undefined);
});
