import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "./source-text.ts";

const path = "src/task/runner.ts";

test("imports are found in every form, with whether only types come in", () => {
  const { imports } = parse(
    path,
    [
      `import type { Plan } from "../core/plan.ts";`,
      `import { type Side, classify } from "./errors.ts";`,
      "import {",
      "  type One,",
      "  type Two,",
      `} from "../mapping/plan.ts";`,
      `import pg from "pg";`,
      `import "../base/log.ts";`,
      `export { thing } from "../api/thing.ts";`,
      `const later = await import("@aws-sdk/client-x/deep");`,
      `import { readFile } from "node:fs/promises";`,
    ].join("\n"),
  );
  assert.deepEqual(
    imports.map(({ line, typeOnly, file, module }) => [line, typeOnly, file ?? module]),
    [
      [1, true, "src/core/plan.ts"],
      [2, false, "src/task/errors.ts"],
      [3, true, "src/mapping/plan.ts"],
      [7, false, "pg"],
      [8, false, "src/base/log.ts"],
      [9, false, "src/api/thing.ts"],
      [11, false, "node:fs/promises"],
      [10, false, "@aws-sdk/client-x"],
    ],
  );
});

test("imports in comments do not count, and a URL is no comment", () => {
  const text = [
    `const url = "https://example.org"; // import { a } from "./a.ts";`,
    `/* import { b } from "./b.ts";`,
    `import { c } from "./c.ts"; */`,
    `import { d } from "./d.ts";`,
  ].join("\n");
  const { imports, code } = parse(path, text);
  assert.deepEqual(
    imports.map(({ line, file }) => [line, file]),
    [[4, "src/task/d.ts"]],
  );
  assert.ok(code.includes("https://example.org"));
  assert.equal(code.split("\n").length, 4);
});
