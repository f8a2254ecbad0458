import assert from "node:assert/strict";
import { test } from "node:test";
import type { Column, LogicalType } from "../../core/schema.ts";
import { filterFault, normalised, normalisedValue } from "./filter-value.ts";

const column = (type: LogicalType): Column => ({ name: "c", nativeType: "", type, nullable: true });
const zoned = { precision: 6, zoned: true } as const;
const local = { precision: 6, zoned: false } as const;

const forms: readonly (readonly [LogicalType, Readonly<Record<string, string | undefined>>])[] = [
  [
    { kind: "int", bits: 32, unsigned: false },
    {
      "007": "7",
      " -0 ": "0",
      "+5.0": "5",
      "18446744073709551615": "18446744073709551615",
      "1.5": undefined,
      "": undefined,
      "1e3": undefined,
      "0x10": undefined,
      ["9".repeat(21)]: undefined,
    },
  ],
  [
    { kind: "decimal" },
    {
      ".5": "0.5",
      "-00.500": "-0.5",
      "-0.0": "0",
      "5.": "5",
      ".": undefined,
      NaN: undefined,
      ["9".repeat(66)]: undefined,
      [`0.${"0".repeat(30)}1`]: undefined,
    },
  ],
  [
    { kind: "float", bits: 32 },
    {
      "0.1": "0.10000000149011612",
      "-0": "0",
      "1e39": undefined,
      "1e-60": undefined,
      Infinity: undefined,
      "": undefined,
    },
  ],
  [
    { kind: "float", bits: 64 },
    { "0.10": "0.1", "1E3": "1000", "1e-400": undefined, "1e400": undefined },
  ],
  [{ kind: "boolean" }, { TRUE: "t", "0": "f", yes: undefined }],
  [
    { kind: "date" },
    {
      "2024-02-29": "2024-02-29",
      "2023-02-29": undefined,
      "0000-01-01": undefined,
      "2024-1-1": undefined,
      "2024-01-01 00:00:00": undefined,
    },
  ],
  [
    { kind: "timestamp", ...local },
    {
      "2024-01-31": "2024-01-31 00:00:00",
      "2024-01-31T23:59:59.500": "2024-01-31 23:59:59.5",
      "2024-01-31 24:00:00": undefined,
      "2024-01-31 12:00:00+01": undefined,
      "2024-01-31 12:00:00.1234567": undefined,
    },
  ],
  [
    { kind: "timestamp", ...zoned },
    {
      "2024-01-01": "2024-01-01 00:00:00+00",
      "2024-01-01 00:30:00.25+01:00": "2023-12-31 23:30:00.25+00",
      "2024-01-01 10:00Z": "2024-01-01 10:00:00+00",
      "2024-01-01 10:00:00+99": undefined,
      "0001-01-01 00:00:00+01": undefined,
    },
  ],
  [
    { kind: "time", ...local },
    {
      "9:00": undefined,
      "09:00": "09:00:00",
      "24:00:00": "24:00:00",
      "24:00:00.1": undefined,
      "-01:00:00": undefined,
    },
  ],
  [
    { kind: "time", ...zoned },
    { "09:00": "09:00:00+00", "09:00:00.50-0330": "09:00:00.5-03:30" },
  ],
  [
    { kind: "interval" },
    {
      "100:00": "100:00:00",
      "-0:00:00": "00:00:00",
      "-838:59:59.50": "-838:59:59.5",
      "1 day": undefined,
      "1:60:00": undefined,
    },
  ],
  [
    { kind: "uuid" },
    { A0EEBC999C0B4EF8BB6D6BB9BD380A11: "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", a0ee: undefined },
  ],
  [
    { kind: "bytes", maxBytes: 9, fixed: false },
    { "0xAB": "\\xab", "\\xab01": "\\xab01", "": "\\x", abc: undefined },
  ],
  [
    { kind: "bit", length: 3 },
    { "101": "101", "1": undefined, "102": undefined },
  ],
  [
    { kind: "enum", values: ["a", "B"] },
    { B: "B", b: undefined },
  ],
  [
    { kind: "set", values: ["x", "y"] },
    { "y,x": "x,y", "": "", z: undefined },
  ],
  [
    { kind: "string", fixed: false },
    { " a ": " a ", "\0": undefined, "\ud800": undefined },
  ],
];

test("values are put into the text form of their type, and what is none is refused without being quoted", () => {
  for (const [type, cases] of forms) {
    for (const [value, text] of Object.entries(cases)) {
      const what = `${JSON.stringify(type)}: ${JSON.stringify(value)}`;
      const condition = { operator: "eq", value } as const;
      if (text === undefined) {
        const fault = filterFault(condition, column(type));
        assert.match(fault ?? "", /^what it is compared with is no /, what);
        assert.throws(() => normalised(condition, column(type)), RangeError, what);
        continue;
      }
      assert.equal(filterFault(condition, column(type)), undefined, what);
      assert.deepEqual(normalised(condition, column(type)), { operator: "eq", value: text }, what);
      assert.equal(normalisedValue(text, column(type)), text, `${what} twice`);
    }
  }
});

test("both bounds of a range count, and large objects and what has no order are asked for NULL alone", () => {
  const number = column({ kind: "int", bits: 32, unsigned: false });
  assert.equal(filterFault({ operator: "between", from: "1", to: "2" }, number), undefined);
  assert.match(filterFault({ operator: "between", from: "1", to: "x" }, number)!, /whole number/);
  assert.match(filterFault({ operator: "notbetween", from: "x", to: "1" }, number)!, /whole number/);
  for (const type of [
    { kind: "json" },
    { kind: "xml" },
    { kind: "opaque" },
    { kind: "array", of: { kind: "date" } },
    { kind: "bytes", fixed: false },
  ] as const) {
    assert.notEqual(filterFault({ operator: "eq", value: "00" }, column(type)), undefined, type.kind);
    assert.equal(filterFault({ operator: "notnull" }, column(type)), undefined, type.kind);
    assert.deepEqual(normalised({ operator: "null" }, column(type)), { operator: "null" });
  }
});
