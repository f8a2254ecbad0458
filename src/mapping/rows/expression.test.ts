import assert from "node:assert/strict";
import { test } from "node:test";
import { INT, mappedPlan, TEXT } from "../../../test/support/mapped-plan.ts";
import type { ExpressionInput } from "../../core/plan.ts";
import type { LogicalType } from "../../core/schema.ts";
import { checkExpression, Expressions } from "./expression.ts";
import { LoadHeaders } from "./headers.ts";

const DECIMAL: LogicalType = { kind: "decimal" };
const DOUBLE: LogicalType = { kind: "float", bits: 64 };
const BYTES: LogicalType = { kind: "bytes", fixed: false };
const MOMENT: LogicalType = { kind: "timestamp", precision: 6, zoned: false };

/** What an expression gives for one value `?1` of a type, as a column of another type. */
function result(
  sql: string,
  given: string | null = null,
  { from = TEXT, to = TEXT }: { readonly from?: LogicalType; readonly to?: LogicalType } = {},
): string | null {
  const inputs: readonly ExpressionInput[] = [{ kind: "column", ordinal: 0 }];
  const plan = mappedPlan({
    reads: [from],
    columns: [{ kind: "expression", expression: { sql, inputs }, type: to }],
  });
  const expressions = new Expressions(plan);
  const bytes = Buffer.from(given ?? "");
  const give = (into: Expressions, place: number): void => {
    if (given === null) into.takeNull(place);
    else into.take(place, bytes, 0, bytes.length);
  };
  expressions.evaluate({ give }, new LoadHeaders());
  return expressions.texts[0]!;
}

test("numbers are numbers and compare as such, in all digits that they have", () => {
  assert.equal(result("?1 + 1", "9007199254740993", { from: INT, to: INT }), "9007199254740994");
  assert.equal(result("?1 || ''", "-9223372036854775808", { from: INT }), "-9223372036854775808");
  assert.equal(result("?1 > 100", "9.5", { from: DECIMAL, to: { kind: "boolean" } }), "f");
  assert.equal(result("?1 * 2", "12.10", { from: DECIMAL, to: DECIMAL }), "24.2");
  assert.equal(result("?1 + 0.2", "0.1", { from: DECIMAL, to: DECIMAL }), "0.3");
  assert.equal(result("?1 / 3", "100.00", { from: DECIMAL, to: DOUBLE }), "33.333333333333336");
  for (const hundred of ["100", "100.0"]) {
    assert.equal(result("?1 / 3", hundred, { from: DECIMAL, to: DOUBLE }), "33.333333333333336", hundred);
  }
  const whole: LogicalType = { kind: "decimal", precision: 20, scale: 0 };
  assert.equal(result("?1 / 3", "100", { from: whole, to: whole }), "33");
  assert.equal(result("'#' || ?1", "12", { from: whole }), "#12");
  assert.equal(result("?1 > 1", "NaN", { from: whole, to: { kind: "boolean" } }), "t");
  assert.equal(result("?1", "-9007199254740991", { from: DECIMAL, to: DECIMAL }), "-9007199254740991");
  assert.equal(result("?1 / 1e9", "0.5", { from: DECIMAL, to: DECIMAL }), "0.0000000005");
  assert.equal(result("1234567890123456.5", null, { to: DECIMAL }), "1234567890123456.5");
  assert.equal(result("999999999999999.9", null, { to: DECIMAL }), "999999999999999.9");
  assert.equal(result("?1", "123456789012345678", { from: DECIMAL, to: DECIMAL }), "123456789012345678");
  assert.equal(result("?1 < 1e300", "NaN", { from: DOUBLE, to: { kind: "boolean" } }), "f");
  assert.equal(result("?1", "-Infinity", { from: DOUBLE, to: DOUBLE }), "-Infinity");
});

test("bytes that are put together come as they are, and never as characters that they are not", () => {
  assert.equal(result("?1 || x'80'", "\\xff00", { from: BYTES, to: BYTES }), "\\xff0080");
  assert.equal(result("'ü\ufffd' || 1", null, { to: BYTES }), "\\xc3bcefbfbd31");
  assert.equal(result("1.5", null, { to: BYTES }), "\\x312e35");
  assert.equal(result("?1 || '!'", "\ufffd"), "\ufffd!");
  assert.throws(
    () => result("?1 || x'80'", "\\xff", { from: BYTES }),
    /its result is bytes that are no text/,
  );
});

test("what SQLite's numbers cannot hold is an error that names the column and not the value", () => {
  const fails = (given: string, from: LogicalType): void => {
    assert.throws(
      () => result("?1 || ''", given, { from }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "mapping.expression_failed");
        assert.match(error.message, /column c0/);
        return !error.message.includes(given);
      },
    );
  };
  fails("18446744073709551615", { kind: "int", bits: 64, unsigned: true });
  fails("12345678901234.56", DECIMAL);
  fails("123456789012345678901234567890", DECIMAL);
  assert.equal(result("?1 || ''", "0.000000000000000012", { from: DECIMAL }), "1.2e-17");
});

test("a real number as a text is what SQLite makes of it", () => {
  for (const number of [
    "0.1",
    "100.0",
    "1e15",
    "123456.789",
    "1e-5",
    "0.0001",
    "-2.5e-300",
    "1e14",
    "0.0",
    "123456789012345678.0",
  ]) {
    assert.equal(result(`${number}`), result(`cast(${number} as text)`), number);
  }
});

test("results are in the text form of their column's type, or an error", () => {
  assert.equal(result("date('2026-02-28')", null, { to: { kind: "date" } }), "2026-02-28");
  assert.equal(result("datetime('2026-02-28 23:59:59')", null, { to: MOMENT }), "2026-02-28 23:59:59");
  assert.equal(
    result("'2026-02-28T01:02:03.5'", null, { to: { ...MOMENT, zoned: true } }),
    "2026-02-28 01:02:03.5+00",
  );
  assert.equal(result("date('2026-02-28')", null, { to: MOMENT }), "2026-02-28 00:00:00");
  assert.equal(
    result("?1", "2026-02-28 01:02:03+01", {
      from: { ...MOMENT, zoned: true },
      to: { ...MOMENT, zoned: true },
    }),
    "2026-02-28 01:02:03+01",
  );
  assert.equal(
    result("time('01:02:03')", null, { to: { kind: "time", precision: 0, zoned: false } }),
    "01:02:03",
  );
  assert.equal(result("x'00ff'", null, { to: BYTES }), "\\x00ff");
  assert.equal(result("hex(?1)", "\\x00ff", { from: BYTES }), "00FF");
  assert.equal(result("?1", "\\x00ff", { from: BYTES, to: BYTES }), "\\x00ff");
  assert.equal(result("round(?1)", "19999.7", { from: DECIMAL, to: INT }), "20000");
  assert.equal(result("substr('x007', 2)", null, { to: INT }), "7");
  assert.equal(result("?1 = 1", "t", { from: { kind: "boolean" }, to: { kind: "boolean" } }), "t");
  assert.equal(result("'yes'", null), "yes");
  assert.equal(result("null", null, { to: INT }), null);
  const wrong: readonly (readonly [string, LogicalType])[] = [
    ["2.5", INT],
    ["'abc'", INT],
    ["'abc'", DECIMAL],
    ["'0x10'", DOUBLE],
    ["'yesterday'", { kind: "date" }],
    ["20260228", MOMENT],
    ["'2026-02-28 01:02:03+01'", MOMENT],
    ["'maybe'", { kind: "boolean" }],
    ["x'ff'", TEXT],
    ["abs(-9223372036854775807 - 1)", INT],
  ];
  for (const [sql, to] of wrong) {
    assert.throws(() => result(sql, null, { to }), { code: "mapping.expression_failed" }, sql);
  }
});

test("the functions of DMS are there", () => {
  assert.equal(result("replaceChars('abcde', 'abcd', '123')"), "1231e");
  assert.equal(result("replaceChars('a🜨b', '🜨', '')"), "ab");
  assert.equal(result("replaceChars(null, 'a', 'b')"), null);
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.equal(result("hash_sha256('')"), empty);
  assert.equal(result("hash_sha256(x'')"), empty);
  assert.equal(result("hash_sha256(null)"), null);
  assert.equal(
    result("hash_sha256(?1) = hash_sha256('12')", "12", { from: INT, to: { kind: "boolean" } }),
    "t",
  );
});

test("all expressions of a table are one statement, whose parameters are each thing once", () => {
  const expression = (sql: string, ...inputs: readonly ExpressionInput[]) =>
    ({ kind: "expression", expression: { sql, inputs } }) as const;
  const a = { kind: "column", ordinal: 0 } as const;
  const b = { kind: "column", ordinal: 1 } as const;
  const plan = mappedPlan({
    reads: [TEXT, TEXT],
    columns: [
      expression(`?1 || '?2' || "?1" || ?2 -- ?3`.replace(`"?1"`, "'\"?1\"'"), b, a),
      expression("?1 /* ?2 */ || ?2", a, { kind: "constant", value: "k" }),
    ],
  });
  const expressions = new Expressions(plan);
  assert.equal(expressions.inputs.length, 3);
  const bytes = Buffer.from("AB");
  const give = (into: Expressions, place: number, ordinal: number): void =>
    into.take(place, bytes, ordinal, ordinal + 1);
  expressions.evaluate({ give }, new LoadHeaders());
  assert.deepEqual(expressions.texts, [`B?2"?1"A`, "Ak"]);
});

test("an expression is checked before anything runs", () => {
  assert.equal(checkExpression("?1 || ?2", 2), undefined);
  assert.match(checkExpression("?1 ||", 1)!, /incomplete input|syntax error/);
  assert.match(checkExpression("nosuch(?1)", 1)!, /no such function/);
  assert.match(checkExpression("1); select (2", 0)!, /syntax error|incomplete/);
  assert.match(checkExpression("1; select 2", 0)!, /syntax error/);
  assert.match(checkExpression("1, 2", 0)!, /more than one value/);
  assert.match(checkExpression("?3", 2)!, /\?3/);
  assert.equal(checkExpression("'?3' || ?1", 1), undefined);
});
