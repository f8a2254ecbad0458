import assert from "node:assert/strict";
import { test } from "node:test";
import type { TableSchema } from "../../../core/schema.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { alteredTable, createdTable } from "./altered-table.ts";
import type { DefinitionContext } from "./defined-column.ts";
import { SqlReader } from "./sql-words.ts";
import { readTableStatement } from "./table-statement.ts";

const facts = { flavour: "mariadb", version: [10, 11, 19] } as unknown as ServerFacts;
const context: DefinitionContext = {
  facts,
  choices: { booleans: false, timesOfDay: false },
  collations: new Map([["utf8mb4", "utf8mb4_general_ci"]]),
  isStrict: true,
};

function made(sql: string): TableSchema {
  const statement = readTableStatement(new SqlReader(sql), "shop");
  assert.ok(statement?.kind === "create" && statement.form !== undefined && "clauses" in statement.form, sql);
  const table = createdTable(statement.table, statement.form.clauses, {
    context,
    collation: "utf8mb4_general_ci",
  });
  assert.ok(table !== undefined, sql);
  return table;
}

const before = made(
  "create table t (id int not null auto_increment, a varchar(10) default 'x', b decimal(6,2), c int unsigned not null, primary key (id), key a (a, b))",
);

function altered(
  sql: string,
  table = before,
  more: Partial<DefinitionContext> = {},
): ReturnType<typeof alteredTable> {
  const statement = readTableStatement(new SqlReader(sql), "shop");
  if (statement === undefined) return undefined;
  assert.ok(statement.kind === "alter", sql);
  return alteredTable(table, statement.clauses, { ...context, ...more });
}

/** Columns by number, name and type, in their order. */
function columnsOf(sql: string): string {
  const result = altered(sql);
  assert.ok(result !== undefined, sql);
  assert.equal(result.refusal, undefined, sql);
  const { columns, shape } = result.table;
  return shape!.columns
    .map(({ number, name, type }, at) => {
      assert.equal(columns[at]!.name, name);
      return `${number} ${name} ${type.replace(" utf8mb4_general_ci", "")}`;
    })
    .join(", ");
}

test("a table that is made has the columns, keys and indexes that the catalog will show", () => {
  assert.deepEqual(
    before.columns.map(({ name, nativeType, nullable, default: text, identity }) =>
      [name, nativeType, nullable, text ?? "-", identity ?? "-"].join(" "),
    ),
    [
      "id int(11) false - by-default",
      "a varchar(10) true 'x' -",
      "b decimal(6,2) true - -",
      "c int(10) unsigned false - -",
    ],
  );
  assert.deepEqual([before.key, before.rowIdentity], [[0], "key"]);
  assert.deepEqual(
    before.indexes.map(({ name, native }) => `${name} ${native}`),
    ["PRIMARY PRIMARY KEY (`id`)", "a (`a`, `b`)"],
  );
});

test("columns keep their numbers when they are renamed, moved, or get another definition", () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      "alter table t add d int first",
      "5 d int(11), 1 id int(11), 2 a varchar(10), 3 b decimal(6,2), 4 c int(10) unsigned",
    ],
    [
      "alter table t add column (d bool default true, e char), add f bigint unsigned after a",
      "1 id int(11), 2 a varchar(10), 7 f bigint(20) unsigned, 3 b decimal(6,2), 4 c int(10) unsigned, 5 d tinyint(1), 6 e char(1)",
    ],
    ["alter table t drop b, drop column if exists x, drop column c", "1 id int(11), 2 a varchar(10)"],
    [
      "alter table t modify a varchar(20) after c, drop b",
      "1 id int(11), 4 c int(10) unsigned, 2 a varchar(20)",
    ],
    [
      "alter table t change a b varchar(10), change b a decimal(6,2) first",
      "3 a decimal(6,2), 1 id int(11), 2 b varchar(10), 4 c int(10) unsigned",
    ],
    [
      "alter table t rename column a to b, rename column b to a",
      "1 id int(11), 2 b varchar(10), 3 a decimal(6,2), 4 c int(10) unsigned",
    ],
    [
      "alter table t drop b, add b int not null default 5 after id",
      "1 id int(11), 5 b int(11), 2 a varchar(10), 4 c int(10) unsigned",
    ],
  ];
  for (const [sql, expected] of cases) assert.equal(columnsOf(sql), expected, sql);
});

test("rows show the constant in a column that was added, whatever its default becomes", () => {
  const result = altered(
    "alter table t add d int default 007, add e decimal(4,2) not null default 1.5, add f datetime(3) default '2020-01-01 10:00:00', add g int not null",
  )!;
  const fills = (table: TableSchema): readonly unknown[] =>
    table.shape!.columns.slice(4).map(({ fill }) => fill);
  assert.deepEqual(fills(result.table), ["7", "1.50", "2020-01-01 10:00:00", "0"]);
  const later = altered("alter table t alter d set default 8, alter column e drop default", result.table)!;
  assert.deepEqual(fills(later.table).slice(0, 2), ["7", "1.50"]);
  assert.deepEqual(
    later.table.columns.slice(4, 6).map((column) => column.default),
    ["8", undefined],
  );
});

test("indexes and foreign keys follow with the columns that they are of", () => {
  const { table } = altered(
    "alter table t drop column a, add unique (c), add key (b), add constraint f foreign key (c) references u (id), add fulltext index x (b) comment 'y'",
  )!;
  assert.deepEqual(
    table.indexes.map(({ name, native, unique }) => `${name} ${native} ${unique}`),
    [
      "PRIMARY PRIMARY KEY (`id`) true",
      "c UNIQUE (`c`) true",
      "a (`b`) false",
      "b (`b`) false",
      "x FULLTEXT (`b`) false",
    ],
  );
  assert.deepEqual(table.foreignKeys[0], {
    ...{ name: "f", columns: ["c"], references: { schema: "shop", name: "u" }, referencedColumns: ["id"] },
    ...{ native: "", validated: true },
  });
  const without = altered(
    "alter table t drop primary key, modify id int not null, drop foreign key f, drop index b",
    table,
  )!;
  assert.deepEqual([without.table.key, without.table.foreignKeys], [[2], []]);
  const primary = altered(
    "alter table t drop primary key, add primary key (b), rename index a to z",
    before,
  )!;
  assert.equal(primary.table.columns[2]!.nullable, false);
  assert.deepEqual(
    primary.table.indexes.map(({ name }) => name),
    ["PRIMARY", "z"],
  );
});

test("what is not certain is not read", () => {
  const statements = [
    "alter table t add d int default (1 + 1)",
    "alter table t add d int as (c + 1)",
    "alter table t add d timestamp not null",
    "alter table t add d timestamp",
    "alter table t modify b timestamp default current_timestamp",
    "alter table t add d char(5) default 'x '",
    "alter table t add d enum('a ', 'b')",
    "alter table t add d enum('a', 'b') default 'A'",
    "alter table t add d enum('a', 'b') default 'c'",
    "alter table t add d set('a', 'b') default 'b,a'",
    "alter table t add d varchar(10) character set koi8r",
    "alter table t add d int check (d > 0)",
    "alter table t modify x int",
    "alter table t add a int",
    "alter table t convert to character set gbk",
    "alter table t convert to character set utf8mb4, modify a varchar(9)",
    "alter table t add constraint f foreign key (c) references u (id) on delete cascade",
    "alter table t add foreign key (c) references u (id)",
    "alter table t drop partition p0",
    "alter ignore table t add unique (c)",
    "alter table t add index ((c + 1))",
    "alter table t engine = blackhole",
    "alter table t add d int, engine 'MEMORY'",
    "alter table t engine = InnoDB partition by hash (c)",
    "alter table t order by a, drop column c",
    "alter table t something new",
  ];
  for (const sql of statements) assert.equal(altered(sql), undefined, sql);
});

test("a type that may have changed values is told, and so is a column of which only the rows tell", () => {
  const refusals: readonly (readonly [string, RegExp | undefined])[] = [
    ["alter table t modify a varchar(5) default 'x'", undefined],
    ["alter table t modify c tinyint unsigned not null", undefined],
    ["alter table t modify a text", undefined],
    ["alter table t modify b decimal(8,3)", undefined],
    ["alter table t modify b decimal(8,1)", /another type in its column b/],
    ["alter table t modify b double", /another type in its column b/],
    ["alter table t modify a int", /another type in its column a/],
    ["alter table t modify a char(10)", /another type in its column a/],
    ["alter table t add d datetime default now()", /got the column d/],
    [
      "alter table t drop primary key, modify id int, add d int auto_increment, add key (d)",
      /got the column d/,
    ],
  ];
  for (const [sql, expected] of refusals) {
    const result = altered(sql);
    assert.ok(result !== undefined, sql);
    if (expected === undefined) assert.equal(result.refusal, undefined, sql);
    else assert.match(result.refusal ?? "", expected, sql);
  }
  const loose = { isStrict: false };
  for (const sql of [
    "alter table t modify a varchar(5)",
    "alter table t modify b decimal(6,2) not null",
    "alter table t convert to character set latin1 collate latin1_bin",
  ]) {
    assert.notEqual(altered(sql, before, loose)?.refusal, undefined, sql);
  }
  assert.equal(altered("alter table t modify a varchar(20)", before, loose)?.refusal, undefined);
});

test("collations of utf8 are called as the server shows them", () => {
  const add = "alter table t add d varchar(9) collate utf8_bin, add e varchar(9) character set utf8";
  const told = (utf8mb3: string): (string | undefined)[] => {
    const collations = new Map([["utf8mb3", utf8mb3]]);
    return altered(add, before, { collations })!
      .table.columns.slice(-2)
      .map(({ collation }) => collation);
  };
  assert.deepEqual(told("utf8mb3_general_ci"), ["utf8mb3_bin", "utf8mb3_general_ci"]);
  assert.deepEqual(told("utf8_general_ci"), ["utf8_bin", "utf8_general_ci"]);
});

test("columns that get numbers, times or values of a type of its own are told in every mode", () => {
  const source = made(
    "create table t (id int not null primary key, n int, z timestamp(3) null, y year, i inet6, v varchar(39))",
  );
  const refusals: readonly (readonly [string, RegExp])[] = [
    ["modify id int not null auto_increment", /numbers rows in its column id/],
    ["modify z timestamp(3) not null default current_timestamp(3)", /takes no NULLs in its column z/],
    ["modify y int", /another type in its column y/],
    ["modify n year", /another type in its column n/],
    ["modify i varchar(39)", /another type in its column i/],
    ["modify v inet6", /another type in its column v/],
    ["modify i inet4", /another type in its column i/],
  ];
  for (const [clause, expected] of refusals) {
    assert.match(altered(`alter table t ${clause}`, source)?.refusal ?? "", expected, clause);
  }
  assert.equal(altered("alter table t modify n bigint not null", source)?.refusal, undefined);
  assert.equal(altered("alter table t modify id bigint not null auto_increment", before)?.refusal, undefined);
});

test("defaults are what the server shows: of enums and sets their labels, with backslashes that LIKE needs", () => {
  const defaultOf = (definition: string): string | undefined =>
    altered(`alter table t add d ${definition}`)?.table.columns.at(-1)?.default;
  assert.equal(defaultOf("enum('a', 'b') default 'b'"), "'b'");
  assert.equal(defaultOf("set('a', 'b', 'c') default 'a,c'"), "'a,c'");
  assert.equal(defaultOf("set('a', 'b') default ''"), "''");
  assert.equal(
    defaultOf(String.raw`varchar(9) default 'a\_b\%\c'`),
    defaultOf(String.raw`varchar(9) default 'a\\_b\\%c'`),
  );
});

test("what concerns neither columns nor rows leaves the table as it is", () => {
  const statements = [
    "alter table t engine = InnoDB, row_format=dynamic, algorithm=inplace, lock none",
    "alter table t auto_increment = 5, force",
    "alter table t order by a",
    "alter table t order by t.a desc, `c` asc, b",
    "alter table t engine = InnoDB row_format = dynamic stats_persistent = 0, order by a",
    "alter table t engine MyISAM row_format fixed",
    "alter table t add partition (partition p0 values less than (5))",
    "alter table t analyze partition p0, p1",
    "alter table t add constraint positive check (c > 0)",
  ];
  for (const sql of statements) assert.deepEqual(altered(sql)?.table, before, sql);
});
