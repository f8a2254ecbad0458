import assert from "node:assert/strict";
import { test } from "node:test";
import { compileWildcard, escapeWildcards, isPlainName, wildcardFault } from "./wildcard.ts";

const cases: readonly (readonly [pattern: string, matching: readonly string[], other: readonly string[]])[] =
  [
    ["%", ["", "a", "a.b", "two\nlines", "😀"], []],
    ["", [""], ["a"]],
    ["accounts", ["accounts"], ["Accounts", "accounts2", "my_accounts", ""]],
    ["DMS%", ["DMS", "DMS_1"], ["dms", "xDMS"]],
    ["%_log", ["a_log", "aalog", "xlog"], ["log", "_logs"]],
    ["%[_]log", ["a_log", "_log"], ["aalog", "log"]],
    ["t_", ["ta", "t_", "t😀", "té"], ["t", "tab"]],
    ["[ab]c", ["ac", "bc"], ["cc", "abc", "[ab]c"]],
    ["part[0-9][0-9]", ["part00", "part42"], ["part4", "part123", "partab"]],
    ["[a-d]%", ["a", "d1"], ["e", "A", ""]],
    ["[-a]x", ["-x", "ax"], ["bx"]],
    ["[a-]x", ["-x", "ax"], ["bx"]],
    ["[%]", ["%"], ["", "a"]],
    ["[[]x]", ["[x]"], ["x]", "[[]x]"]],
    ["a[b", ["a[b"], ["ab", "a"]],
    ["a[]b", ["a[]b"], ["ab"]],
    ["a]b", ["a]b"], ["ab"]],
    ["[^a]", ["^", "a"], ["b"]],
    ["a.b*(c)+?|^$\\d", ["a.b*(c)+?|^$\\d"], ["aXb*(c)+?|^$\\d"]],
    [".*", [".*"], ["ab"]],
    ["[😀-😂]", ["😀", "😁", "😂"], ["😃", "\ud83d"]],
    ["%%a%%", ["a", "xax"], ["", "x"]],
    ["_%_", ["ab", "abc"], ["", "a"]],
    ["%ab%ab", ["abab", "xabyab", "ababab"], ["ab", "ababx"]],
  ];

for (const [pattern, matching, other] of cases) {
  test(`the pattern ${JSON.stringify(pattern)} matches whole names and only those meant`, () => {
    const { matches } = compileWildcard(pattern);
    for (const name of matching) assert.equal(matches(name), true, JSON.stringify(name));
    for (const name of other) assert.equal(matches(name), false, JSON.stringify(name));
  });
}

/** The definition itself, as slow as it is plain. */
function naive(pattern: readonly string[], name: readonly string[]): boolean {
  const [head, ...rest] = pattern;
  if (head === undefined) return name.length === 0;
  if (head === "%") return naive(rest, name) || (name.length > 0 && naive(pattern, name.slice(1)));
  const close = head === "[" ? rest.indexOf("]") : -1;
  if (name.length === 0) return false;
  if (close > 0) return inSet(rest.slice(0, close), name[0]!) && naive(rest.slice(close + 1), name.slice(1));
  return (head === "_" || head === name[0]) && naive(rest, name.slice(1));
}

function inSet(members: readonly string[], character: string): boolean {
  if (members.length === 0) return false;
  if (members.length >= 3 && members[1] === "-") {
    const code = character.codePointAt(0)!;
    const within = code >= members[0]!.codePointAt(0)! && code <= members[2]!.codePointAt(0)!;
    return within || inSet(members.slice(3), character);
  }
  return members[0] === character || inSet(members.slice(1), character);
}

/** A small generator with a seed, so that a failure can be repeated. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("random patterns match random names exactly when the definition says so", () => {
  const random = randomNumbers(7);
  const text = (alphabet: readonly string[], length: number): readonly string[] =>
    Array.from({ length: random(length) }, () => alphabet[random(alphabet.length)]!);
  let matched = 0;
  for (let i = 0; i < 50_000; i++) {
    const pattern = text(["a", "b", "%", "_", "[", "]", "-", "😀"], 8);
    const name = text(["a", "b", "😀", "[", "_", "]", "-"], 7);
    const expected = naive(pattern, name);
    if (expected) matched++;
    assert.equal(
      compileWildcard(pattern.join("")).matches(name.join("")),
      expected,
      JSON.stringify({ pattern, name }),
    );
  }
  assert.ok(matched > 1000, `only ${matched} matches: the test no longer tests anything`);
});

test("an escaped name matches itself and no other", () => {
  const random = randomNumbers(11);
  const alphabet = ["a", "_", "%", "[", "]", "-", "😀", "."];
  const text = (): string =>
    Array.from({ length: random(6) }, () => alphabet[random(alphabet.length)]!).join("");
  for (let i = 0; i < 20_000; i++) {
    const name = text();
    const other = text();
    const { matches } = compileWildcard(escapeWildcards(name));
    assert.equal(matches(name), true, name);
    assert.equal(matches(other), other === name, `${name} / ${other}`);
  }
});

test("a pattern with many runs takes no time on a long name", () => {
  const started = performance.now();
  assert.equal(compileWildcard(`${"%a".repeat(60)}%b`).matches("a".repeat(2000)), false);
  assert.ok(performance.now() - started < 1000);
});

test("backward ranges are reported and plain names are recognised", () => {
  assert.equal(wildcardFault("x[d-a]"), "the range [d-a] runs backwards");
  assert.equal(wildcardFault("x[a-d][_]"), undefined);
  assert.equal(isPlainName("order_items"), true);
  assert.equal(isPlainName("odd[name"), true);
  assert.equal(isPlainName("order%"), false);
  assert.equal(isPlainName("order[_]items"), false);
});
