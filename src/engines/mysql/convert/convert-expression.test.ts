import assert from "node:assert/strict";
import { test } from "node:test";
import {
  column,
  convert,
  facts,
  index,
  int,
  mariadb,
  mysql8,
  mysql57,
  only,
  primary,
  string,
} from "../../../../test/support/mysql-convert.ts";
import { foreignKey, table } from "../../../../test/support/plan-situation.ts";
import type { Check, LogicalType } from "../../../core/schema.ts";
import { indexDefinition } from "../catalog/ddl.ts";
import type { ServerFacts } from "../connection/server-facts.ts";

test("generated columns are computed here when their expression means the same, else they are NULL", () => {
  const columns = [
    column("a", int),
    column("b", string, { nativeType: "text" }),
    column("sum", int, { generated: "(a + 1)" }),
    column("text", string, { nativeType: "text", generated: "((b || ' '::text) || (b)::text)" }),
    column("half", int, { generated: "(a / a)", nullable: false }),
  ];
  const converted = convert([table("s.t", { columns, key: [] })]);
  const made = only(converted).columns;
  assert.deepEqual(
    made.map(({ generated }) => generated),
    [undefined, undefined, "(`a` + 1)", "concat(concat(`b`, ' '), `b`)", undefined],
  );
  assert.equal(made[4]!.nullable, true);
  const told = converted.findings.filter(({ code }) => code === "convert.generated");
  assert.deepEqual(
    told.map(({ severity }) => severity),
    ["error"],
  );
});

test("what cannot be computed here comes as values where the source sends them", () => {
  const columns = [
    column("a", int),
    column("sum", int, { generated: "(a + 1)", sends: true }),
    column("half", int, { generated: "(a / a)", nullable: false, virtual: true, sends: true }),
  ];
  const { plan, findings } = convert([table("s.t", { columns, key: [] })]);
  const { source, target } = plan.tables[0]!;
  assert.deepEqual(
    source.columns.map(({ generated, virtual, nullable }) => [generated, virtual, nullable]),
    [
      [undefined, undefined, true],
      ["(a + 1)", undefined, true],
      [undefined, undefined, false],
    ],
  );
  assert.deepEqual(
    target.columns.map(({ generated, virtual, nullable }) => [generated, virtual, nullable]),
    [
      [undefined, undefined, true],
      ["(`a` + 1)", undefined, true],
      [undefined, undefined, false],
    ],
  );
  assert.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [["convert.generated", "warning"]],
  );
});

test("expressions that another order, case or type of values changes are not taken for the same", () => {
  const expressions = [
    "lower(b)",
    "(b < 'm'::text)",
    "((b >= b) AND (a > 1))",
    "(b || (a)::text)",
    "((a)::text = '1'::text)",
    "(a + '5'::integer)",
    "COALESCE((COALESCE(a, 1))::text, b)",
    "(b ~~ 'a\\_%'::text)",
    "(b = '{a}'::citext)",
    "(c = 'x'::text)",
    "(a / 0)",
    "app.length(b)",
    "(a = ANY ('{1,2}'::integer[]))",
    "(b)::character varying(3)",
    "GREATEST(a, 1)",
    // Of a value of fixed length it counts the spaces that fill it up.
    "octet_length(b)",
    "(a + 1) + 2) + (3",
  ];
  const generated = expressions.map((text, i) => column(`g${i}`, string, { generated: text }));
  const own = [
    column("a", int),
    column("b", string, { nativeType: "text" }),
    column("c", string, { nativeType: "citext" }),
  ];
  const converted = convert([table("s.t", { columns: [...own, ...generated], key: [] })]);
  const made = only(converted).columns.slice(own.length);
  assert.deepEqual(
    made.map((one) => one.generated),
    expressions.map(() => undefined),
  );
  const found = converted.findings.filter(({ code }) => code === "convert.generated");
  assert.equal(found.length, expressions.length);
});

const check = (name: string, native: string, validated = true): Check => ({ name, native, validated });

const conditions: readonly (readonly [string, string])[] = [
  ["((a > 0) AND (a <= 10))", "((`a` > 0) and (`a` <= 10))"],
  ["((a IS NULL) <> (b IS NULL))", "((`a` is null) <> (`b` is null))"],
  ["(a = ANY (ARRAY[1, '-2'::integer]))", "(`a` in (1, -2))"],
  [
    "((b)::text <> ALL ((ARRAY['x'::character varying, 'it''s'::character varying])::text[]))",
    "(`b` not in ('x', 'it''s'))",
  ],
  [
    "(NOT ((d >= '2020-01-01'::date) OR (a IS DISTINCT FROM 1)))",
    "(not ((`d` >= date'2020-01-01') or (not (`a` <=> 1))))",
  ],
  ["(num_nonnulls(a, b, d) = 1)", "(((`a` is not null) + (`b` is not null) + (`d` is not null)) = 1)"],
  ["(char_length(TRIM(BOTH FROM b)) > 2)", "(char_length(trim(both ' ' from `b`)) > 2)"],
  ["(CASE WHEN (a > 1) THEN a ELSE 1 END < (9)::numeric)", "((case when (`a` > 1) then `a` else 1 end) < 9)"],
  ["(b ~~ 'a_%'::text)", "(`b` like 'a_%')"],
];

test("checks that mean the same are taken over, the others are told", () => {
  const columns = [
    column("id", int, { identity: "always" }),
    column("a", int),
    column("b", string, { nativeType: "character varying(10)" }),
    column("d", { kind: "date" }),
    column("p", int),
  ];
  const left = [
    check("counted", "CHECK ((id > 0))"),
    check("late", "CHECK ((a > 0)) NOT VALID", false),
    check("regex", "CHECK ((b ~ '^a'::text))"),
    check("cascades", "CHECK ((p > 0))"),
    check("unchecked", "NOT NULL a", false),
  ];
  const taken = conditions.map(([text], i) =>
    check(`c${i}`, `CHECK (${text})${i === 0 ? " NO INHERIT" : ""}`),
  );
  const key = { ...foreignKey("fk", "s.p"), columns: ["p"], native: "ON UPDATE CASCADE" };
  const parts = {
    columns,
    indexes: [primary("id")],
    key: [0],
    foreignKeys: [key],
    checks: [...taken, ...left],
  };
  const parent = table("s.p", { columns: [column("id", int)], indexes: [primary("id")], key: [0] });
  const converted = convert(
    [table("s.t", parts), parent, table("s.u", { ...parts, checks: [taken[0]!] })],
    mysql8,
  );
  const [first, second] = ["t", "u"].map(
    (name) => converted.plan.tables.find(({ target }) => target.id.name === name)!.target.checks,
  );
  assert.deepEqual(
    first!.map(({ native }) => native),
    conditions.map(([, text]) => `check ${text}`),
  );
  assert.deepEqual(
    [...first!, ...second!].map(({ name }) => name),
    [...taken.map(({ name }) => name), "u_c0"],
  );
  const told = converted.findings.filter(({ code }) => code === "convert.check");
  assert.match(told[0]!.message, /left out: counted, late, regex, cascades, unchecked\.$/);
  const onMariadb = convert([table("s.t", parts), parent]).plan.tables.flatMap(({ target }) => target.checks);
  assert.equal(onMariadb.find(({ name }) => name === "cascades")?.native, "check (`p` > 0)");
  assert.deepEqual(only(convert([table("s.t", { ...parts, foreignKeys: [] })], mysql57)).checks, []);
});

test("a padded column is compared in checks, but MariaDB computes no column from one", () => {
  const padded: LogicalType = { kind: "string", maxChars: 5, fixed: true };
  const columns = [
    column("c", padded, { nativeType: "character(5)" }),
    column("size", int, { generated: "length(c)" }),
  ];
  const checks = [check("code", "CHECK ((c = 'ab'::bpchar))")];
  for (const [server, size] of [
    [mariadb, undefined],
    [mysql8, "char_length(`c`)"],
  ] as const) {
    const made = only(convert([table("s.t", { columns, key: [], checks })], server));
    assert.equal(made.columns[1]!.generated, size);
    assert.deepEqual(
      made.checks.map(({ native }) => native),
      ["check (`c` = 'ab')"],
    );
  }
});

test("where spaces at the end of texts do not count, no check compares texts", () => {
  const columns = [column("b", string, { nativeType: "text" })];
  const checks = [check("same", "CHECK ((b = 'x'::text))"), check("short", "CHECK ((length(b) < 5))")];
  const older = facts("mysql", [8, 0, 16]);
  const names = (server: ServerFacts): readonly string[] =>
    only(convert([table("s.t", { columns, key: [], checks })], server)).checks.map(({ name }) => name);
  assert.deepEqual(names(older), ["short"]);
  assert.deepEqual(names(mysql8), ["same", "short"]);
});

test("indexes of expressions come to MySQL where they are of no text", () => {
  const columns = [column("a", int), column("b", string, { nativeType: "text" })];
  const indexes = [
    index("sum", undefined, { native: "USING btree (((a + 1)) DESC, a)", unique: true }),
    index("size", undefined, { native: "USING btree (length(b))" }),
    index("text", undefined, { native: "USING btree (btrim(b))" }),
    index("some", undefined, { native: "USING btree (((a + 1))) WHERE (a > 0)" }),
  ];
  const made = (server: ServerFacts): readonly string[] =>
    only(convert([table("s.t", { columns, key: [], indexes })], server)).indexes.map(indexDefinition);
  assert.deepEqual(made(mysql8), [
    "unique index `sum` (((`a` + 1)) desc, `a`)",
    "index `size` ((char_length(`b`)))",
  ]);
  assert.deepEqual(made(mariadb), []);
});
