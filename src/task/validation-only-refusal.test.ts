import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeTaskSettings } from "./settings.ts";
import { validationOnlyRefusal } from "./validation-only-refusal.ts";

const only = mergeTaskSettings(
  undefined,
  '{"ValidationSettings": {"EnableValidation": true, "ValidationOnly": true}}',
);
const plain = mergeTaskSettings(undefined, '{"ValidationSettings": {"EnableValidation": true}}');

test("of the types of tasks a full load alone can only compare", () => {
  assert.equal(validationOnlyRefusal({ type: "full-load", settings: only }), undefined);
  assert.match(validationOnlyRefusal({ type: "cdc", settings: only })!.message, /\(cdc\)/);
  assert.match(
    validationOnlyRefusal({ type: "full-load-and-cdc", settings: only })!.message,
    /full-load-and-cdc/,
  );
  assert.equal(validationOnlyRefusal({ type: "full-load-and-cdc", settings: plain }), undefined);
});
