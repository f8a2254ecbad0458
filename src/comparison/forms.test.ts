import assert from "node:assert/strict";
import { test } from "node:test";
import type { DigestForm } from "../core/row-digest.ts";
import type { Column, LogicalType } from "../core/schema.ts";
import { formOf } from "./forms.ts";

type Side = readonly [nativeType: string, type: LogicalType, more?: Partial<Column>];

const column = ([nativeType, type, more]: Side): Column => ({
  ...{ name: "c", nativeType, type, nullable: true },
  ...more,
});

const string = (maxChars: number | undefined, fixed = false): LogicalType => ({
  ...{ kind: "string", fixed },
  ...(maxChars === undefined ? {} : { maxChars }),
});
const int: LogicalType = { kind: "int", bits: 32, unsigned: false };
const decimal = (precision: number, scale: number): LogicalType => ({ kind: "decimal", precision, scale });
const float = (bits: 32 | 64): LogicalType => ({ kind: "float", bits });
const timestamp = (precision: number, zoned = false): LogicalType => ({
  kind: "timestamp",
  precision,
  zoned,
});
const interval: LogicalType = { kind: "interval" };
const bit = (length: number): LogicalType => ({ kind: "bit", length });
const json: LogicalType = { kind: "json" };
const opaque: LogicalType = { kind: "opaque" };

const text: Side = ["text", string(undefined)];
const longtext: Side = ["longtext", string(undefined)];
const mysqlJson: Side = ["json", json, { binaryAs: "jsonb" }];
const unzoned = "timestamp(6) without time zone";
const zoned = "timestamp with time zone";

const pairs: readonly (readonly [source: Side, target: Side, form: DigestForm | undefined, loses?: true])[] =
  [
    [["boolean", { kind: "boolean" }], ["tinyint(1)", int], { kind: "boolean" }],
    [["boolean", { kind: "boolean" }], ["varchar(5)", string(5)], { kind: "text" }],
    [["bit(1)", bit(1)], ["boolean", { kind: "boolean" }], { kind: "boolean" }],
    [["int", int], ["bigint", { ...int, bits: 64 } as LogicalType], { kind: "int" }],
    [["bigint", int], ["numeric(20,0)", decimal(20, 0)], { kind: "decimal", scale: 0 }],
    [["numeric", { kind: "decimal" }], ["numeric", { kind: "decimal" }], { kind: "decimal" }],
    [
      ["numeric", { kind: "decimal" }],
      ["decimal(65,30)", decimal(65, 30)],
      { kind: "decimal", scale: 30 },
      true,
    ],
    [["numeric(9,4)", decimal(9, 4)], ["numeric(9,2)", decimal(9, 2)], { kind: "decimal", scale: 2 }, true],
    [["numeric(9,2)", decimal(9, 2)], ["numeric(9,4)", decimal(9, 4)], { kind: "decimal", scale: 2 }],
    [["real", float(32)], ["double", float(64)], { kind: "float", bits: 32 }],
    [["double", float(64)], ["real", float(32)], { kind: "float", bits: 32 }, true],
    [["numeric(9,2)", decimal(9, 2)], ["double", float(64)], { kind: "float", bits: 64 }, true],
    [["character(5)", string(5, true)], ["character(5)", string(5, true)], { kind: "text", trims: true }],
    [["char(5)", string(5, true)], ["char(9)", string(9, true)], { kind: "text", trims: true }],
    [["character(5)", string(5, true)], ["char(5)", string(5, true)], { kind: "text", trims: true }],
    [text, ["character(5)", string(5, true)], { kind: "text", trims: true }, true],
    [["character(5)", string(5, true)], text, { kind: "text", trims: true }, true],
    [["enum('a')", { kind: "enum", values: ["a"] }], text, { kind: "text" }],
    [["set('a')", { kind: "set", values: ["a"] }], text, { kind: "text" }],
    [[unzoned, timestamp(6)], ["datetime(3)", timestamp(3)], { kind: "timestamp", digits: 3 }, true],
    [["datetime", timestamp(0)], [unzoned, timestamp(6)], { kind: "timestamp", digits: 0 }],
    [
      ["datetime(6)", timestamp(6)],
      ["timestamp(0) without time zone", timestamp(0)],
      { kind: "timestamp", digits: 0, countsFrom2000: true },
      true,
    ],
    [[zoned, timestamp(6, true)], ["datetime(6)", timestamp(6)], { kind: "timestamp", digits: 6 }],
    [["timestamp(6)", timestamp(6, true)], [zoned, timestamp(6, true)], { kind: "timestamp", digits: 6 }],
    [["datetime(6)", timestamp(6)], [zoned, timestamp(6, true)], undefined],
    [[zoned, timestamp(6, true)], [unzoned, timestamp(6)], undefined],
    [["datetime", timestamp(0)], ["date", { kind: "date" }], { kind: "date" }, true],
    [["time(6)", interval], ["interval", interval], { kind: "time", digits: 6 }],
    [["time(6)", interval], ["time", interval], { kind: "time", digits: 0 }, true],
    [["interval", interval], ["interval", interval], { kind: "own" }],
    [["interval", interval], ["varchar(128)", string(128)], { kind: "own" }],
    [["uuid", { kind: "uuid" }], ["char(36)", string(36, true)], { kind: "uuid" }],
    [["bit(3)", bit(3)], ["bit(3)", bit(3)], { kind: "bits" }],
    [["bit(3)", bit(3)], ["bit(5)", bit(5)], { kind: "bits", trims: true }],
    [["bit(70)", bit(70)], ["varchar(70)", string(70)], { kind: "own" }],
    [
      ["bytea", { kind: "bytes", fixed: false }],
      ["longblob", { kind: "bytes", fixed: false }],
      { kind: "bytes" },
    ],
    [
      ["point", { kind: "bytes", fixed: false, shape: { of: "point" } }],
      ["geometry(Point)", opaque],
      { kind: "bytes" },
    ],
    [["jsonb", json], ["jsonb", json], { kind: "json", asSent: true }],
    [["jsonb", json], mysqlJson, { kind: "json", hasDoubles: true }, true],
    [["json", json], mysqlJson, { kind: "json", hasDoubles: true }, true],
    [mysqlJson, ["jsonb", json], { kind: "json", hasDoubles: true }, true],
    [mysqlJson, mysqlJson, { kind: "json", asSent: true }],
    [mysqlJson, longtext, { kind: "json", asSent: true }],
    [["jsonb", json], longtext, { kind: "json", asSent: true }],
    [["jsonb", json], ["json", json], { kind: "json", asSent: true }],
    [["json", json], ["jsonb", json], { kind: "json" }, true],
    [text, ["jsonb", json], { kind: "json" }, true],
    [["json", json], ["json", json], { kind: "own" }],
    [["json", json], longtext, { kind: "own" }],
    [["inet", opaque], ["varchar(50)", string(50)], { kind: "own" }],
    [["inet", opaque], ["inet", opaque], { kind: "own" }],
    [["inet", opaque], ["cidr", opaque], undefined],
    [["integer[]", { kind: "array", of: int }], longtext, { kind: "own" }],
    [
      ["integer[]", { kind: "array", of: int }],
      ["text[]", { kind: "array", of: string(undefined) }],
      undefined,
    ],
    [["varchar(9)", string(9)], ["integer", int], { kind: "int" }],
    [["integer", int], ["varchar(9)", string(9)], { kind: "own" }],
    [["date", { kind: "date" }], ["integer", int], undefined],
  ];

for (const [source, target, form, loses = false] of pairs) {
  test(`${source[0]} and ${target[0]} are compared by ${JSON.stringify(form)}`, () => {
    const found = formOf(column(source), column(target));
    assert.deepEqual(found?.form, form);
    assert.equal(found?.loss !== undefined, loses);
    assert.match(found?.loss ?? "It.", /^[A-Z][^.]*\.(?: [A-Z][^.]*\.)*$/);
  });
}
