/*
 * Every kind of change that an application can make, each with tables of its own. Names are relative to the
 * schema that a run puts the kind into.
 */

export interface ChangeRun {
  /** How many rows a kind changes at least: few are applied one by one, many as sets. */
  readonly rows: number;
  /** A name that is no other run's, for what is not in a schema. */
  readonly name: string;
}

export interface ChangeKind {
  readonly name: string;
  /** Tables and the rows that full load moves. */
  readonly schema: string;
  /** Each text is sent by itself; what stands in one is one transaction unless it says otherwise. */
  readonly changes: (run: ChangeRun) => readonly string[];
  /** It has types without a binary form, with which the whole stream is sent as text. */
  readonly textOnly?: true;
}

/** More than a run changes. */
const LOADED = 300;
const loaded = `generate_series(1, ${LOADED}) i`;
const added = (rows: number): string => `generate_series(1001, ${1000 + rows}) i`;

/** Values of one type that its operator = finds equal, or that have no such operator. */
interface Lookalikes {
  readonly type: string;
  readonly values: readonly [string, string];
}

const lookalikes: readonly Lookalikes[] = [
  { type: "numeric", values: ["1.0", "1.00"] },
  { type: "numeric[]", values: ["{1.0}", "{1.00}"] },
  { type: "numrange", values: ["[1.0,2)", "[1.00,2)"] },
  { type: "double precision", values: ["0", "-0"] },
  { type: "real", values: ["0", "-0"] },
  { type: "bpchar", values: ["a", "a  "] },
  { type: "interval", values: ["30 days", "1 month"] },
  { type: "jsonb", values: ['{"a": 1.0}', '{"a": 1.00}'] },
  { type: "json", values: ['{"a":1}', '{"a": 1}'] },
  { type: "text collate odd", values: ["a", "A"] },
  { type: "point", values: ["(0,1)", "(-0,1)"] },
  { type: "box", values: ["(1,1),(0,0)", "(2,2),(1,1)"] },
  { type: "circle", values: ["<(0,0),1>", "<(5,5),1>"] },
  { type: "path", values: ["[(0,0),(1,1)]", "[(2,2),(3,3)]"] },
  { type: "amount", values: ["1.0", "1.00"] },
];

const textLookalikes: readonly Lookalikes[] = [
  { type: "xml", values: ["<a/>", "<a></a>"] },
  { type: "tsquery", values: ["a:A", "a:B"] },
  { type: "pair", values: ["(1.0,x)", "(1.00,x)"] },
  { type: "box[]", values: ["{(1,1),(0,0)}", "{(2,2),(1,1)}"] },
];

/** Rows of either value in turn; those of the second value change, and the first lies before each of them. */
function keylessKind(
  name: string,
  before: string,
  types: readonly Lookalikes[],
): Omit<ChangeKind, "textOnly"> {
  const tables = types.map(({ type, values }, n) => {
    const cast = type.replace(/ collate .*/, "");
    const [first, second] = values.map((value) => `'${value}'::${cast}`);
    return { type, table: `t${n}`, first, second, written: `'${values[1]}'` };
  });
  return {
    name,
    schema: `${before} ${tables
      .map(
        ({ type, table, first, second }) => `create table ${table} (v ${type}, tag int);
          alter table ${table} replica identity full;
          insert into ${table} select case i % 2 when 1 then ${first} else ${second} end, 0 from generate_series(1, 12) i;
          insert into ${table} values (null, 0), (null, 0);`,
      )
      .join("\n")}`,
    changes: () =>
      tables.flatMap(({ table, second }) => {
        const some = (rows: number): string =>
          `ctid in (select ctid from ${table} where row(v)::record *= row(${second})::record and tag = 0 order by ctid limit ${rows})`;
        return [
          `update ${table} set tag = 1 where ${some(2)}; select 1 / (count(*) = 2)::int from ${table} where tag = 1`,
          `delete from ${table} where ${some(2)}`,
          `delete from ${table} where ctid in (select ctid from ${table} where v is null limit 1)`,
          `update ${table} set v = ${second} where v is null`,
        ];
      }),
  };
}

export const changeKinds: readonly ChangeKind[] = [
  {
    name: "values stored outside of the row that have not changed",
    schema: `
      create table t (id int primary key, big text, other text, n int default 0);
      alter table t alter big set storage external, alter other set storage external;
      create table f (like t including all); alter table f replica identity full;
      insert into t select i, repeat('b', 3000), repeat('o', 3000 + i) from ${loaded}; insert into f select * from t`,
    changes: ({ rows }) =>
      ["t", "f"].flatMap((table) => [
        `update ${table} set n = n + 1 where id <= ${rows}`,
        `update ${table} set id = -id where id <= ${rows}`,
        `update ${table} set other = 'short' where id < 0`,
        `begin; update ${table} set id = 1000 - id where id < 0; update ${table} set n = n + 1 where id > 1000; commit`,
        `update ${table} set big = null where id > 1000`,
      ]),
  },
  {
    name: "keys that change",
    schema: `
      create table t (a int, b text, v int, primary key (a, b));
      create table m (n numeric primary key, v text);
      insert into t select i, 'k' || i % 3, i from ${loaded}; insert into m select i, 'v' from ${loaded}`,
    changes: ({ rows }) => [
      `begin; update t set a = -a where a <= ${rows}; update t set a = 1 - a where a < 0; commit`,
      `update t set b = b || 'x', v = 0 where a <= ${rows}`,
      `update m set n = (n::text || '.00')::numeric where n <= ${rows}`,
      `begin; delete from t where a between 3 and ${rows}; insert into t select i, 'again', i from generate_series(3, ${rows}) i;
       update t set a = a + 5000 where b = 'again'; delete from t where a = 5003; commit`,
      `begin; insert into t values (9000, 'gone', 1); update t set v = 2 where a = 9000; delete from t where a = 9000; commit`,
    ],
  },
  {
    name: "every replica identity",
    schema: `
      create table by_index (u text not null, extra text, id int primary key);
      create unique index by_index_u on by_index (u);
      alter table by_index replica identity using index by_index_u;
      create table whole (id int primary key, v text); alter table whole replica identity full;
      create table duplicates (a int, b text); alter table duplicates replica identity full;
      create table bare (); alter table bare replica identity full;
      insert into by_index select 'k' || i, 'e', i from ${loaded}; insert into whole select i, 'v' from ${loaded};
      insert into duplicates select i % 3, nullif('b' || i % 2, 'b0') from ${loaded}`,
    changes: ({ rows }) => [
      `update by_index set u = 'x' || u where id <= ${rows}; update by_index set id = -id where id <= ${rows};
       delete from by_index where id = -2`,
      `update whole set v = null where id <= ${rows}; update whole set id = -id where id <= ${rows}; delete from whole where id = -2`,
      `delete from duplicates where ctid in (select ctid from duplicates where a = 1 limit ${Math.ceil(rows / 4)})`,
      `update duplicates set b = 'set' where ctid in (select ctid from duplicates where a = 2 limit ${Math.ceil(rows / 4)})`,
      `insert into duplicates select 1, null from generate_series(1, ${rows})`,
      "insert into bare default values",
      "insert into bare default values; insert into bare default values",
      "delete from bare where ctid in (select ctid from bare limit 1)",
    ],
  },
  keylessKind(
    "rows without a key that are equal but written differently",
    `create collation odd (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
     create domain amount as numeric check (value > 0);`,
    lookalikes,
  ),
  {
    ...keylessKind(
      "rows without a key, of types that are sent as text",
      "create type pair as (n numeric, t text);",
      textLookalikes,
    ),
    textOnly: true,
  },
  {
    name: "TRUNCATE with CASCADE and RESTART IDENTITY, alone and among changes",
    schema: `
      create table parent (id int generated always as identity primary key, v text);
      create table child (id serial primary key, parent_id int references parent);
      create table other (a int, b text); alter table other replica identity full;
      insert into parent (v) select 'v' from ${loaded}; insert into child (parent_id) select i from ${loaded};
      insert into other select i, 'o' from ${loaded}`,
    changes: ({ rows }) => [
      `insert into other select i, 'new' from ${added(rows)}`,
      "truncate other",
      `begin; insert into other select i, 'kept' from ${added(rows)}; savepoint s; truncate other, parent cascade;
       rollback to s; insert into other values (1, 'last'); commit`,
      `begin; update parent set v = 'w' where id <= ${rows}; truncate parent restart identity cascade;
       insert into parent (v) select 'new' from ${added(rows)}; insert into child (parent_id) select id from parent; commit`,
      "truncate child; insert into child (parent_id) values (1)",
      "begin; truncate other; rollback",
    ],
  },
  {
    name: "generated columns, identities that are ALWAYS generated, and sequences",
    schema: `
      create table t (id bigint generated always as identity primary key, base int, twice int generated always as (base * 2) stored,
        n int generated by default as identity);
      create table counted (k text primary key, id int generated always as identity, v int);
      create table counted_whole (k text primary key, id int generated always as identity, v int); alter table counted_whole replica identity full;
      create sequence lone;
      insert into t (base) select i from ${loaded}; insert into counted (k) select 'k' || i from ${loaded};
      insert into counted_whole (k) select 'k' || i from ${loaded}`,
    changes: ({ rows }) => [
      `insert into t (base) select i from ${added(rows)}`,
      `insert into t (id, base) overriding system value select i, 0 from generate_series(9001, ${9000 + rows}) i`,
      `update t set base = base + 1 where id <= ${rows}; delete from t where id = 9001`,
      `update t set id = default where id <= ${rows}`,
      `update counted set v = 1 where id <= ${rows}`,
      `update counted set id = default, v = 2 where id <= ${rows}`,
      `begin; update counted_whole set id = default where id <= ${rows}; update counted_whole set k = 'x' || k; commit`,
      "select setval('lone', 77); select nextval('t_n_seq')",
    ],
  },
  {
    name: "triggers and cascades have done their work already",
    schema: `
      create table audit (id serial primary key, what text);
      create table t (id int primary key, n int, touched int default 0);
      create table child (id int primary key, t_id int references t on delete cascade on update cascade);
      create table orphan (id int primary key, t_id int references t on delete set null on update cascade);
      insert into t select i, i from ${loaded}; insert into child select i, i from ${loaded};
      insert into orphan select i, i from ${loaded};
      create function note() returns trigger language plpgsql as $$ begin
        insert into audit (what) values (tg_op || ' ' || new.id); new.touched := new.touched + 1; return new; end $$;
      create trigger note before insert or update on t for each row execute function note()`,
    changes: ({ rows }) => [
      `insert into t select i, i from ${added(rows)}`,
      `update t set n = n + 1 where id <= ${rows}`,
      `update t set id = id + 5000 where id <= ${rows}`,
      `delete from t where id > 5000 and id % 3 = 0`,
    ],
  },
  {
    name: "savepoints, subtransactions and failures inside of transactions",
    schema: `create table t (id int primary key, v text); insert into t select i, 'v' from ${loaded}`,
    changes: ({ rows }) => [
      `begin; insert into t select i, 'a' from ${added(rows)}; savepoint a; update t set v = 'lost'; savepoint b;
       delete from t; rollback to a; update t set v = 'kept' where id <= ${rows}; savepoint c; insert into t values (5000, 'c');
       release c; savepoint d; insert into t values (5001, 'lost'); rollback to d; commit`,
      `do $$ begin for i in 1..${rows} loop begin
         insert into t values (6000 + i, 'sub');
         if i % 3 = 0 then raise exception 'no'; end if;
         begin update t set v = 'deeper' where id = 6000 + i; exception when others then null; end;
       exception when others then update t set v = 'caught' where id = i; end; end loop; end $$`,
      "begin; delete from t; rollback",
    ],
  },
  {
    name: "prepared transactions, committed and rolled back",
    schema: `create table t (id int primary key, v text); insert into t select i, 'v' from ${loaded}`,
    changes: ({ rows, name }) => [
      `begin; insert into t select i, 'prepared' from ${added(rows)}; prepare transaction '${name} kept'`,
      `begin; update t set v = 'never' where id = 200; prepare transaction '${name} lost'`,
      `update t set v = 'between' where id <= ${rows}`,
      `commit prepared '${name} kept'`,
      `rollback prepared '${name} lost'`,
      `update t set v = v || ' after' where id > 1000`,
    ],
  },
  {
    name: "large transactions, some of which are given up in part or as a whole",
    schema: "create table t (id int primary key, v text); create table u (id int primary key, v text)",
    changes: () => [
      `begin; insert into t select i, repeat('x', 100) from generate_series(1, 3000) i; savepoint s;
       insert into u select i, repeat('y', 100) from generate_series(1, 3000) i; rollback to s;
       update t set v = 'changed' where id % 2 = 0; savepoint r; delete from t where id % 3 = 0; release r; commit`,
      `begin; insert into u select i, repeat('z', 100) from generate_series(1, 5000) i; delete from t; rollback`,
      "insert into u values (1, 'the only one')",
    ],
  },
  {
    name: "many transactions of many rows",
    schema: "create table t (id int primary key, v text)",
    changes: ({ rows }) =>
      Array.from(
        { length: 4 },
        (_, n) => `insert into t select ${n * 10_000} + i, 'v' from generate_series(1, ${10 * rows}) i`,
      ),
  },
  {
    name: "messages in the log and transactions from elsewhere",
    schema: "create table t (id int primary key, v text)",
    changes: ({ rows, name }) => [
      `begin; select pg_logical_emit_message(true, 'app', 'a message'); insert into t select i, 'v' from ${added(rows)};
       select pg_logical_emit_message(false, 'tideway', 'another'); commit`,
      "select pg_logical_emit_message(true, 'tideway', 'nothing else')",
      `select pg_replication_origin_create('${name}')`,
      `select pg_replication_origin_session_setup('${name}'); begin;
       select pg_replication_origin_xact_setup('0/1234', now()); update t set v = 'from elsewhere'; commit;
       insert into t values (1, 'also'); select pg_replication_origin_session_reset()`,
      `select pg_replication_origin_drop('${name}')`,
    ],
  },
  {
    name: "partitions and inheritance: rows that move, and changes through the table above",
    schema: `
      create table p (id int, region int, v text, primary key (id, region)) partition by list (region);
      create table p1 partition of p for values in (1); create table p2 partition of p for values in (2, 3);
      insert into p select i, 1 + i % 3, 'v' from ${loaded};
      create table base (id int primary key, v text); create table derived (extra int, primary key (id)) inherits (base);
      insert into base select i, 'b' from ${loaded}; insert into derived select i, 'd', i from ${loaded}`,
    changes: ({ rows }) => [
      `update p set region = 2 where region = 1 and id <= ${3 * rows}; update p set v = 'w' where id <= ${rows}`,
      `update base set v = 'both' where id <= ${rows}; delete from base where id = 1`,
      `update only base set v = 'above' where id between 2 and ${rows}; delete from only base where id = 3`,
      `begin; truncate p1; insert into p select i, 1, 'new' from ${added(rows)}; commit`,
      `begin; truncate base; insert into derived select i, 'again', i from ${added(rows)}; commit`,
    ],
  },
  {
    name: "conflicts that the application settles, and unique values that change places",
    schema: `
      create table t (id int primary key, u int unique, d int unique deferrable initially deferred, note text);
      create table late (id int primary key, t_id int references t deferrable initially deferred);
      insert into t select i, i, i, 'n' from ${loaded}`,
    changes: ({ rows }) => [
      `insert into t select i, i, i, 'new' from generate_series(250, ${LOADED + rows}) i on conflict (id) do update set note = 'was there'`,
      "insert into t values (1, 999, 999, 'x') on conflict do nothing",
      `begin; update t set d = ${LOADED + 1} - d where id <= ${LOADED}; commit`,
      `begin; update t set u = -u where id <= ${rows}; update t set u = ${rows + 1} + u where u < 0; commit`,
      `begin; insert into late select i, i from generate_series(5000, ${5000 + rows}) i;
       insert into t select i, i, i, 'after' from generate_series(5000, ${5000 + rows}) i; commit`,
      `begin; update t set note = note || '1'; update t set note = note || '2' where id <= ${rows}; update t set note = 'end' where id = 3; commit`,
    ],
  },
  {
    name: "tables that are rewritten without a change",
    schema: `
      create table t (id int primary key, big text, n int default 0); alter table t alter big set storage external;
      insert into t select i, repeat('b', 3000) from ${loaded}`,
    changes: ({ rows }) => [
      `update t set n = 1 where id <= ${rows}`,
      "vacuum full t",
      `update t set n = 2 where id <= ${rows}`,
      "cluster t using t_pkey; alter table t set without cluster",
      `begin; create temporary table scratch on commit drop as select * from t; update t set n = 3 where id <= ${rows}; commit`,
    ],
  },
];
