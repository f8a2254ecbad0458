import assert from "node:assert/strict";
import { test } from "node:test";
import {
  column,
  convert,
  index,
  int,
  mariadb,
  mysql8,
  mysql57,
  only,
  primary,
  refusing,
  string,
} from "../../../../test/support/mysql-convert.ts";
import { catalog, compile, foreignKey, sequence, table } from "../../../../test/support/plan-situation.ts";
import type { LogicalType, TableSchema } from "../../../core/schema.ts";
import { createTable, foreignKeyDefinition, indexDefinition } from "../catalog/ddl.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { convertPlan } from "./convert.ts";

const types: readonly (readonly [LogicalType, string, string?])[] = [
  [{ kind: "boolean" }, "tinyint(1)"],
  [{ kind: "int", bits: 16, unsigned: false }, "smallint"],
  [{ kind: "int", bits: 32, unsigned: true }, "int unsigned"],
  [{ kind: "decimal", precision: 10, scale: 2 }, "decimal(10,2)"],
  [{ kind: "decimal", precision: 3, scale: 5 }, "decimal(5,5)"],
  [{ kind: "decimal", precision: 3, scale: -2 }, "decimal(5,0)"],
  [{ kind: "decimal", precision: 100, scale: 50 }, "varchar(103)"],
  [{ kind: "decimal" }, "decimal(65,30)"],
  [{ kind: "float", bits: 32 }, "float"],
  [string, "longtext"],
  [{ kind: "string", maxChars: 20, fixed: false }, "varchar(20)"],
  [{ kind: "string", maxChars: 20_000, fixed: false }, "longtext"],
  [{ kind: "string", maxChars: 300, fixed: true }, "varchar(300)"],
  [{ kind: "bytes", fixed: false }, "longblob"],
  [{ kind: "bit", length: 64 }, "bit(64)"],
  [{ kind: "bit", length: 65 }, "varchar(65)"],
  [{ kind: "enum", values: ["it's", ""] }, "enum('it''s','')"],
  [{ kind: "enum", values: ["ends ", "a"] }, "varchar(5)"],
  [{ kind: "enum", values: Array.from({ length: 65_536 }, (_, i) => String(i)) }, "varchar(5)"],
  [{ kind: "uuid" }, "char(36)"],
  [{ kind: "json" }, "json"],
  [{ kind: "date" }, "date"],
  [{ kind: "time", precision: 6, zoned: false }, "time(6)"],
  [{ kind: "time", precision: 6, zoned: true }, "varchar(21)"],
  [{ kind: "timestamp", precision: 0, zoned: false }, "datetime"],
  [{ kind: "timestamp", precision: 3, zoned: true }, "datetime(3)"],
  [{ kind: "interval" }, "varchar(128)"],
  [{ kind: "array", of: int }, "longtext"],
  [{ kind: "opaque" }, "varchar(50)", "inet"],
  [{ kind: "opaque" }, "longtext", "tsvector"],
];

test("each type becomes one that holds its values", () => {
  for (const [type, expected, nativeType = "native"] of types) {
    const made = only(convert([table("s.t", { columns: [column("a", type, { nativeType })], key: [] })]));
    assert.equal(made.columns[0]!.nativeType, expected, type.kind);
  }
});

test("what a type here does not take is told before the start", () => {
  const { findings } = convert([
    table("s.t", { columns: [column("a", { kind: "decimal" }, { nativeType: "numeric" })], key: [] }),
  ]);
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [
      ["convert.type", "warning"],
      ["target.value_out_of_range", "info"],
    ],
  );
  assert.match(findings[0]!.message, /numeric become decimal\(65,30\).*s\.t\.a\./);
});

test("columns become what the source's endpoint wants, with defaults of that type", () => {
  const asText: LogicalType = { kind: "string", maxChars: 5, fixed: false };
  const columns = [
    column("a", { kind: "boolean" }, { convertsTo: asText, default: "true" }),
    column("b", { kind: "json" }, { convertsTo: string, default: "'{}'::jsonb" }),
    column("c", { kind: "boolean" }, { convertsTo: asText, generated: "(a AND (NOT a))" }),
  ];
  const made = convert([table("s.t", { columns, key: [] })]);
  assert.deepEqual(
    only(made).columns.map(({ nativeType, default: value, generated }) => [nativeType, value, generated]),
    [
      ["varchar(5)", "'true'", undefined],
      ["longtext", "'{}'", undefined],
      ["varchar(5)", undefined, undefined],
    ],
  );
});

test("what becomes of values out of range is told by the columns that may meet them", () => {
  const columns = [
    column("a", { kind: "float", bits: 64 }),
    column("b", { kind: "date" }),
    column("c", { kind: "timestamp", precision: 3, zoned: false }),
    column("d", { kind: "decimal", precision: 100, scale: 2 }),
  ];
  const { plan } = compile({ catalog: catalog({ tables: [table("s.t", { columns, key: [] })] }) });
  const { findings } = convertPlan(plan, mariadb, { numbers: "null", dates: "limit" });
  const told = findings.filter(({ code }) => code === "target.value_out_of_range");
  assert.match(told[0]!.message, /become NULL.*: s\.t\.a\.$/);
  assert.match(told[1]!.message, /become the first or last date.*: s\.t\.b, s\.t\.c\.$/);
  assert.equal(told.length, 2);
});

test("texts in a key get the length that the key has room for, in another index they are there in part", () => {
  const columns = [column("id", int), column("a", string), column("b", string), column("c", string)];
  const indexes = [
    primary("a", "id"),
    index("t_b", ["b"], { unique: true }),
    index("t_bc", ["b", "c"]),
    index("t_c", ["c"]),
  ];
  const made = only(convert([table("s.t", { columns, indexes, key: [1, 0] })]));
  assert.deepEqual(
    made.columns.map(({ nativeType }) => nativeType),
    ["int", "varchar(767)", "varchar(768)", "longtext"],
  );
  assert.deepEqual(
    made.indexes.map((one) => indexDefinition(one)),
    [
      "primary key (`a`, `id`)",
      "unique index `t_b` (`b`)",
      "index `t_bc` (`b`(384), `c`(384))",
      "index `t_c` (`c`(768))",
    ],
  );
});

test("indexes that have no equal here are left out and told", () => {
  const indexes = [
    index("expression", undefined),
    index("gin", ["a"], { native: "USING gin (a)" }),
    index("partial", ["a"], { unique: true, native: "USING btree (a) WHERE (a > 0)" }),
    index("covering", ["a"], { native: "USING btree (a) INCLUDE (b) WHERE (b > 0)" }),
    index("down", ["b", "a"], { native: "USING btree (b DESC NULLS LAST, a)" }),
    index("unique_c", ["b"], { unique: true, constraint: "unique", native: "UNIQUE (b)" }),
  ];
  const converted = convert([
    table("s.t", { columns: [column("a", int), column("b", int)], indexes, key: [] }),
  ]);
  assert.deepEqual(
    only(converted).indexes.map((one) => indexDefinition(one)),
    ["index `covering` (`a`)", "index `down` (`b` desc, `a`)", "constraint `unique_c` unique (`b`)"],
  );
  assert.deepEqual(
    converted.findings.map(({ severity, message }) => `${severity}: ${message}`),
    [
      "info: The index expression is over an expression and is left out.",
      "info: The index gin is of the kind gin and is left out.",
      "warning: The index partial is unique for some rows only and is left out.",
      "info: The index covering is one of all rows here.",
    ],
  );
});

test("rows that would be too long have their widest columns elsewhere, but for keys", () => {
  const wide: LogicalType = { kind: "string", maxChars: 10_000, fixed: false };
  const columns = [column("id", int), column("a", wide), column("b", { ...wide, maxChars: 9_000 })];
  const made = only(convert([table("s.t", { columns, indexes: [primary("id")], key: [0] })]));
  assert.deepEqual(
    made.columns.map(({ nativeType }) => nativeType),
    ["int", "longtext", "varchar(9000)"],
  );
});

const defaults: readonly (readonly [LogicalType, string, string | undefined, string | undefined])[] = [
  [{ kind: "string", maxChars: 9, fixed: false }, "'it''s'::character varying", "'it''s'", "'it''s'"],
  [string, "'x'::text", "'x'", undefined],
  [int, "'-1'::integer", "-1", "-1"],
  [int, "(-5)", "-5", "-5"],
  [{ kind: "boolean" }, "true", "1", "1"],
  [
    { kind: "timestamp", precision: 6, zoned: false },
    "now()",
    "current_timestamp(6)",
    "current_timestamp(6)",
  ],
  [{ kind: "timestamp", precision: 3, zoned: true }, "CURRENT_TIMESTAMP", "(utc_timestamp(3))", undefined],
  [
    { kind: "timestamp", precision: 0, zoned: true },
    "'2020-01-01 00:00:00+00'::timestamp with time zone",
    "'2020-01-01 00:00:00'",
    "'2020-01-01 00:00:00'",
  ],
  [{ kind: "date" }, "'infinity'::date", undefined, undefined],
  [{ kind: "uuid" }, "gen_random_uuid()", "(uuid())", undefined],
  [{ kind: "bit", length: 3 }, `'101'::"bit"`, "b'101'", "b'101'"],
  [int, "NULL::integer", undefined, undefined],
  [int, "random()", undefined, undefined],
];

test("defaults that mean the same are taken over", () => {
  for (const [type, given, onMariadb, onMysql57] of defaults) {
    const schema = table("s.t", { columns: [column("a", type, { default: given })], key: [] });
    assert.equal(only(convert([schema])).columns[0]!.default, onMariadb, given);
    assert.equal(only(convert([schema], mysql57)).columns[0]!.default, onMysql57, `${given} on MySQL 5.7`);
  }
});

test("a column that draws from its own sequence counts by itself, if a unique index begins with it", () => {
  const counted = table("s.t", {
    columns: [column("id", int, { nullable: false, identity: "always" }), column("n", int)],
    indexes: [primary("id")],
    key: [0],
  });
  const other = table("s.u", {
    columns: [column("a", int), column("n", int, { default: "nextval('s.u_n_seq'::regclass)" })],
    indexes: [],
    key: [],
  });
  const sequences = [
    sequence("s.t_id_seq", { ownedBy: { table: counted.id, column: "id" }, internal: true }),
    sequence("s.u_n_seq", { ownedBy: { table: other.id, column: "n" } }),
    sequence("s.free"),
  ];
  const { plan, findings } = convert([counted, other], mariadb, { sequences });
  const byName = new Map(plan.tables.map(({ target }) => [target.id.name, target]));
  assert.match(createTable(byName.get("t")!, mariadb), /`id` int not null auto_increment,/);
  assert.doesNotMatch(createTable(byName.get("u")!, mariadb), /auto_increment/);
  assert.deepEqual(
    plan.sequences.map(({ source, target }) => [source.id.name, target.id.name]),
    [["t_id_seq", "t"]],
  );
  const codes = findings.map(({ code }) => code);
  assert.ok(codes.includes("convert.default") && codes.includes("convert.object"), codes.join(", "));
});

test("foreign keys have names of their own in a database, and actions that the server knows", () => {
  const parent = table("s.p", { columns: [column("id", int)], indexes: [primary("id")], key: [0] });
  const child = (name: string, native: string): TableSchema => {
    const key = { ...foreignKey("fk", "s.p"), columns: ["p"], native };
    return table(name, { columns: [column("p", int)], indexes: [], key: [], foreignKeys: [key] });
  };
  const converted = convert([
    parent,
    child("s.c1", "ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED"),
    child("s.c2", "MATCH FULL ON DELETE SET DEFAULT"),
  ]);
  const keys = converted.plan.tables.flatMap(({ target }) => target.foreignKeys.map(foreignKeyDefinition));
  assert.deepEqual(keys, [
    "constraint `fk` foreign key (`p`) references `s`.`p` (`id`) on delete set null on update cascade",
    "constraint `c2_fk` foreign key (`p`) references `s`.`p` (`id`)",
  ]);
  assert.equal(converted.findings.filter(({ code }) => code === "convert.reference").length, 2);
});

test("names that the server tells apart by more than case are refused where it does not", () => {
  const tables = [table("s.T", { columns: [column("a", int), column("A", int)], key: [] }), table("s.t")];
  const byCase = convert(tables);
  assert.deepEqual(
    byCase.findings.filter(({ severity }) => severity === "error").map(({ table: id }) => id?.name),
    ["T"],
  );
  const plan = compile({ catalog: catalog({ tables: [table("s.T"), table("s.t")] }) }).plan;
  const lower = convertPlan(plan, { ...mariadb, lowerCaseTableNames: 1 }, refusing);
  assert.deepEqual(
    lower.findings.filter(({ code }) => code === "convert.name").map(({ severity }) => severity),
    ["error"],
  );
});

test("between MySQL and MariaDB only what the other has not is put in other words", () => {
  const columns = [
    column("id", int, { nativeType: "int(11)", nullable: false, identity: "by-default" }),
    column("u", { kind: "uuid" }, { nativeType: "uuid" }),
    column("a", string, { nativeType: "varchar(10)", collation: "utf8mb4_0900_ai_ci", default: "'x'" }),
    column("n", string, { nativeType: "varchar(10)", collation: "utf8mb3_uca1400_ai_ci" }),
    column(
      "made",
      { kind: "timestamp", precision: 0, zoned: true },
      { nativeType: "timestamp", default: "current_timestamp() ON UPDATE current_timestamp()" },
    ),
    column("j", { kind: "json" }, { nativeType: "json", default: "json_object()" }),
  ];
  const indexes = [
    index("PRIMARY", ["id"], { unique: true, constraint: "primary-key", native: "PRIMARY KEY (`id`)" }),
  ];
  const schema = table("s.t", { columns, indexes, key: [0] });
  const onto = (server: ServerFacts): readonly (readonly (string | undefined)[])[] =>
    only(convert([schema], server, { dialect: "mysql" })).columns.map((one) => [
      one.nativeType,
      one.collation,
      one.default,
    ]);
  assert.deepEqual(onto(mariadb).slice(1, 4), [
    ["uuid", undefined, undefined],
    ["varchar(10)", "utf8mb4_unicode_520_nopad_ci", "'x'"],
    ["varchar(10)", "utf8mb3_uca1400_ai_ci", undefined],
  ]);
  assert.deepEqual(onto(mysql57), [
    ["int(11)", undefined, undefined],
    ["char(36)", undefined, undefined],
    ["varchar(10)", "utf8mb4_unicode_520_ci", "'x'"],
    ["varchar(10)", "utf8_unicode_520_ci", undefined],
    ["timestamp", undefined, "current_timestamp() ON UPDATE current_timestamp()"],
    ["json", undefined, undefined],
  ]);
  assert.deepEqual(onto(mysql8)[2], ["varchar(10)", "utf8mb4_0900_ai_ci", "'x'"]);
  assert.deepEqual(onto(mysql8)[5], ["json", undefined, "(json_object())"]);
});
