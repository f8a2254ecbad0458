import assert from "node:assert/strict";
import { test } from "node:test";
import { TEXT } from "../../../test/support/mapped-people.ts";
import {
  all,
  catalog,
  column,
  columnRule,
  compile,
  foreignKey,
  index,
  table,
} from "../../../test/support/plan-situation.ts";
import { originsOf } from "../../core/plan.ts";
import type { Column, TableSchema } from "../../core/schema.ts";

const BYTES = { kind: "bytes", fixed: false } as const;

const columns: readonly Column[] = [
  column("id", TEXT, { nullable: false }),
  column("note", TEXT),
  column("photo", BYTES),
  column("short", { kind: "string", fixed: false, maxChars: 100 }),
  column("data", { kind: "json" }),
  column("slug", TEXT),
  column("upper_note", TEXT, { generated: 'upper("note")' }),
];

const document: TableSchema = table("app.document", {
  columns,
  key: [0],
  indexes: [{ ...index("slugs"), unique: true, columns: ["slug"], native: 'USING btree ("slug")' }],
});

function lobRule(lobs: object): object {
  return {
    ...{ "rule-type": "table-settings", "rule-id": 7, "rule-name": "7" },
    "object-locator": { "schema-name": "app", "table-name": "document" },
    "lob-settings": lobs,
  };
}

interface Cuts {
  readonly cuts: readonly string[];
  readonly said: readonly string[];
  readonly refuses: boolean;
}

function cutsOf(
  others: readonly object[],
  more: Partial<Parameters<typeof compile>[0]> = {},
  made = document,
): Cuts {
  const { plan, findings } = compile({
    catalog: catalog({ tables: [made] }),
    selections: [all],
    others,
    ...more,
  });
  const [planned] = plan.tables;
  const cuts = originsOf(planned!).flatMap((origin, i) => {
    const cut = origin.kind === "expression" ? undefined : origin.cut;
    return cut === undefined ? [] : [`${planned!.source.columns[i]!.name} ${cut}`];
  });
  const said = findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
  return { cuts, said, refuses: planned!.rows?.refusesCuts === true };
}

const limited = lobRule({ mode: "limited", "bulk-max-size": 2 });
const bySettings = { lobSettings: { lobs: { maxKilobytes: 3 }, refusesCuts: false } } as const;

test("large texts and bytes are cut off, but for what tells rows apart and what is computed; the rest is told", () => {
  assert.deepEqual(cutsOf([limited]), {
    cuts: ["note 2048", "photo 2048"],
    said: [
      "warning mapping.value_cut: Values of the columns note, photo are cut off after 2 KB, as rule 7 says.",
      "info mapping.value_cut: Values of the columns data come whole: a part of JSON, XML, an array or a shape is none.",
      "info mapping.value_cut: Values of the columns id, slug come whole: they tell rows apart or refer to others.",
    ],
    refuses: false,
  });
});

test("columns of foreign keys, of keys that rules define, and of unique expressions come whole", () => {
  const keyed = {
    ...document,
    foreignKeys: [{ ...foreignKey("fk", "app.document"), columns: ["note"] }],
    indexes: [
      { ...index("lowered"), unique: true, columns: undefined, native: 'USING btree (lower("slug"))' },
    ],
  };
  assert.deepEqual(cutsOf([limited], {}, keyed).cuts, ["photo 2048"]);
  const key = {
    ...{
      "rule-type": "transformation",
      "rule-id": 8,
      "rule-target": "table",
      "rule-action": "define-primary-key",
    },
    "object-locator": { "schema-name": "app", "table-name": "document" },
    "primary-key-def": { columns: ["photo"], origin: "unique-index" },
  };
  assert.deepEqual(cutsOf([limited, key]).cuts, ["note 2048"]);
});

test("the task's settings limit tables that no rule speaks of", () => {
  assert.deepEqual(cutsOf([], bySettings).cuts, ["note 3072", "photo 3072"]);
  assert.match(String(cutsOf([], bySettings).said), /cut off after 3 KB, as LimitedSizeLobMode says/);
  assert.deepEqual(cutsOf([limited], bySettings).cuts, ["note 2048", "photo 2048"]);
  assert.deepEqual(cutsOf([lobRule({ mode: "none" })], bySettings).cuts, ["note 3072", "photo 3072"]);
  assert.deepEqual(cutsOf([lobRule({ mode: "unlimited" })], bySettings), {
    cuts: [],
    said: [],
    refuses: false,
  });
});

test("a table without columns that are cut passes as it is, and a rule about it is told", () => {
  const plain = table("app.document");
  const { plan } = compile({ catalog: catalog({ tables: [plain] }), selections: [all], ...bySettings });
  assert.equal(plan.tables[0]!.rows, undefined);
  assert.deepEqual(cutsOf([limited], {}, plain).said, [
    "info mapping.value_cut: Rule 7 limits large objects, and the table has no column that it cuts.",
  ]);
});

test("where no value may be cut off the plan says so", () => {
  const strict = { lobSettings: { lobs: "whole", refusesCuts: true } } as const;
  assert.equal(cutsOf([limited], strict).refuses, true);
  assert.match(
    cutsOf([limited], strict).said[0]!,
    /^warning .* longer than 2 KB are an error of the table, as rule 7/,
  );
  assert.equal(cutsOf([], strict).refuses, false);
});

test("a before image is cut off like its column; a hash, and a type of another kind, are made of all of a value", () => {
  const image = columnRule(1, "add-before-image-columns", "%", {
    "before-image-def": { "column-prefix": "BI_", "column-filter": "all" },
  });
  const about = (name: string) => ({
    "object-locator": { "schema-name": "app", "table-name": "document", "column-name": name },
  });
  const only = { ...image, ...about("%") };
  assert.deepEqual(cutsOf([limited, only]).cuts, [
    "note 2048",
    "photo 2048",
    "BI_note 2048",
    "BI_photo 2048",
  ]);
  const hash = { ...columnRule(1, "data-masking-hash-mask", "note"), ...about("note") };
  const other = {
    ...columnRule(2, "change-data-type", "photo", { "data-type": { type: "clob" } }),
    ...about("photo"),
  };
  assert.deepEqual(cutsOf([limited, hash, other]).cuts, []);
});
