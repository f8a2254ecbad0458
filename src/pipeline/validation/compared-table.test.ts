import assert from "node:assert/strict";
import { test } from "node:test";
import type { Column, LogicalType, TableSchema } from "../../core/schema.ts";
import { compareTable } from "./compared-table.ts";

type Side = readonly [nativeType: string, type: LogicalType];

function table([nativeType, type]: Side): TableSchema {
  const columns: readonly Column[] = [{ name: "id", nativeType, type, nullable: false }];
  return {
    ...{ id: { schema: "s", name: "t" }, columns, key: [0], rowIdentity: "key", indexes: [], checks: [] },
    ...{ foreignKeys: [], estimatedRows: 0, estimatedBytes: 0 },
  };
}

function isLookedUp(source: Side, target: Side): boolean {
  const plan = { source: table(source), target: table(target), loadOrder: 0 };
  return compareTable(plan, table(target)).key !== undefined;
}

const decimal = (precision: number, scale: number): Side => [
  `numeric(${precision},${scale})`,
  { kind: "decimal", precision, scale },
];
const anyDecimal: Side = ["numeric", { kind: "decimal" }];
const bit = (length: number): Side => [`bit(${length})`, { kind: "bit", length }];
const string = (nativeType: string, fixed: boolean): Side => [nativeType, { kind: "string", fixed }];

const int64: Side = ["bigint unsigned", { kind: "int", bits: 64, unsigned: true }];
const uuid: Side = ["uuid", { kind: "uuid" }];
const bytea: Side = ["bytea", { kind: "bytes", fixed: false }];
const moment = (nativeType: string, zoned: boolean, precision = 6): Side => [
  nativeType,
  { kind: "timestamp", precision, zoned },
];
const zonedMoment = moment("timestamp with time zone", true);
const label: Side = ["enum('a','b')", { kind: "enum", values: ["a", "b"] }];
const truth: Side = ["boolean", { kind: "boolean" }];

test("rows are looked up by a key where neither side takes two values for one", () => {
  assert.equal(isLookedUp(uuid, string("char(36)", true)), true);
  assert.equal(isLookedUp(string("varchar(36)", false), uuid), true);
  assert.equal(isLookedUp(bytea, bytea), true);
  assert.equal(isLookedUp(["binary(16)", { kind: "bytes", maxBytes: 16, fixed: true }], bytea), true);
  assert.equal(isLookedUp(int64, decimal(20, 0)), true);
  assert.equal(isLookedUp(decimal(20, 0), int64), true);
  assert.equal(isLookedUp(zonedMoment, moment("datetime(6)", false)), true);
  assert.equal(isLookedUp(label, string("text", false)), true);
  assert.equal(isLookedUp(decimal(10, 4), decimal(10, 4)), true);
  assert.equal(isLookedUp(decimal(10, 4), decimal(12, 4)), true);
  assert.equal(isLookedUp(anyDecimal, anyDecimal), true);
  assert.equal(isLookedUp(bit(3), bit(3)), true);
  assert.equal(isLookedUp(string("character(3)", true), string("char(3)", true)), true);
  assert.equal(isLookedUp(string("text", false), string("varchar(9)", false)), true);
});

test("rows are told apart by all that is compared where a key is coarser on one side", () => {
  assert.equal(isLookedUp(zonedMoment, moment("datetime(3)", false, 3)), false);
  assert.equal(isLookedUp(zonedMoment, moment("timestamp without time zone", false)), false);
  assert.equal(isLookedUp(int64, decimal(20, 2)), false);
  assert.equal(isLookedUp(anyDecimal, int64), false);
  assert.equal(isLookedUp(truth, string("varchar(5)", false)), false);
  assert.equal(isLookedUp(label, string("char(1)", true)), false);
  assert.equal(isLookedUp(decimal(10, 4), decimal(10, 2)), false);
  assert.equal(isLookedUp(decimal(10, 2), decimal(10, 4)), false);
  assert.equal(isLookedUp(anyDecimal, decimal(10, 0)), false);
  assert.equal(isLookedUp(bit(3), bit(5)), false);
  assert.equal(isLookedUp(string("character varying(3)", false), string("char(3)", true)), false);
  assert.equal(isLookedUp(string("character(3)", true), string("varchar(3)", false)), false);
});
