import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bigId,
  column,
  indexOn,
  int,
  mysqlCatalog,
  mysqlTable,
  primaryKey,
  reference,
  text,
} from "../../../../test/support/mysql-catalog.ts";
import { compile, sequence } from "../../../../test/support/plan-situation.ts";
import type { Catalog, Column, LogicalType, TableSchema } from "../../../core/schema.ts";
import type { ConvertedPlan } from "../../../core/target.ts";
import { convertPlan } from "./convert.ts";
import { convertDefault } from "./convert-default.ts";
import { postgresType } from "./convert-type.ts";

/** Through the table mappings, as a task does it. */
function converted(catalog: Catalog): ConvertedPlan {
  const compiled = compile({ catalog });
  assert.deepEqual(compiled.findings, []);
  return convertPlan(compiled.plan);
}

function targetOf(plan: ConvertedPlan, name: string): TableSchema {
  return plan.plan.target.tables.find(({ id }) => id.name === name)!;
}

function told(plan: ConvertedPlan): readonly string[] {
  return plan.findings.map(({ code, message }) => `${code}: ${message}`);
}

test("a plan of PostgreSQL's own dialect stays as it is", () => {
  const { plan } = compile({ catalog: { ...mysqlCatalog([]), dialect: "postgres" } });
  assert.deepEqual(convertPlan(plan), { plan, findings: [] });
});

test("every logical type has a type that holds it", () => {
  const types: readonly (readonly [LogicalType, string])[] = [
    [{ kind: "boolean" }, "boolean"],
    [{ kind: "int", bits: 8, unsigned: false }, "smallint"],
    [{ kind: "int", bits: 8, unsigned: true }, "smallint"],
    [{ kind: "int", bits: 16, unsigned: false }, "smallint"],
    [{ kind: "int", bits: 16, unsigned: true }, "integer"],
    [{ kind: "int", bits: 24, unsigned: true }, "integer"],
    [{ kind: "int", bits: 32, unsigned: false }, "integer"],
    [{ kind: "int", bits: 32, unsigned: true }, "bigint"],
    [{ kind: "int", bits: 64, unsigned: false }, "bigint"],
    [{ kind: "int", bits: 64, unsigned: true }, "numeric(20,0)"],
    [{ kind: "float", bits: 32 }, "real"],
    [{ kind: "float", bits: 64 }, "double precision"],
    [{ kind: "decimal", precision: 65, scale: 30 }, "numeric(65,30)"],
    [{ kind: "decimal" }, "numeric"],
    [{ kind: "string", maxChars: 20, fixed: true }, "character(20)"],
    [{ kind: "string", maxChars: 0, fixed: false }, "character varying(1)"],
    [{ kind: "string", maxChars: 65_535, fixed: false }, "character varying(65535)"],
    [{ kind: "string", fixed: false }, "text"],
    [{ kind: "bytes", maxBytes: 16, fixed: true }, "bytea"],
    [{ kind: "bit", length: 64 }, "bit(64)"],
    [{ kind: "date" }, "date"],
    [{ kind: "interval" }, "interval"],
    [{ kind: "time", precision: 3, zoned: false }, "time(3) without time zone"],
    [{ kind: "timestamp", precision: 0, zoned: false }, "timestamp(0) without time zone"],
    [{ kind: "timestamp", precision: 6, zoned: true }, "timestamp(6) with time zone"],
    [{ kind: "enum", values: ["a", "ünï", "bb"] }, "character varying(3)"],
    [{ kind: "set", values: ["a", "b"] }, "text"],
    [{ kind: "json" }, "jsonb"],
    [{ kind: "uuid" }, "uuid"],
  ];
  for (const [type, name] of types) assert.equal(postgresType(type), name);
});

test("defaults are written as PostgreSQL reads them, and what it has not is left out", () => {
  const varchar: LogicalType = { kind: "string", maxChars: 50, fixed: false };
  const whole: LogicalType = { kind: "int", bits: 32, unsigned: false };
  const moment: LogicalType = { kind: "timestamp", precision: 3, zoned: true };
  const local: LogicalType = { kind: "timestamp", precision: 0, zoned: false };
  const forms: readonly (readonly [string | undefined, LogicalType, string | undefined])[] = [
    [undefined, varchar, undefined],
    ["NULL", varchar, undefined],
    ["'it''s \\\\ \\'x\\' \\n'", varchar, "'it''s \\ ''x'' \n'"],
    ["''", varchar, "''"],
    ["5", whole, "5"],
    ["'-7'", whole, "-7"],
    ["0.50", { kind: "decimal", precision: 5, scale: 2 }, "0.50"],
    ["1e3", { kind: "float", bits: 64 }, "1e3"],
    ["b'101'", { kind: "bit", length: 8 }, "B'00000101'"],
    ["b'1'", { kind: "boolean" }, "true"],
    ["'0'", { kind: "boolean" }, "false"],
    ["x'00ff'", { kind: "bytes", maxBytes: 4, fixed: true }, "'\\x00ff0000'::bytea"],
    ["'ab'", { kind: "bytes", maxBytes: 9, fixed: false }, "'\\x6162'::bytea"],
    ["current_timestamp()", local, "localtimestamp(0)"],
    ["CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)", moment, "current_timestamp(3)"],
    ["(curdate())", { kind: "date" }, "current_date"],
    ["'2020-02-29'", { kind: "date" }, "'2020-02-29'"],
    ["'2020-01-02 03:04:05'", moment, "'2020-01-02 03:04:05+00'"],
    ["'-838:59:59'", { kind: "interval" }, "'-838:59:59'"],
    ["'b,c'", { kind: "enum", values: ["a", "b,c"] }, "'b,c'"],
    ["'{\"a\": 1}'", { kind: "json" }, "'{\"a\": 1}'"],
    ["'0000-00-00'", { kind: "date" }, undefined],
    ["'2021-02-30 00:00:00'", local, undefined],
    ["'0000-00-00 00:00:00'", moment, undefined],
    ["uuid()", varchar, undefined],
    ["(`a` + 1)", whole, undefined],
    ["nextval(`shop`.`numbers`)", whole, 'nextval(\'"to"."numbers"\'::regclass)'],
    ["nextval(`shop`.`others`)", whole, undefined],
  ];
  for (const [native, type, sql] of forms) {
    const defaults = native === undefined ? {} : { default: native };
    const found = convertDefault(column("c", "", type, defaults), ({ name }) =>
      name === "numbers" ? { schema: "to", name } : undefined,
    );
    assert.equal(found.sql, sql, native);
    assert.equal(found.isLeftOut, sql === undefined && native !== undefined && native !== "NULL", native);
    assert.equal(found.followsUpdates, native?.includes("ON UPDATE") === true, native);
  }
});

test("unsigned identity columns and all that foreign keys tie to them are bigint", () => {
  const key = { nullable: false, identity: "by-default" } as const;
  const plan = converted(
    mysqlCatalog([
      mysqlTable("shop.a", [bigId("id", key)]),
      mysqlTable("shop.b", [bigId("id", { nullable: false }), bigId("free")], {
        foreignKeys: [reference("b_a", ["id", "shop.a", "id"])],
      }),
      mysqlTable("shop.c", [int("id", { nullable: false }), bigId("b")], {
        foreignKeys: [reference("c_b", ["b", "shop.b", "id"], "ON DELETE SET NULL ON UPDATE CASCADE")],
      }),
    ]),
  );
  const types = (name: string) => targetOf(plan, name).columns.map(({ nativeType }) => nativeType);
  assert.deepEqual(
    [types("a"), types("b"), types("c")],
    [["bigint"], ["bigint", "numeric(20,0)"], ["integer", "bigint"]],
  );
  assert.equal(targetOf(plan, "c").foreignKeys[0]!.native, "on delete set null on update cascade");
  assert.ok(
    told(plan).some((line) => /^convert.type: .* end at 9223372036854775807.*shop\.a\.id/.test(line)),
  );
});

test("a generated column is an ordinary one, and the source sends its values", () => {
  const computed = int("twice", { generated: "`id` * 2", virtual: true, default: "1" });
  const plan = converted(mysqlCatalog([mysqlTable("shop.a", [int("id"), computed])]));
  const [{ source, target } = assert.fail()] = plan.plan.tables;
  for (const { columns } of [source, target]) {
    assert.ok(columns.every((one) => one.generated === undefined && one.virtual === undefined));
  }
  assert.equal(target.columns[1]!.default, undefined);
  assert.match(
    told(plan).join("\n"),
    /convert\.generated: The column twice is computed by the source as `id` \* 2/,
  );
});

test("indexes keep their names where these are free, and get their table's before them where not", () => {
  const tables = ["one", "two", "by_name"].map((name) =>
    mysqlTable(`shop.${name}`, [int("id"), text("name", 100)], {
      indexes: [
        primaryKey("id"),
        indexOn("by_name", "`name`(10), `id` desc"),
        indexOn("words", "`name`", {
          native: "fulltext (`name`)",
        }),
      ],
    }),
  );
  const plan = converted(mysqlCatalog(tables));
  const names = plan.plan.target.tables.map(({ indexes }) => indexes.map(({ name }) => name));
  assert.deepEqual(names, [
    ["one_pkey", "one_by_name"],
    ["two_pkey", "two_by_name"],
    ["by_name_pkey", "by_name_by_name"],
  ]);
  assert.equal(targetOf(plan, "one").indexes[1]!.native, 'using btree (left("name", 10), "id" desc)');
  assert.equal(told(plan).filter((line) => /convert\.index: The index words/.test(line)).length, 3);
});

test("names that PostgreSQL cannot have are made shorter, and a table's needs a rule", () => {
  const long = "ü".repeat(40);
  const columns = [int("id"), int("xmin"), int("xmin_"), int(`${long}1`), int(`${long}2`)];
  const plan = converted(
    mysqlCatalog([
      mysqlTable("shop.a", columns, { indexes: [primaryKey("id"), indexOn("i", `\`${long}2\``)] }),
      mysqlTable(`shop.${"t".repeat(64)}`, [int("id")]),
      mysqlTable("pg_shop.b", [int("id")]),
    ]),
  );
  const { columns: named, indexes } = targetOf(plan, "a");
  const names = named.map(({ name }) => name);
  assert.deepEqual(names, ["id", "xmin__2", "xmin_", "ü".repeat(31), `${"ü".repeat(30)}_2`]);
  assert.deepEqual(indexes[1]!.columns, [`${"ü".repeat(30)}_2`]);
  const codes = plan.findings
    .filter(({ severity }) => severity === "error")
    .map(({ code, subject }) => [code, subject]);
  assert.deepEqual(codes, [
    ["mapping.schema_name_invalid", "pg_shop"],
    ["mapping.table_name_invalid", `shop.${"t".repeat(64)}`],
  ]);
});

test("checks of numbers, dates and lengths come along, and others are told of", () => {
  const checks = [
    [
      "range",
      "check (`id` between 1 and 10 and not `n` in (2, -3))",
      'check ("id" between 1 and 10 and not "n" in (2, -3))',
    ],
    ["apart", "check ((`id` <> `n`) or (`n` is not null))", 'check (("id" <> "n") or ("n" is not null))'],
    ["texts", "check (`name` > 'a')", undefined],
    ["text", "check (`name` > 1)", undefined],
    ["sum", "check (`id` + `n` > 0)", 'check (("id"::numeric + "n") > 0)'],
    ["rest", "check (((`id` * 2) MOD 3) = 1)", 'check ((("id"::numeric * 2)::numeric % 3) = 1)'],
    ["rest2", "check (`id` % `n` = 1)", undefined],
    ["some", "check ((`name` is not null) or `d` is null)", 'check (("name" is not null) or "d" is null)'],
    ["size", "check (char_length(`name`) between 2 and 5)", 'check (char_length("name") between 2 and 5)'],
    [
      "days",
      "check ((`d` >= _utf8mb4'2020-01-01') and (`m` < '2030-01-01 12:00:00.5'))",
      `check (("d" >= '2020-01-01'::date) and ("m" < '2030-01-01 12:00:00.5'::timestamp))`,
    ],
    ["no day", "check (`d` > '2023-02-29')", undefined],
    ["negative", "check (`n` > -(5))", 'check ("n" > -5)'],
    ["constant", "check ('x''y' is null)", undefined],
    ["zero", "check (`d` > '0000-00-00')", undefined],
    ["moment", "check (`d` > '2023-01-01 10:00:00')", undefined],
    ["unlike", "check (`d` < `m`)", undefined],
    ["unclosed", "check ((`id` > 1)", undefined],
    ["value", "check (`id` + 1)", undefined],
    ["truth", "check (`id`)", undefined],
    ["chain", "check (`id` < `n` < 5)", undefined],
    ["call", "check (length(`name`) > 5)", undefined],
    ["off", "check (`id` > 0) not enforced", undefined],
  ] as const;
  const columns = [
    ...[int("id"), int("n"), text("name", 10), column("j", "json", { kind: "json" })],
    column("d", "date", { kind: "date" }),
    column("m", "datetime(3)", { kind: "timestamp", precision: 3, zoned: false }),
  ];
  const plan = converted(
    mysqlCatalog([
      mysqlTable("shop.a", columns, {
        checks: [
          ...checks.map(([name, native]) => ({ name, native, validated: true })),
          { name: "j", native: "check (json_valid(`j`))", validated: true },
        ],
      }),
    ]),
  );
  const made = targetOf(plan, "a").checks.map(({ name, native }) => [name, native]);
  const expected = checks.flatMap(([name, , native]) => (native === undefined ? [] : [[name, native]]));
  assert.deepEqual(made, expected);
  const left = told(plan).filter((line) => line.startsWith("convert.check"));
  assert.equal(left.length, checks.length - expected.length);
});

test("a foreign key that PostgreSQL cannot have is left out and told of", () => {
  const plan = converted(
    mysqlCatalog([
      mysqlTable("shop.a", [int("id"), int("plain"), text("name", 10)], {
        indexes: [
          primaryKey("id"),
          indexOn("names", "`name`(3)", { unique: true }),
          indexOn("plain", "`plain`"),
        ],
      }),
      mysqlTable("shop.b", [int("id"), text("name", 20)], {
        foreignKeys: [
          reference("to_plain", ["id", "shop.a", "plain"]),
          reference("to_prefix", ["name", "shop.a", "name"]),
          reference("to_other", ["name", "shop.a", "id"]),
          reference("good", ["id", "shop.a", "id"]),
        ],
      }),
    ]),
  );
  assert.deepEqual(
    targetOf(plan, "b").foreignKeys.map(({ name }) => name),
    ["good"],
  );
  assert.deepEqual(
    told(plan).filter((line) => line.startsWith("convert.reference")),
    [
      "convert.reference: The foreign key to_plain refers to columns that are not unique together, and is left out.",
      "convert.reference: The foreign key to_prefix refers to columns that are not unique together, and is left out.",
      "convert.reference: The foreign key to_other leads from the column name to one of another type, and is left out.",
    ],
  );
});

test("a foreign key that acts by itself on texts that are compared loosely is told of", () => {
  const silent = { onDelete: "cascade" } as const;
  const keyOf = (collation: string) =>
    mysqlTable(`shop.${collation}`, [{ ...text("code", 10), collation }], {
      foreignKeys: [
        { ...reference(`${collation}_key`, ["code", "shop.a", "code"]), silent },
        reference("restricts", ["code", "shop.a", "code"]),
      ],
    });
  const collations = ["utf8mb4_general_ci", "utf8mb4_bin", "utf8mb4_0900_bin", "utf8mb4_nopad_bin"];
  const plan = converted(mysqlCatalog([mysqlTable("shop.a", [text("code", 10)]), ...collations.map(keyOf)]));
  const named = told(plan).flatMap(
    (line) => /^convert.collation: What the foreign key (\w+)/.exec(line)?.[1] ?? [],
  );
  assert.deepEqual(named.toSorted(), ["utf8mb4_bin_key", "utf8mb4_general_ci_key"]);
});

test("objects, types and rights of the source's dialect are left out with one line for each kind", () => {
  const view = { kind: "view", native: ["create view v"], stage: "after-rows", needs: [] } as const;
  const plan = converted(
    mysqlCatalog([mysqlTable("shop.a", [int("id")])], {
      objects: [1, 2, 3, 4, 5, 6, 7].map((n) => ({ ...view, id: { schema: "shop", name: `v${n}` } })),
    }),
  );
  assert.deepEqual(plan.plan.target.objects, []);
  assert.deepEqual(told(plan), [
    "convert.object: Objects of the kind view are written in the source's dialect and are left out: " +
      "shop.v1, shop.v2, shop.v3, shop.v4, shop.v5 and 2 more.",
  ]);
});

test("an identity that the target's column cannot be loses its sequence", () => {
  const key: Partial<Column> = { nullable: false, identity: "by-default" };
  const float = column("id", "double", { kind: "float", bits: 64 }, key);
  const own = {
    ...sequence("shop.numbers"),
    native: "start with 5 increment by 0 maxvalue 100 nocache cycle",
  };
  const owned = (table: string) => ({
    ...sequence(`shop.${table}_id_seq`, { internal: true }),
    ownedBy: { table: { schema: "shop", name: table }, column: "id" },
  });
  const plan = converted(
    mysqlCatalog([mysqlTable("shop.a", [float]), mysqlTable("shop.b", [int("id", key)])], {
      sequences: [owned("a"), owned("b"), own],
    }),
  );
  assert.deepEqual(
    plan.plan.sequences.map(({ target }) => [target.id.name, target.native]),
    [
      ["numbers", "as bigint start 5 increment 1 maxvalue 100 cycle"],
      ["b_id_seq", ""],
    ],
  );
  assert.equal(targetOf(plan, "a").columns[0]!.identity, undefined);
});
