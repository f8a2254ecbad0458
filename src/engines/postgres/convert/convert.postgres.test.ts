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
import { compile, id, sequence } from "../../../../test/support/plan-situation.ts";
import { startPostgres } from "../../../../test/support/postgres-server.ts";
import { createAll, type Target } from "../../../../test/support/schema-plan.ts";
import { serverOfFile } from "../../../../test/support/server-pair.ts";
import type { Catalog, Column, LogicalType } from "../../../core/schema.ts";
import { convertPlan } from "./convert.ts";

const server = await serverOfFile(startPostgres());

const key: Partial<Column> = { nullable: false, identity: "by-default" };

/** One column of each kind that defaults may have. */
const kinds: readonly (readonly [
  name: string,
  type: LogicalType,
  native: string | undefined,
  shown: string,
])[] = [
  ["tiny", { kind: "int", bits: 8, unsigned: false }, "'-1'", "-1"],
  ["big", { kind: "int", bits: 64, unsigned: true }, "18446744073709551615", "18446744073709551615"],
  ["price", { kind: "decimal", precision: 65, scale: 30 }, "'0.5'", "0.500000000000000000000000000000"],
  ["ratio", { kind: "float", bits: 32 }, "1.5e0", "1.5"],
  ["flag", { kind: "boolean" }, "b'1'", "true"],
  ["bits", { kind: "bit", length: 10 }, "b'101'", "0000000101"],
  ["code", { kind: "string", maxChars: 4, fixed: true }, "'ab'", "ab  "],
  ["note", { kind: "string", fixed: false }, "'it''s \\\\'", "it's \\"],
  ["raw", { kind: "bytes", maxBytes: 3, fixed: true }, "x'0f'", "\\x0f0000"],
  ["day", { kind: "date" }, "'2020-02-29'", "2020-02-29"],
  [
    "moment",
    { kind: "timestamp", precision: 3, zoned: true },
    "'2020-01-02 03:04:05.678'",
    "2020-01-02 03:04:05.678+00",
  ],
  [
    "local",
    { kind: "timestamp", precision: 0, zoned: false },
    "'2020-01-02 03:04:05'",
    "2020-01-02 03:04:05",
  ],
  ["span", { kind: "interval" }, "'-838:59:59'", "-838:59:59"],
  ["hour", { kind: "time", precision: 2, zoned: false }, "'23:59:59'", "23:59:59"],
  ["label", { kind: "enum", values: ["a", "b,c"] }, "'b,c'", "b,c"],
  ["some", { kind: "set", values: ["a", "b"] }, "'a,b'", "a,b"],
  ["json", { kind: "json" }, "'{\"a\": [1]}'", '{"a": [1]}'],
  ["uuid", { kind: "uuid" }, undefined, ""],
  ["number", { kind: "int", bits: 32, unsigned: false }, "nextval(`shop`.`numbers`)", "5"],
];

async function created(catalog: Catalog): Promise<Target> {
  const { plan } = convertPlan(compile({ catalog }).plan);
  const target = { server, database: await server.createDatabase("target") };
  await createAll(target, plan, "drop-and-create");
  return target;
}

test("tables of a converted plan are made, with defaults that mean what the source's mean", async () => {
  const columns = kinds.map(([name, type, native]) => {
    return column(name, "", type, native === undefined ? {} : { default: native });
  });
  const now: LogicalType = { kind: "timestamp", precision: 6, zoned: false };
  const stamp = column("stamp", "", now, { default: "current_timestamp(6) on update current_timestamp(6)" });
  const target = await created(
    mysqlCatalog([mysqlTable("shop.kinds", [int("id", key), ...columns, stamp])], {
      sequences: [{ ...sequence("shop.numbers"), native: "start with 5 increment by 5 nocycle cache 1000" }],
    }),
  );
  const shown = kinds
    .map(([name]) => (name === "code" ? `rpad(${name}, 4) as code` : `"${name}"::text`))
    .join(", ");
  const [row] = await server.query(
    `set timezone = 'UTC'; insert into shop.kinds default values;
     select ${shown}, id, stamp between now()::timestamp - interval '1 minute' and now()::timestamp + interval '1 minute' as timely
       from shop.kinds`,
    target.database,
  );
  for (const [name, , , value] of kinds) assert.equal(row[name] ?? "", value, name);
  assert.equal(row.id, 1);
  assert.equal(row.timely, true);
});

test("keys, indexes, foreign keys, checks and comments of a converted plan are made", async () => {
  const long = "n".repeat(64);
  const target = await created(
    mysqlCatalog(
      [
        mysqlTable("shop.parents", [bigId("id", key), text("name", 100, { comment: "who's who" })], {
          indexes: [
            primaryKey("id"),
            indexOn("name", "`name`", { unique: true, constraint: "unique" }),
            indexOn("some", "`name`(3) desc, `id`"),
          ],
          checks: [{ name: "positive", native: "check (`id` > 0)", validated: true }],
          comment: "of a kind",
        }),
        mysqlTable("shop.children", [int("ctid", { nullable: false }), bigId("parent"), int(long)], {
          indexes: [primaryKey("ctid", long), indexOn("some", `\`${long}\``), indexOn("parent", "`parent`")],
          foreignKeys: [
            reference("name", ["parent", "shop.parents", "id"], "ON DELETE CASCADE ON UPDATE NO ACTION"),
            reference("self", ["parent", "shop.parents", "id"]),
          ],
        }),
        mysqlTable("shop.bare", [int("a"), column("b", "", { kind: "bytes", fixed: false })], {
          ...{ indexes: [indexOn("b", "`b`(20)", { unique: true })], key: [], rowIdentity: "full" },
        }),
      ],
      {
        sequences: [
          {
            ...sequence("shop.parents_id_seq", { internal: true, native: "" }),
            ownedBy: { table: id("shop.parents"), column: "id" },
          },
        ],
      },
    ),
  );
  const constraints = await server.query(
    `select * from (select conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) as text from pg_constraint
      where contype <> 'n' and connamespace = 'shop'::regnamespace) k order by text collate "C"`,
    target.database,
  );
  const cut = "n".repeat(63);
  assert.deepEqual(
    constraints.map(({ text }) => text),
    [
      `shop.children children_pkey PRIMARY KEY (ctid_, ${cut})`,
      "shop.children name FOREIGN KEY (parent) REFERENCES shop.parents(id) ON DELETE CASCADE",
      "shop.children self FOREIGN KEY (parent) REFERENCES shop.parents(id) ON UPDATE RESTRICT ON DELETE RESTRICT",
      "shop.parents name UNIQUE (name)",
      "shop.parents parents_pkey PRIMARY KEY (id)",
      "shop.parents positive CHECK ((id > 0))",
    ],
  );
  const indexes = await server.query(
    `select * from (select indexdef as text from pg_indexes where schemaname = 'shop' and indexname !~ '_pkey$|^name$') i order by text collate "C"`,
    target.database,
  );
  assert.deepEqual(
    indexes.map(({ text }) => text),
    [
      `CREATE INDEX "some" ON shop.children USING btree (${cut})`,
      "CREATE INDEX parent ON shop.children USING btree (parent)",
      'CREATE INDEX parents_some ON shop.parents USING btree ("left"((name)::text, 3) DESC, id)',
      "CREATE UNIQUE INDEX b ON shop.bare USING btree (SUBSTRING(b FROM 1 FOR 20))",
    ],
  );
  const [comments] = await server.query(
    `select obj_description('shop.parents'::regclass) as "table", col_description('shop.parents'::regclass, 2) as "column",
       pg_get_serial_sequence('shop.parents', 'id') as sequence`,
    target.database,
  );
  assert.deepEqual(comments, { table: "of a kind", column: "who's who", sequence: "shop.parents_id_seq" });
});
