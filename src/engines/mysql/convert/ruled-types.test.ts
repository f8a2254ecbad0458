import assert from "node:assert/strict";
import { test } from "node:test";
import { mariadb, refusing } from "../../../../test/support/mysql-convert.ts";
import { ruledTypes, typesByRule } from "../../../../test/support/ruled-types.ts";
import { convertPlan } from "./convert.ts";

test("types that rules give are named in MySQL's words, in plans of its own dialect, too", () => {
  for (const dialect of ["postgres", "mysql"]) {
    const { plan } = convertPlan(typesByRule(dialect), mariadb, refusing);
    assert.deepEqual(
      ruledTypes(plan),
      {
        ...{
          boolean: "tinyint(1)",
          date: "date",
          int1: "tinyint",
          int2: "smallint",
          int4: "int",
          int8: "bigint",
        },
        ...{
          uint1: "tinyint unsigned",
          uint2: "smallint unsigned",
          uint4: "int unsigned",
          uint8: "bigint unsigned",
        },
        ...{ numeric: "decimal(12,3)", real4: "float", real8: "double" },
        ...{ time: "time(3)", datetime: "datetime(3)" },
        ...{ string: "varchar(9)", wstring: "varchar(9)", clob: "longtext", nclob: "longtext" },
        ...{ bytes: "varbinary(9)", blob: "longblob" },
      },
      dialect,
    );
  }
});
