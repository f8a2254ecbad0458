/** Tables of several kinds, whose shapes are then changed. */
export const MYSQL_NOTED_SCHEMA = `create table t (id int primary key, v varchar(20) default 'v', n int, gone text, key n (n));
  insert into t select 1, 'one', 1, 'x' union select 2, 'two', 2, 'y' union select 3, null, 3, 'z';
  create table other (id int primary key, v varchar(20)); insert into other values (1, 'one');
  create table parent (id int primary key, u int unique); insert into parent values (1, 1), (2, 2);
  create table child (id int primary key, p int, constraint child_p foreign key (p) references parent (id));
  insert into child values (1, 1);
  create table old (id int primary key, v int); insert into old values (1, 1);
  create table keyless (a int, b varchar(9)); insert into keyless values (1, 'x'), (1, 'x'), (2, 'y')`;

/** Columns take each other's names, in two ways. */
const TRADED = [
  "alter table t change w n2 varchar(40), change n w bigint",
  "alter table t change w n2 bigint, change n2 w varchar(40)",
];
const NOT_TRADED = "alter table t change n n2 bigint";

/** Statements and changes in turn. */
export const mysqlSchemaChanges = [
  "insert into t values (11, 'eleven', 11, 'x'); update t set v = 'two' where id = 3",
  "alter table t add column first_one int not null default 5 first, add column label varchar(9) default 'so' after v",
  "insert into t (id, v, n) values (12, 'twelve', 12); update t set first_one = 6, label = null where id = 1",
  "alter table t drop column gone; create table if not exists t (id int)",
  "insert into t values (1, 13, 'thirteen', 'l', 13); delete from t where id = 2",
  "alter table t change v w varchar(40) not null default 'w' first",
  "insert into t (id) values (14); update t set w = repeat('x', 30) where id = 1",
  "alter table t modify n bigint after id",
  "update t set n = 5000000000 where id = 1; insert into t (id, n) values (15, -5000000000)",
  ...TRADED,
  "insert into t (id, w, n2) values (16, 'w', 16); update t set n2 = n2 + 1",
  "alter table t alter first_one drop default, alter column label set default 'later'",
  "insert into t (id, first_one, w) values (17, 17, 'x')",
  "alter table t drop column label, add column label int default 9 after id, add unique key (n2, id)",
  "insert into t (first_one, id, w) values (1, 18, 'eighteen')",
  "create index w_index on t (w); alter table t drop index n, comment = 'changed'",
  "alter table keyless add c datetime(3) default '2020-02-29 10:00:00.5' after a, modify b varchar(30)",
  "insert into keyless (a, b) values (3, 'three'); update keyless set b = 'xx' where a = 2; delete from keyless where a = 1 limit 1",
  "alter table keyless add primary key (b)",
  // MariaDB logs such statements twice: as they begin, and as they end, be it that one has failed.
  `set session /*M! binlog_alter_two_phase = 1, */ sql_mode = @@sql_mode;
    alter table keyless add twice int default 2; insert into keyless (a, b) values (4, 'four');
    create procedure fails() begin
      declare continue handler for sqlexception begin end; alter table keyless add never int, add unique key (twice);
    end; call fails; drop procedure fails; insert into keyless (a, b) values (5, 'five')`,
  "alter table other rename another; insert into another values (2, 'two')",
  "rename table another to again, old to another; insert into again values (3, 'three'); insert into another values (2, 2)",
  "alter table again add w decimal(8,2) not null default 1.5; update again set w = 2 where id = 1",
  "alter table again convert to character set latin1; insert into again values (5, 'é', 5)",
  "alter table again convert to character set utf8mb4; update again set v = '❤' where id = 5; insert into again values (6, 'ß', 6)",
  "alter table child drop foreign key child_p; insert into child values (2, 7)",
  "update child set p = 2 where id = 2; alter table child add constraint child_u foreign key (p) references parent (u)",
  "rename table parent to parents; insert into parents values (3, 3); insert into child values (3, 3)",
  "create table made (id int primary key, v varchar(5)); insert into made values (1, 'x')",
  "alter table made add w int; insert into made values (2, 'y', 3)",
  "insert into another values (9, 9); drop table another",
  "create table passing (id int primary key); insert into passing values (1); drop table passing",
];

/** What the tables are called at the end. */
export const mysqlNotedTables = ["t", "again", "parents", "child", "keyless", "made"];

/** The same without what a MySQL target cannot follow. */
export const mysqlTargetChanges = mysqlSchemaChanges.flatMap((sql) => {
  if (sql === TRADED[0]) return [NOT_TRADED];
  return sql === TRADED[1] ? [] : [sql];
});
