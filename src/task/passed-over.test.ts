import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { readSources } from "../../test/source-text.ts";
import type { ErrorKind } from "../core/error.ts";
import { errorTable } from "../core/error-table.ts";
import { type Finding, ifIgnored } from "../core/finding.ts";
import { readPassedOver, withPassedOver } from "./passed-over.ts";
import { mergeTaskSettings, readTaskSettings } from "./settings.ts";

const kinds = new Map<string, ErrorKind>(Object.entries(errorTable));

const document = (...texts: readonly unknown[]): string =>
  JSON.stringify({ TidewaySettings: { AssessmentPassOver: texts } });

const finding: Finding = {
  ...{ code: "source.table_privilege", severity: "error", subject: "shop.orders" },
  ...{ table: { schema: "shop", name: "orders" }, message: "It may not be read.", remedy: "Grant it." },
};

test("an error that is named is a warning that says so, with what happens then", () => {
  for (const text of ["source.table_privilege", "source.table_privilege:shop.orders"]) {
    const told = withPassedOver(finding, readPassedOver([text]));
    assert.equal(told.severity, "warning");
    assert.equal(told.message, "It may not be read. This is passed over as told.");
    assert.match(ifIgnored(told), /moved all the same/);
  }
});

test("of another object, of another code, and what is no error, are left as they are", () => {
  const others = ["source.table_privilege:shop.order", "source.privilege", "source.privilege:shop.orders"];
  assert.equal(withPassedOver(finding, readPassedOver(others)), finding);
  const warning: Finding = { ...finding, severity: "warning" };
  assert.equal(withPassedOver(warning, readPassedOver([finding.code])), warning);
});

test("an object may have a colon, as a host with its port has", () => {
  assert.deepEqual(readPassedOver(["target.read_only:db:5432"]), [
    { code: "target.read_only", subject: "db:5432" },
  ]);
});

const path = "The task setting TidewaySettings.AssessmentPassOver";
const refusals: readonly (readonly [text: unknown, message: string])[] = [
  [
    "source.wal_levle",
    `${path} names "source.wal_levle", which is no code of a finding; the nearest is source.wal_level.`,
  ],
  [
    "Source.No_Key",
    `${path} names "Source.No_Key", which is no code of a finding; the nearest is source.no_key.`,
  ],
  [
    "source.no_key:shop.orders",
    `${path} names source.no_key, which cannot be passed over: Changes of the table are not published, and would be missing.`,
  ],
  ["target.busy", `${path} names target.busy, which is no error that an assessment finds.`],
  ["source.privilege:", `${path} names no object behind the colon of "source.privilege:".`],
  [7, `${path} must be a list of texts; a list was given.`],
];
for (const [text, message] of refusals) {
  test(`${JSON.stringify(text)} is refused, when a task is made, changed and run`, () => {
    const expected = {
      code: "settings.malformed",
      subject: "TidewaySettings.AssessmentPassOver",
      message,
    };
    assert.throws(() => mergeTaskSettings(undefined, document(text)), expected);
    assert.throws(() => mergeTaskSettings(document("source.privilege"), document(text)), expected);
    assert.throws(() => readTaskSettings(document("source.privilege", text)), expected);
  });
}

test("the list is kept as it was given, and a change puts another in its place", () => {
  const merged = mergeTaskSettings(undefined, document("source.privilege", "load.rejected:a.b"));
  assert.deepEqual(readTaskSettings(merged).passedOver, [
    { code: "source.privilege", subject: undefined },
    { code: "load.rejected", subject: "a.b" },
  ]);
  assert.deepEqual(readTaskSettings(mergeTaskSettings(merged, document())).passedOver, []);
});

/** Where what a task finds before it starts is made; what it finds later is no error of an assessment. */
const assessed = /^src\/(?:engines|mapping)\/|^src\/task\/(?!run-(?!assessment))/;
/** Of findings as they are written in the program, those that are errors. */
const written = [
  /"([a-z]+\.[a-z_]+)",\s*"error"/g,
  /code: "([a-z]+\.[a-z_]+)",\s*severity: "error"/g,
  /problem\(\s*table,\s*"([a-z]+\.[a-z_]+)"/g,
];

test("of each code that an assessment has an error of it is decided whether a start may pass over it", () => {
  const found = new Set(
    readSources(fileURLToPath(new URL("../..", import.meta.url)), ["src"])
      .filter(({ path: file, isTest }) => !isTest && assessed.test(file))
      .flatMap(({ text }) => written.flatMap((form) => [...text.matchAll(form)].map(([, code]) => code!))),
  );
  assert.ok(found.size > 40, `${found.size} codes`);
  assert.deepEqual(
    [...found].filter((code) => kinds.get(code)?.passOver === undefined),
    [],
  );
});

test("what may not be passed over has a sentence that says why", () => {
  for (const [code, { passOver }] of kinds) {
    if (typeof passOver === "string") assert.match(passOver, /^[A-Z].*\.$/, code);
  }
});
