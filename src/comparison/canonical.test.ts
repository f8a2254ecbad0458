import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { DigestForm } from "../core/row-digest.ts";
import type { LogicalType } from "../core/schema.ts";
import { canonicalWriter } from "./canonical.ts";
import { CanonicalRow } from "./canonical-row.ts";

const decimal: LogicalType = { kind: "decimal" };
const float: LogicalType = { kind: "float", bits: 64 };
const timestamp: LogicalType = { kind: "timestamp", precision: 6, zoned: false };
const zoned: LogicalType = { ...timestamp, zoned: true };
const string: LogicalType = { kind: "string", fixed: false };
const json: LogicalType = { kind: "json" };

function made(type: LogicalType, form: DigestForm, cell: string): string {
  return canonicalWriter({ type }, form)(Buffer.from(cell)).toString("utf8");
}

const misfit = (cell: string): string => `!${createHash("md5").update(cell).digest("hex")}`;

test("decimals are rounded half away from zero, and have all digits of the scale", () => {
  const to2 = { kind: "decimal", scale: 2 } as const;
  const cases: readonly (readonly [DigestForm, string, string])[] = [
    [to2, "1.005", "1.01"],
    [to2, "-1.005", "-1.01"],
    [to2, "-0.004", "0.00"],
    [to2, "999.999", "1000.00"],
    [to2, "7", "7.00"],
    [to2, "0.10", "0.10"],
    [to2, ".5", "0.50"],
    [to2, "1e3", "1000.00"],
    [to2, "-25e-3", "-0.03"],
    [to2, "NaN", "NaN"],
    [to2, "-Infinity", "-Infinity"],
    [{ kind: "decimal", scale: 0 }, "0.5", "1"],
    [{ kind: "decimal", scale: 0 }, "-0.5", "-1"],
    [{ kind: "decimal" }, "1.500", "1.5"],
    [{ kind: "decimal" }, "100", "100"],
    [{ kind: "decimal" }, "-0.00", "0"],
  ];
  for (const [form, cell, expected] of cases) assert.equal(made(decimal, form, cell), expected, cell);
});

test("floats are the bits of their number, and zero has no sign", () => {
  const double = { kind: "float", bits: 64 } as const;
  assert.equal(made(float, double, "1"), "3ff0000000000000");
  assert.equal(made(float, double, "-0"), "0000000000000000");
  assert.equal(made(float, double, "1e+20"), made(float, double, "100000000000000000000"));
  assert.notEqual(made(float, double, "0.1"), made(float, double, "0.10000000000000002"));
  const single = { kind: "float", bits: 32 } as const;
  assert.equal(made(float, single, "1.1"), made({ kind: "float", bits: 32 }, single, "1.10000002"));
  // No single has it, and it is not infinite.
  assert.notEqual(made(float, single, "1e300"), made(float, single, "Infinity"));
});

test("timestamps are put in UTC and rounded to the digits of the coarser side", () => {
  const micros = { kind: "timestamp", digits: 6 } as const;
  const seconds = { kind: "timestamp", digits: 0 } as const;
  const counted = { ...seconds, countsFrom2000: true } as const;
  const cases: readonly (readonly [LogicalType, DigestForm, string, string])[] = [
    [zoned, micros, "2024-02-29 23:30:00.5-05:30", "2024-03-01 05:00:00.5"],
    [zoned, micros, "2024-02-29 23:30:00+00", "2024-02-29 23:30:00"],
    [zoned, micros, "0001-01-01 00:30:00+01 BC", "0002-12-31 23:30:00 BC"],
    [zoned, micros, "0001-01-01 00:30:00+01", "0001-12-31 23:30:00 BC"],
    [timestamp, micros, "294276-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999"],
    [timestamp, micros, "infinity", "infinity"],
    [timestamp, micros, "2024-02-29 10:20:30", "2024-02-29 10:20:30"],
    [timestamp, micros, "2024-02-29 10:20:30.100000", "2024-02-29 10:20:30.1"],
    [timestamp, micros, "2024-02-29 10:20:30.05", "2024-02-29 10:20:30.05"],
    [zoned, micros, "2024-02-29 10:20:30.05+00", "2024-02-29 10:20:30.05"],
    [zoned, micros, "2024-02-29 10:20:30+00 BC", "2024-02-29 10:20:30 BC"],
    [zoned, { kind: "timestamp", digits: 1 }, "2024-02-29 10:20:30.05+00", "2024-02-29 10:20:30.1"],
    [zoned, micros, "2024-02-29 10:20:30-03", "2024-02-29 13:20:30"],
    [timestamp, micros, "0000-00-00 00:00:00", "0000-00-00 00:00:00"],
    [timestamp, seconds, "2023-12-31 23:59:59.5", "2024-01-01 00:00:00"],
    [timestamp, seconds, "1999-12-31 23:59:58.5", "1999-12-31 23:59:59"],
    [timestamp, seconds, "0005-02-29 23:59:59.5 BC", "0005-03-01 00:00:00 BC"],
    [timestamp, counted, "1999-12-31 23:59:58.5", "1999-12-31 23:59:58"],
    [timestamp, counted, "2023-12-31 23:59:59.5", "2024-01-01 00:00:00"],
    [{ kind: "date" }, micros, "2024-02-29", "2024-02-29 00:00:00"],
    [{ kind: "date" }, micros, "0044-03-15 BC", "0044-03-15 00:00:00 BC"],
    [timestamp, { kind: "date" }, "2024-02-29 12:00:00", "2024-02-29"],
    [{ kind: "interval" }, { kind: "time", digits: 0 }, "-838:59:58.5", "-838:59:59"],
    [{ kind: "interval" }, { kind: "time", digits: 0 }, "-00:00:00.4", "00:00:00"],
    [{ kind: "interval" }, { kind: "time", digits: 6 }, "1 day 02:00:00", "1 day 02:00:00"],
  ];
  for (const [type, form, cell, expected] of cases) assert.equal(made(type, form, cell), expected, cell);
});

test("a shape is its bytes, whether they are shown as bytes or by PostGIS", () => {
  const form = { kind: "bytes" } as const;
  assert.equal(made({ kind: "bytes", fixed: false }, form, "\\x0101ff"), "0101ff");
  assert.equal(made({ kind: "opaque" }, form, "0101FF"), "0101ff");
});

const jsonOf = (form: DigestForm) => ({
  same: (a: string, b: string): void => assert.equal(made(json, form, a), made(json, form, b)),
  other: (a: string, b: string): void => assert.notEqual(made(json, form, a), made(json, form, b)),
});

test("JSON is the same whatever its order, blanks and way of writing numbers", () => {
  for (const form of [{ kind: "json" }, { kind: "json", hasDoubles: true }] as const) {
    const { same, other } = jsonOf(form);
    same('{"b": 1, "a": [1.50, null]}', '{"a":[1.5,null],"b":1}');
    same('{"a": 1, "a": 2}', '{"a":2}');
    same("1e2", "100");
    same("100.0", "100");
    same("-0.0", "0");
    same('"\\u00e9"', '"é"');
    same('{"__proto__": 1}', '{ "__proto__" : 1.0 }');
    same(' [ {} , [ ] ,"a\\\\\\",]" ] ', '[{},[],"a\\\\\\",]"]');
    other("18446744073709551614", "18446744073709551615");
    other("9007199254740992", "9007199254740993");
    other("1e400", "1e401");
    other("1", '"1"');
    other("true", '"true"');
    other("[]", "{}");
    other('"\\ud800"', '"\\ud801"');
    other('{"\\ud800": 1}', '{"\\ud801": 1}');
  }
  assert.equal(made(json, { kind: "json" }, ' {"bb":[true,1e1],"a" : {}}'), '{"a": {}, "bb": [true, 10]}');
  assert.equal(made(string, { kind: "json" }, "{no json"), misfit("{no json"));
});

test("numbers of JSON are compared in all digits, unless one side has doubles alone", () => {
  const exact = jsonOf({ kind: "json", asSent: true });
  exact.other("12345678901234567.89", "12345678901234567.90");
  exact.other("18446744073709551616", "18446744073709551617");
  exact.same("12345678901234567.90", "1234567890123456790e-2");
  const doubles = jsonOf({ kind: "json", hasDoubles: true });
  doubles.same("12345678901234567.89", "12345678901234567.90");
});

test("where servers keep the text of JSON, a member that is there twice counts", () => {
  const { same, other } = jsonOf({ kind: "json", asSent: true });
  other('{"a": 1, "a": 2}', '{"a":2}');
  other('{"a": 1, "a": 2}', '{"a": 2, "a": 1}');
  same('{"a": 1, "b": 0, "a": 2}', '{"b":0,"a":1,"a":2}');
});

test("a text is written in the form of the other side, and what is none of it is marked", () => {
  const cases: readonly (readonly [DigestForm, string, string])[] = [
    [{ kind: "int" }, "007", "7"],
    [{ kind: "int" }, "-0", "0"],
    [{ kind: "int" }, "7a", misfit("7a")],
    [{ kind: "boolean" }, "Yes", "1"],
    [{ kind: "boolean" }, "maybe", misfit("maybe")],
    [{ kind: "decimal", scale: 1 }, "1,5", misfit("1,5")],
    [{ kind: "float", bits: 64 }, "0x10", misfit("0x10")],
    [{ kind: "date" }, "yesterday", misfit("yesterday")],
    [{ kind: "uuid" }, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11 ", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    [{ kind: "uuid" }, "none", misfit("none")],
    [{ kind: "text", trims: true }, " a  ", " a"],
  ];
  for (const [form, cell, expected] of cases) assert.equal(made(string, form, cell), expected, cell);
});

test("a row's text has lengths before what may hold anything, and digests in place of what is long", () => {
  const text = { kind: "text" } as const;
  const columns = [
    { column: { type: { kind: "int", bits: 32, unsigned: false } as const }, form: { kind: "int" } as const },
    { column: { type: string }, form: text },
    { column: { type: { kind: "bytes", fixed: false } as const }, form: { kind: "bytes" } as const },
    { column: { type: { kind: "array", of: string } as const }, form: { kind: "own" } as const },
  ];
  const row = new CanonicalRow(columns);
  const textOf = (cells: readonly (string | null)[]): string => {
    row.write(cells.map((cell) => (cell === null ? null : Buffer.from(cell))));
    return row.text.toString("utf8");
  };
  const hash = (value: string | Buffer): string => createHash("md5").update(value).digest("hex");
  assert.equal(textOf(["1", "é,", "\\x00ff", "{}"]), `1,3,é,,2,00ff,${hash("{}")}`);
  assert.equal(textOf([null, null, null, null]), "~tttt");
  assert.equal(textOf([null, "", null, "{}"]), `~tftf,0,,${hash("{}")}`);
  const long = "x".repeat(1001);
  const digits = "00".repeat(1001);
  assert.equal(
    textOf(["1", long, `\\x${digits}`, null]),
    `~ffft,1,1001,${hash(long)},1001,${hash(Buffer.alloc(1001))}`,
  );
  assert.equal(Buffer.from(row.key(), "latin1").toString("hex"), hash(row.text));
});
