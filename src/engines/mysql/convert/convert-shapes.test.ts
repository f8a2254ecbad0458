import assert from "node:assert/strict";
import { test } from "node:test";
import * as mysql from "../../../../test/support/mysql-catalog.ts";
import { mariadb, mysql8, mysql57, only, refusing } from "../../../../test/support/mysql-convert.ts";
import { compile } from "../../../../test/support/plan-situation.ts";
import type { Column } from "../../../core/schema.ts";
import { columnDefinition } from "../catalog/ddl.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { convertPlan } from "./convert.ts";

const shape = { of: "point", reference: 4326 } as const;
const place = mysql.column("place", "point srid 4326", { kind: "bytes", fixed: false, shape });
const computed = { ...place, name: "same", nullable: false, generated: "`place`", sends: true as const };

function columnsOn(server: ServerFacts): readonly Column[] {
  const table = mysql.mysqlTable("shop.places", [mysql.int("id", { nullable: false }), place, computed], {
    indexes: [mysql.primaryKey("id")],
  });
  const { plan } = compile({ catalog: mysql.mysqlCatalog([table]) });
  return only(convertPlan(plan, server, refusing)).columns.slice(1);
}

test("a column of shapes stays bound to its reference system where the target has that", () => {
  assert.deepEqual(
    columnsOn(mysql8).map((column) => columnDefinition(column, mysql8)),
    ["`place` point null srid 4326", "`same` point generated always as (`place`) stored not null srid 4326"],
  );
  for (const server of [mysql57, mariadb]) {
    assert.deepEqual(
      columnsOn(server).map(({ nativeType }) => nativeType),
      ["point", "point"],
    );
  }
});
