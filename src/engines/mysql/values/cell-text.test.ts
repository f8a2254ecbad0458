import assert from "node:assert/strict";
import { test } from "node:test";
import { NULL_CELL } from "../../../core/change-batch.ts";
import type { LogicalType } from "../../../core/schema.ts";
import { cellForm, writeLiteral } from "./cell-text.ts";
import { SqlText } from "./sql-text.ts";

function literal(type: LogicalType, dataType: string, text: string): string {
  const cell = Buffer.from(`..${text}..`);
  const out = new SqlText();
  writeLiteral(out, cellForm(type, dataType), cell, 2, cell.length - 2);
  return out.bytes.toString("utf8", 0, out.length);
}

const zoned: LogicalType = { kind: "timestamp", precision: 6, zoned: true };

test("texts are quoted so that the server reads what they say", () => {
  const string: LogicalType = { kind: "string", fixed: false };
  assert.equal(literal(string, "varchar", "O'Neill \\ né\n"), "'O''Neill \\\\ né\n'");
  assert.equal(literal(string, "text", ""), "''");
  assert.equal(literal({ kind: "enum", values: ["a", "b"] }, "enum", "a"), "'a'");
});

test("a value of fixed length comes without the spaces at its end where the column would keep them", () => {
  const fixed: LogicalType = { kind: "string", maxChars: 300, fixed: true };
  assert.equal(literal(fixed, "varchar", " a b  "), "' a b'");
  assert.equal(literal(fixed, "longtext", "   "), "''");
  assert.equal(literal(fixed, "char", "a  "), "'a  '");
  assert.equal(literal({ ...fixed, fixed: false }, "varchar", "a  "), "'a  '");
});

test("numbers stand as they are, but for those that are none", () => {
  assert.equal(
    literal({ kind: "int", bits: 64, unsigned: false }, "bigint", "-9007199254740993"),
    "-9007199254740993",
  );
  assert.equal(literal({ kind: "float", bits: 64 }, "double", "1e-300"), "1e-300");
  assert.equal(literal({ kind: "decimal" }, "decimal", "NaN"), "'NaN'");
  assert.equal(literal({ kind: "float", bits: 64 }, "double", "-Infinity"), "'-Infinity'");
  assert.equal(literal({ kind: "decimal" }, "varchar", "1.50"), "'1.50'");
});

test("the largest number of 32 bits is not above itself, and the year 0 is not 2000", () => {
  const single: LogicalType = { kind: "float", bits: 32 };
  assert.equal(literal(single, "float", "3.4028235e+38"), "3.4028234663852886e+38");
  assert.equal(literal(single, "float", "-3.4028235e+38"), "-3.4028234663852886e+38");
  assert.equal(literal(single, "float", "1.1"), "1.1");
  assert.equal(literal(single, "float", "NaN"), "'NaN'");
  assert.equal(literal(single, "double", "3.4028235e+38"), "3.4028235e+38");
  const int: LogicalType = { kind: "int", bits: 16, unsigned: false };
  assert.equal(literal(int, "year", "0"), "'0000'");
  assert.equal(literal(int, "year", "1901"), "'1901'");
});

test("truth values are numbers, or words in a column of characters", () => {
  assert.equal(literal({ kind: "boolean" }, "tinyint", "t"), "1");
  assert.equal(literal({ kind: "boolean" }, "bit", "f"), "0");
  assert.equal(literal({ kind: "boolean" }, "varchar", "f"), "'false'");
});

test("bytes and bits are written in digits", () => {
  assert.equal(literal({ kind: "bytes", fixed: false }, "longblob", "\\x00ff27"), "x'00ff27'");
  assert.equal(literal({ kind: "bytes", fixed: false }, "longblob", "\\x"), "x''");
  assert.equal(literal({ kind: "bit", length: 3 }, "bit", "101"), "b'101'");
  assert.equal(literal({ kind: "bit", length: 3 }, "varchar", "101"), "'101'");
});

test("a geometry has its SRID in front", () => {
  const type: LogicalType = { kind: "bytes", fixed: false };
  const xy = "000000000000f03f0000000000000040";
  assert.equal(literal(type, "point", `\\x0101000020e6100000${xy}`), `x'e61000000101000000${xy}'`);
  assert.equal(literal(type, "geometry", `\\x0101000000${xy}`), `x'000000000101000000${xy}'`);
});

test("moments are written in UTC without an offset", () => {
  assert.equal(literal(zoned, "timestamp", "2026-02-28 23:59:59.5+00"), "'2026-02-28 23:59:59.5'");
  assert.equal(
    literal(zoned, "datetime", "2026-02-28 23:59:59.123456-03:30"),
    "'2026-03-01 03:29:59.123456'",
  );
  assert.equal(literal(zoned, "datetime", "2026-01-01 00:00:00+01"), "'2025-12-31 23:00:00'");
  assert.equal(literal({ kind: "time", precision: 0, zoned: true }, "time", "00:30:00+01"), "'23:30:00'");
  assert.equal(
    literal({ ...zoned, zoned: false }, "datetime", "2026-02-28 01:02:03"),
    "'2026-02-28 01:02:03'",
  );
  assert.equal(literal(zoned, "varchar", "2026-01-01 00:00:00+01"), "'2026-01-01 00:00:00+01'");
});

test("what MySQL has no moment for reaches the server as it is, which refuses it", () => {
  assert.equal(literal(zoned, "datetime", "infinity"), "'infinity'");
  assert.equal(literal(zoned, "datetime", "0044-03-15 00:00:00+00 BC"), "'0044-03-15 00:00:00+00 BC'");
});

test("NULL is NULL in every form", () => {
  const out = new SqlText();
  writeLiteral(out, cellForm({ kind: "boolean" }, "tinyint"), Buffer.alloc(0), NULL_CELL, 0);
  assert.equal(out.bytes.toString("utf8", 0, out.length), "null");
});
