import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointSetting } from "../core/engine.ts";
import { endpointFindings } from "./endpoint-findings.ts";

const known: readonly EndpointSetting[] = [
  { name: "Works", type: "string", appliesTo: "source", effective: true, describe: "Does it." },
  {
    name: "Beat",
    type: "boolean",
    appliesTo: "source",
    effective: false,
    describe: "No effect: it need not.",
  },
  {
    ...{ name: "Ddl", type: "boolean", default: true, appliesTo: "both" },
    ...{ effective: false, describe: "No effect: it does." },
  },
];

test("a setting without effect is told with the reason, where it asks for something", () => {
  const messages = (settings: Record<string, string | boolean>, role: "source" | "target"): string[] =>
    endpointFindings({ settings }, role, known).map(({ message }) => message);
  assert.deepEqual(messages({ Works: "x", Beat: false, Ddl: true }, "source"), []);
  assert.deepEqual(messages({ Beat: true }, "source"), [
    "The endpoint setting Beat is set on the source. No effect: it need not.",
  ]);
  assert.deepEqual(messages({ Works: "x" }, "target"), [
    "The endpoint setting Works is set on the target. It has an effect on a source alone.",
  ]);
});
