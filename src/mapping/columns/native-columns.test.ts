import assert from "node:assert/strict";
import { test } from "node:test";
import { NativeColumns } from "./native-columns.ts";

const standard = new NativeColumns(false);
const backticks = new NativeColumns(true);

const names = new Map<string, string | undefined>([
  ["a", 'A "x"'],
  ["b", "b"],
  ["Odd one", "even"],
  ["zone", "area"],
  ["text", "words"],
  ["lower", "below"],
  ["gone", undefined],
]);

const cases: readonly (readonly [text: string, rewritten: string | undefined])[] = [
  ["CHECK ((a > 0))", 'CHECK (("A ""x""" > 0))'],
  [`CHECK (("Odd one" > a))`, `CHECK (("even" > "A ""x"""))`],
  ["(b + b2)", "(b + b2)"],
  [`CHECK ((b <> 'a and gone'::text))`, `CHECK ((b <> 'a and gone'::text))`],
  [`CHECK ((b <> E'it\\'s a'))`, `CHECK ((b <> E'it\\'s a'))`],
  [`CHECK ((b <> '\\') AND (a = 'x'))`, `CHECK ((b <> '\\') AND ("A ""x""" = 'x'))`],
  ["USING btree (lower(text), lower)", 'USING btree (lower("words"), "below")'],
  ["((text)::text)", '(("words")::text)'],
  ["(b > 0) AND (gone < 1)", undefined],
  ["((b AT TIME ZONE 'UTC'::text) > now())", "((b AT TIME ZONE 'UTC'::text) > now())"],
  ["(zone = 1)", undefined],
  ["EXTRACT(a FROM b)", "EXTRACT(a FROM b)"],
  ["(shared.a(b))", "(shared.a(b))"],
  [`(("Odd one").a > 1)`, `(("even").a > 1)`],
  ['USING btree (a COLLATE "gone")', 'USING btree ("A ""x""" COLLATE "gone")'],
  ['("gone"(b))', '("gone"(b))'],
];

for (const [text, rewritten] of cases) {
  test(`columns are renamed in the text ${text}`, () => {
    assert.equal(standard.rewrite(text, names), rewritten);
  });
}

const quoted: readonly (readonly [text: string, rewritten: string | undefined])[] = [
  ["CHECK (`a` > 0)", 'CHECK (`A "x"` > 0)'],
  ["CHECK (`b` = a)", "CHECK (`b` = a)"],
  ["CHECK (`b` <> 'it\\'s `gone`')", "CHECK (`b` <> 'it\\'s `gone`')"],
  ["(`Odd one`(10), `a` DESC)", '(`even`(10), `A "x"` DESC)'],
  ["CHECK (`gone` is null)", undefined],
  ["CHECK (`zone` = 1)", "CHECK (`area` = 1)"],
];

for (const [text, rewritten] of quoted) {
  test(`columns in backticks are renamed in the text ${text}`, () => {
    assert.equal(backticks.rewrite(text, names), rewritten);
  });
}

test("a statement that has a column's name in it is found, wherever that stands", () => {
  const gone = new Set(["a", "Odd one"]);
  const texts = [
    "select p.a from p",
    'select p."Odd one" from p',
    "select 'a', aa from p -- ",
    "select b::text",
  ];
  assert.deepEqual(
    texts.map((text) => standard.speaksOf(text, gone)),
    [true, true, false, false],
  );
});
