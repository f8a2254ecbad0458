import assert from "node:assert/strict";
import { test } from "node:test";
import type { Position } from "../../../core/position.ts";
import type { TableSchema } from "../../../core/schema.ts";
import type { NoteAnswer } from "../../../core/schema-note.ts";
import type { ServerFacts } from "../connection/server-facts.ts";
import { createdTable } from "../ddl/altered-table.ts";
import { SqlReader } from "../ddl/sql-words.ts";
import { readTableStatement } from "../ddl/table-statement.ts";
import { ValueCounts } from "../values/value-counts.ts";
import { gtidPositionOf } from "./binlog-position.ts";
import { readStatement } from "./binlog-statement.ts";
import { LogTables } from "./binlog-tables.ts";
import { type NoteOptions, type ReadStatement, TableNotes } from "./table-notes.ts";

const definitions = {
  facts: { flavour: "mariadb", version: [10, 11, 19] } as unknown as ServerFacts,
  choices: { booleans: false, timesOfDay: false },
  collations: new Map<string, string>(),
};
const session = { sqlMode: 2 ** 21, clientCollation: undefined };

function made(sql: string, more: Partial<NonNullable<TableSchema["shape"]>> = {}): TableSchema {
  const statement = readTableStatement(new SqlReader(sql), "s");
  assert.ok(statement?.kind === "create" && statement.form !== undefined && "clauses" in statement.form);
  const context = { ...definitions, isStrict: true };
  const { table: id, form } = statement;
  const table = createdTable(id, form.clauses, { context, collation: "utf8mb4_general_ci" })!;
  return { ...table, shape: { ...table.shape!, table: `${id.schema}.${id.name}`, ...more } };
}

/** What gh-ost makes beside a copy. */
const GHOST_NOTES = "create table `_t_ghc` (id bigint unsigned auto_increment primary key)";
/** And pt-online-schema-change, as the server logs it. */
const TRIGGERS = ["delete", "update", "insert"].map(
  (event) =>
    `CREATE DEFINER=\`root\`@\`localhost\` TRIGGER \`pt_osc_s_t_${event}\` AFTER ${event} ON \`s\`.\`t\` FOR EACH ROW REPLACE INTO \`s\`.\`_t_new\` (id) VALUES (1)`,
);

function at(sequence: number): Position {
  return gtidPositionOf(`0-1-${sequence}`);
}

class Log {
  readonly #tables: LogTables;
  readonly #notes: TableNotes;
  #sequence = 10;
  /** What the task says to notes. */
  answer: NoteAnswer = "taken";

  constructor(tables: readonly TableSchema[], copies?: NoteOptions["copies"], known = definitions) {
    this.#tables = new LogTables(tables, {
      ...{
        foldsNames: known !== definitions,
        zeroDates: "null",
        zeroDateCounts: new ValueCounts(),
        outside: [],
      },
      ...{ charsets: new Map(), collations: new Map(), defaults: new Map() },
    });
    this.#notes = new TableNotes(this.#tables, { definitions: known, takes: () => this.answer, copies });
  }

  #next(sql: string): ReadStatement {
    const statement = readStatement(sql, "s", session);
    assert.ok(statement.kind === "definition", sql);
    return this.#notes.read(statement, { position: at(this.#sequence++) });
  }

  /** Tables of which a statement needs no other look. */
  settled(sql: string): readonly string[] {
    return [...this.#next(sql).settled].map((index) => this.#tables.all[index]!.id.name);
  }

  /** What becomes of tables by each statement. */
  read(sql: string): readonly string[] {
    const { notes, misfits } = this.#next(sql);
    return [
      ...notes.map(({ id, shape, dropped }) => {
        const columns = shape.columns.map(({ number, name }) => `${number}${name}`).join(" ");
        return `${shape.table}${dropped ? " is gone" : ` is ${id.name}: ${columns}`}`;
      }),
      ...misfits.map(({ table, error }) => `${this.#tables.all[table]!.id.name}: ${error.message}`),
    ];
  }
}

const t = made("create table t (id int primary key, a int, b varchar(9))");
const u = made("create table u (id int primary key)");

test("tables that take each other's names are noted by what each is called in the end", () => {
  const log = new Log([t, u]);
  assert.deepEqual(log.read("rename table t to x, u to t, x to u"), ["s.t is u: 1id 2a 3b", "s.u is t: 1id"]);
  assert.deepEqual(log.read("alter table t rename column a to c, rename to v"), ["s.t is v: 1id 2c 3b"]);
  assert.deepEqual(log.read("rename table strange to new"), ['"s"."new" is new: ']);
  assert.deepEqual(log.read("drop table t, strange"), ["s.t is gone"]);
  assert.deepEqual(log.read("create table if not exists t (id int)"), []);
});

test("where names of tables are kept in lower case, so they are noted", () => {
  const facts = { ...definitions.facts, lowerCaseTableNames: 1 };
  const log = new Log([t], undefined, { ...definitions, facts });
  assert.deepEqual(log.read("rename table S.T to `Other`"), ["s.t is other: 1id 2a 3b"]);
  assert.deepEqual(log.read("ALTER TABLE T ADD C int, RENAME TO X"), ["s.t is x: 1id 2a 3b 4C"]);
  assert.deepEqual(log.read("create table New (id int)"), ['"s"."new" is new: ']);
  for (const sql of ["create table _T_gho like T", "create table _T_GHC (id int)"]) {
    assert.deepEqual(log.read(sql), []);
  }
  assert.deepEqual(log.read("rename table T to _T_del, _T_gho to T"), ["s.t is t: 1id 2a 3b"]);
});

test("foreign keys follow the tables that they refer to, and no column that they refer to gets another name", () => {
  const child = made(
    "create table child (id int primary key, up int, a int, constraint self foreign key (up) references child (id), constraint f foreign key (a) references t (id))",
  );
  const log = new Log([t, child]);
  assert.deepEqual(log.read("rename table t to x, child to y"), [
    "s.t is x: 1id 2a 3b",
    "s.child is y: 1id 2up 3a",
  ]);
  assert.deepEqual(log.read("rename table t to x"), ["s.t is x: 1id 2a 3b", "s.child is child: 1id 2up 3a"]);
  assert.deepEqual(log.read("alter table t change id i int not null"), []);
  assert.deepEqual(log.read("alter table t drop a, rename to x"), []);
  assert.deepEqual(log.read("alter table t drop a"), ["s.t is t: 1id 3b"]);
  for (const sql of ["create table _t_gho like t", GHOST_NOTES]) assert.deepEqual(log.read(sql), []);
  assert.match(log.read("rename table t to _t_del, _t_gho to t")[0]!, /others refer to it/);
});

test("what stands in a comment that not every server carries out is not read", () => {
  const log = new Log([t]);
  for (const begin of ["/*!50700", "/*!80023", "/*!100100", "/*M!100100", "/*M!", "/*!050600", "/*!12"]) {
    assert.deepEqual(log.read(`alter table t add c int ${begin} default 5 */`), [], begin);
  }
  for (const begin of ["/*!", "/*!50601", "/* !80023"]) {
    assert.deepEqual(
      log.read(`alter table t add c int ${begin} comment 'c' */`),
      ["s.t is t: 1id 2a 3b 4c"],
      begin,
    );
  }
  assert.deepEqual(log.read("alter table t add c int comment '/*!80023 */'"), ["s.t is t: 1id 2a 3b 4c"]);
});

test("a table that was described as a statement leaves it is not noted again", () => {
  const before = { ...t.shape!, columns: [] };
  const log = new Log([
    made("create table t (id int primary key)", { place: { position: at(10), before, isNoted: true } }),
  ]);
  assert.deepEqual(log.read("rename table u to t"), []);
  assert.deepEqual(log.read("alter table t add a int"), ["s.t is t: 1id 2a"]);
});

test("a statement whose note the task leaves is looked at in the other way, unless the task is past it", () => {
  const replacing = ["drop table t", "alter table t drop a, add a int", "rename table u to x, t to u"];
  for (const sql of replacing) {
    const log = new Log([t, u]);
    log.answer = "left";
    assert.deepEqual(log.settled(sql), [], sql);
    log.answer = "over";
    assert.ok(log.settled(sql).includes("t"), sql);
    log.answer = "taken";
    assert.ok(log.settled(sql).includes("t"), sql);
  }
});

test("what a table was until the catalog was read is looked at in the other way, however it is described", () => {
  const place = { position: at(11), before: { ...t.shape!, columns: [] } };
  const statements = ["drop table t", "alter table t drop a, add a int"];
  const ofCatalog = new Log([made("create table t (id int primary key, a int)", { place })]);
  for (const sql of statements) assert.deepEqual(ofCatalog.settled(sql), [], sql);
  const noted = new Log([
    made("create table t (id int primary key, a int)", { place: { ...place, isNoted: true } }),
  ]);
  // The second commits where the note was followed to.
  assert.deepEqual(
    statements.map((sql) => noted.settled(sql)),
    [[], ["t"]],
  );
});

test("a copy that was made and altered in the log takes its table's place, with the columns of its names", () => {
  const copying = (statements: readonly string[], swap: string): readonly string[] => {
    const log = new Log([t, u]);
    for (const sql of statements) assert.deepEqual(log.read(sql), [], sql);
    return log.read(swap);
  };
  const ghost = "rename table t to _t_20261201123000_del, _t_gho to t";
  assert.deepEqual(
    copying(
      [GHOST_NOTES, "create table _t_gho like t", "alter table _t_gho drop a, add c int default 5 first"],
      ghost,
    ),
    ["s.t is t: 4c 1id 3b"],
  );
  const full =
    "create table _t_new (id int primary key, b varchar(9) collate utf8mb4_bin, z int) charset utf8mb4";
  assert.deepEqual(copying([full, ...TRIGGERS], "rename table t to _t_old, _t_new to t"), [
    "s.t is t: 1id 3b 4z",
  ]);
  const refused: readonly (readonly [string, RegExp])[] = [
    ["change a c int", /another name for a column/],
    ["modify a varchar(9)", /another type in its column a/],
    ["modify b varchar(5)", /another type in its column b/],
    ["add unique (a)", /another unique index/],
    ["add c int as (a + 1)", /not told what it holds/],
  ];
  for (const [alter, expected] of refused) {
    const [told] = copying([GHOST_NOTES, "create table _t_gho like t", `alter table _t_gho ${alter}`], ghost);
    assert.match(told!, expected, alter);
  }
  assert.match(copying([], ghost)[0]!, /not told what it holds/);
  assert.match(copying([], "rename table t to x, strange to t")[0]!, /not told what it holds/);
});

test("a copy that no tool fills is not taken for the table", () => {
  const read = (...statements: readonly string[]): string => {
    const log = new Log([t, u]);
    for (const sql of statements.slice(0, -1)) assert.deepEqual(log.read(sql), [], sql);
    return log.read(statements.at(-1)!)[0]!;
  };
  const rotated = "rename table t to _t_old, _t_new to t";
  const unknown = /not told what it holds/;
  assert.match(read("create table _t_new like t", rotated), unknown);
  assert.match(read("create table _t_new like t", TRIGGERS[0]!, TRIGGERS[1]!, rotated), unknown);
  assert.match(
    read("create table _t_new like t", ...TRIGGERS, "drop trigger s.pt_osc_s_t_insert", rotated),
    unknown,
  );
  assert.match(
    read("create table _t_new like t", ...TRIGGERS.map((sql) => sql.replace("pt_osc_", "")), rotated),
    unknown,
  );
  assert.match(
    read("create table _t_new like t", ...TRIGGERS.map((sql) => sql.replace("`_t_new`", "`log`")), rotated),
    unknown,
  );
  assert.match(
    read("create table _t_new like t", ...TRIGGERS.map((sql) => sql.replace("`t` FOR", "`u` FOR")), rotated),
    unknown,
  );
  const ghost = "rename table t to _t_del, _t_gho to t";
  assert.match(read("create table _t_gho like t", ghost), unknown);
  assert.match(
    read("create table _t_gho like t", GHOST_NOTES, "drop table if exists _t_ghc", ghost),
    unknown,
  );
  assert.equal(read("create table _t_gho like t", GHOST_NOTES, ghost), "s.t is t: 1id 2a 3b");
});

test("a copy that was described when the stream began is as the statements after that leave it", () => {
  const copy = made("create table _t_gho (id int primary key, a int, b varchar(9), c int default 1)");
  const swap = "rename table t to _t_del, _t_gho to t";
  const signs = { notes: [{ schema: "s", name: "_t_ghc" }], triggers: [] };
  const after = (since: number, until: number, found = signs): readonly string[] => {
    const log = new Log([t], { tables: [copy], signs: found, since: at(since), until: at(until) });
    log.read("alter table _t_gho add d int");
    return log.read(swap);
  };
  assert.deepEqual(after(10, 10), ["s.t is t: 1id 2a 3b 4c"]);
  assert.deepEqual(after(9, 9), ["s.t is t: 1id 2a 3b 4c 5d"]);
  assert.match(after(9, 10)[0]!, /not told what it holds/);
  assert.match(after(9, 9, { notes: [], triggers: [] })[0]!, /not told what it holds/);
  // The one that takes the table's place is gone: what was found is another of its name.
  assert.match(after(20, 20)[0]!, /not told what it holds/);
  assert.match(after(10, 11)[0]!, /not told what it holds/);
});
