import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJson } from "./json-text.ts";

const cases: readonly (readonly [text: string, place: string | undefined])[] = [
  ["", "line 1 column 1"],
  ["{", "line 1 column 2"],
  ['{"a": 1}', undefined],
  ['{"a": 1,}', "line 1 column 9"],
  ["[1,]", "line 1 column 4"],
  ['{\n  "a": 1\n  "b": 2\n}', "line 3 column 3"],
  ['{"a": secret}', "line 1 column 7"],
  ['{"a" 1}', "line 1 column 6"],
  ["{a: 1}", "line 1 column 2"],
  ["{'a': 1}", "line 1 column 2"],
  ['["a\nb"]', "line 1 column 2"],
  ["01", "line 1 column 2"],
  ["1 2", "line 1 column 3"],
  ["// note\n{}", "line 1 column 1"],
  ["\ufeff{}", "line 1 column 1"],
  [' [ { } , [ ] , "\\u00e9\\n" , -1.5e+3 , null ] ', undefined],
  ['[["x"]}', "line 1 column 7"],
];

for (const [text, place] of cases) {
  test(`${JSON.stringify(text)} ${place === undefined ? "is JSON" : `stops being JSON at ${place}`}`, () => {
    assert.equal(fault(text), place);
  });
}

test("the value is JSON.parse's", () => {
  assert.deepEqual(parseJson(' {"a": [1, null]} '), { valid: true, value: { a: [1, null] } });
});

test("every text that JSON.parse refuses has a place where it is wrong, and no other has", () => {
  const document = '{"a": [1, -2.5e3, true, null, "x\\"y"], "b": {"c": {}, "d": []}}';
  const pieces = [...'{}[]",:\\ 1x-.e', "null"];
  let valid = 0;
  for (let at = 0; at <= document.length; at++) {
    for (const removed of [0, 1, 2]) {
      for (const piece of ["", ...pieces]) {
        const text = document.slice(0, at) + piece + document.slice(at + removed);
        const parses = isJson(text);
        if (parses) valid++;
        assert.equal(fault(text) === undefined, parses, text);
      }
    }
  }
  assert.ok(valid > 100);
});

test("depth is no limit", () => {
  const depth = 100_000;
  assert.equal(fault("[".repeat(depth) + "]".repeat(depth)), undefined);
  assert.equal(fault("[".repeat(depth)), `line 1 column ${depth + 1}`);
});

function fault(text: string): string | undefined {
  const parsed = parseJson(text);
  return parsed.valid ? undefined : parsed.place;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
