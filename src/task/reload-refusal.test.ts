import assert from "node:assert/strict";
import { test } from "node:test";
import type { MigrationType } from "../core/source.ts";
import { reloadRefusal } from "./reload-refusal.ts";

const loopless = JSON.stringify({ LoopbackPreventionSettings: { EnableLoopbackPrevention: true } });

const compares = JSON.stringify({ ValidationSettings: { EnableValidation: true, ValidationOnly: true } });

const cases: readonly (readonly [type: MigrationType, settings: string, refusal: RegExp | undefined])[] = [
  ["full-load", "{}", undefined],
  ["full-load-and-cdc", "{}", undefined],
  ["full-load", loopless, undefined],
  ["full-load-and-cdc", loopless, /EnableLoopbackPrevention/],
  ["cdc", "{}", /\(cdc\)/],
  ["full-load", compares, /ValidationOnly/],
  ["cdc", compares, /ValidationOnly/],
];

for (const [type, settings, refusal] of cases) {
  test(`tables of a ${type} task with settings ${settings} can ${refusal === undefined ? "" : "not "}be loaded again`, () => {
    const message = reloadRefusal({ type, settings })?.message;
    if (refusal === undefined) assert.equal(message, undefined);
    else assert.match(message ?? "", refusal);
  });
}
