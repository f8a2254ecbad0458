import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableId } from "../core/schema.ts";
import { NativeReferences } from "./native-references.ts";

const references = new NativeReferences(
  [
    ["shared.status", "new'shared.status"],
    ['Odd Schema.a"b', 'new Schema.a"b'],
    ["kept.kind", "kept.kind"],
    ["shared.it's", "new'shared.it's"],
    ["shared.ids", "new'shared.ids"],
    ["home.own", "new'home.own"],
    ["home.serial", "new'home.serial_home"],
    ["home.Up", "new'home.Up_home"],
  ].map(([source, target]) => ({ source: id(source!), target: id(target!) })),
);

function id(text: string): TableId {
  const [schema, name] = text.split(".");
  return { schema: schema!, name: name! };
}

const cases: readonly (readonly [native: string, rewritten: string])[] = [
  ["shared.status", `"new'shared"."status"`],
  ["shared.status[]", `"new'shared"."status"[]`],
  ['"shared"."status"', `"new'shared"."status"`],
  [`'open'::shared.status`, `'open'::"new'shared"."status"`],
  [`"Odd Schema"."a""b"`, `"new Schema"."a""b"`],
  [`nextval('shared.ids'::regclass)`, `nextval('"new''shared"."ids"'::regclass)`],
  [`nextval('shared."it''s"'::regclass)`, `nextval('"new''shared"."it''s"'::regclass)`],
  [`nextval('ids'::regclass)`, `nextval('ids'::regclass)`],
  [`'shared.ids'::text`, `'shared.ids'::text`],
  [`'it''s shared.status'::text`, `'it''s shared.status'::text`],
  [`'\\'::text || shared.status`, `'\\'::text || "new'shared"."status"`],
  [`"see shared.status here" > 1`, `"see shared.status here" > 1`],
  ["kept.kind", "kept.kind"],
  ["unshared.status", "unshared.status"],
  ["shared.statuses", "shared.statuses"],
  ["shared.other(status)", "shared.other(status)"],
  ["public.shared.status", "public.shared.status"],
  ["own", "own"],
  ["home.own", `"new'home"."own"`],
  [`nextval('own'::regclass)`, `nextval('own'::regclass)`],
  [`nextval('serial'::regclass)`, `nextval('"new''home"."serial_home"'::regclass)`],
  [`nextval('"serial"'::regclass)`, `nextval('"new''home"."serial_home"'::regclass)`],
  [`nextval('"Up"'::regclass)`, `nextval('"new''home"."Up_home"'::regclass)`],
  ["serial", "serial"],
  [`'serial'::text`, `'serial'::text`],
  ["numeric(10,2)", "numeric(10,2)"],
  ["(1.5e3 > x.y)", "(1.5e3 > x.y)"],
  ["", ""],
];

for (const [native, rewritten] of cases) {
  test(`${native || "an empty text"} becomes ${rewritten || "one"}`, () => {
    assert.equal(references.rewrite(native, "home"), rewritten);
  });
}

test("where nothing gets a new name the texts are not even looked at", () => {
  const table = { columns: [] } as never;
  assert.equal(new NativeReferences([]).rewriteTable(table, "home"), table);
});
