import assert from "node:assert/strict";
import { test } from "node:test";
import { ruledTypes, typesByRule } from "../../../../test/support/ruled-types.ts";
import { convertPlan } from "./convert.ts";

test("types that rules give are named in PostgreSQL's words, in plans of its own dialect, too", () => {
  for (const dialect of ["postgres", "mysql"]) {
    assert.deepEqual(
      ruledTypes(convertPlan(typesByRule(dialect)).plan),
      {
        ...{
          boolean: "boolean",
          date: "date",
          int1: "smallint",
          int2: "smallint",
          int4: "integer",
          int8: "bigint",
        },
        ...{ uint1: "smallint", uint2: "integer", uint4: "bigint", uint8: "numeric(20,0)" },
        ...{ numeric: "numeric(12,3)", real4: "real", real8: "double precision" },
        ...{ time: "time(3) without time zone", datetime: "timestamp(3) without time zone" },
        ...{ string: "character varying(9)", wstring: "character varying(9)", clob: "text", nclob: "text" },
        ...{ bytes: "bytea", blob: "bytea" },
      },
      dialect,
    );
  }
});
