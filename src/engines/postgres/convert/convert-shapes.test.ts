import assert from "node:assert/strict";
import { test } from "node:test";
import {
  column,
  indexOn,
  int,
  mysqlCatalog,
  mysqlTable,
  primaryKey,
} from "../../../../test/support/mysql-catalog.ts";
import { compile } from "../../../../test/support/plan-situation.ts";
import type { Column, ShapeType } from "../../../core/schema.ts";
import { convertPlan } from "./convert.ts";

const shape = (name: string, nativeType: string, is: ShapeType): Column =>
  column(name, nativeType, { kind: "bytes", fixed: false, shape: is });

const places = mysqlTable(
  "shop.places",
  [
    int("id", { nullable: false }),
    shape("any", "geometry", { of: "geometry" }),
    shape("at", "point srid 4326", { of: "point", reference: 4326 }),
    shape("all", "geomcollection", { of: "geometrycollection" }),
    shape("some", "geometry srid 25832", { of: "geometry", reference: 25_832 }),
    shape("far", "polygon srid 1000000", { of: "polygon", reference: 1_000_000 }),
  ],
  {
    indexes: [
      primaryKey("id"),
      indexOn("near", "", { columns: ["at"], native: "SPATIAL (`at`)" }),
      indexOn("begin", "`any`(8)"),
      indexOn("bounds", "", { columns: ["far"], native: "SPATIAL (`far`)" }),
    ],
  },
);

const { plan } = compile({ catalog: mysqlCatalog([places]) });

test("shapes become those of PostGIS, with an index of space, where the target has it", () => {
  const converted = convertPlan(plan, "gis.geometry");
  const [table] = converted.plan.target.tables;
  assert.deepEqual(
    table!.columns.map(({ nativeType }) => nativeType),
    [
      "integer",
      "gis.geometry",
      "gis.geometry(point,4326)",
      "gis.geometry",
      "gis.geometry(geometry,25832)",
      "bytea",
    ],
  );
  assert.deepEqual(
    table!.indexes.map(({ native }) => native),
    ['primary key ("id")', 'using gist ("at")'],
  );
  const told = converted.findings.map(({ message }) => message).join("\n");
  assert.match(told, /index begin .* is left out/);
  assert.match(told, /index bounds .* is left out/);
  assert.match(told, /Columns of shapes become bytea .*: shop\.places\.far/);
});

test("elsewhere they become bytes, and indexes of space are told", () => {
  const converted = convertPlan(plan);
  const [table] = converted.plan.target.tables;
  assert.deepEqual([...new Set(table!.columns.slice(1).map(({ nativeType }) => nativeType))], ["bytea"]);
  assert.deepEqual(
    table!.indexes.map(({ name, native }) => [name, native]),
    [
      ["places_pkey", 'primary key ("id")'],
      ["begin", 'using btree (substring("any" from 1 for 8))'],
    ],
  );
});
