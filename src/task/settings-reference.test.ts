import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { errorTable } from "../core/error-table.ts";
import { taskSettings } from "./settings-table.ts";

function page(name: string): string {
  return readFileSync(new URL(`../../docs/reference/${name}`, import.meta.url), "utf8");
}

test("docs/reference is what the tables say now; if not, run node scripts/reference.ts", () => {
  const script = fileURLToPath(new URL("../../scripts/reference.ts", import.meta.url));
  const check = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  assert.equal(check.stderr, "");
  assert.equal(check.status, 0);
});

test("the pages hold every error code and every task setting", () => {
  const errors = page("errors.md");
  for (const code of Object.keys(errorTable)) assert.ok(errors.includes(`\`${code}\` |`), code);
  const settings = page("settings.md");
  for (const { name, effect } of taskSettings) {
    const cell = "does" in effect ? `| **\`${name}\`** |` : `| \`${name}\` |`;
    assert.ok(settings.includes(cell), name);
  }
});
