import type { MysqlFlavour } from "./mysql-packages.ts";

/** A name of 64 characters, the most that there may be. */
export const LONG_NAME = `${"n".repeat(62)}éß`;

/** Tables with every type, form of default, index and name, for a database of utf8mb4; statements for both servers. */
export function mysqlNastySchema(flavour: MysqlFlavour): string {
  return `
create table \`types\` (
  id int unsigned not null auto_increment primary key,
  ti tinyint, tu tinyint unsigned not null, t1 tinyint(1) default 1, si smallint default -5,
  mi mediumint unsigned zerofill, bi bigint unsigned default 18446744073709551615,
  f float default 1.5, d double default 1e20, d2 double(10,2), f2 float(7,3) unsigned,
  de decimal(65,30) default 1.5, dn decimal, b1 bit default b'1', b64 bit(64) default b'101', y year default 2001,
  da date default '2020-01-02', t0 time default '-10:11:12', t6 time(6) default '10:11:12.5',
  dt datetime default '2020-01-02 03:04:05',
  dt6 datetime(6) default current_timestamp(6) on update current_timestamp(6),
  dtu datetime null on update current_timestamp, dtn datetime not null on update current_timestamp,
  ts timestamp not null default current_timestamp on update current_timestamp,
  ts3 timestamp(3) null default '2020-01-02 03:04:05.123',
  c char(10) default 'it''s', vc varchar(20) character set latin1 default 'é\\\\n''"',
  vb varchar(300) character set utf8 collate utf8_bin default '',
  bn binary(3) default 'ab', vbn varbinary(20) default 'abc',
  tt tinytext, tx text, mt mediumtext, lt longtext character set cp1251, tb tinyblob, bl blob, mb mediumblob,
  lb longblob, tn varchar(10) default 'NULL', tc varchar(30) default 'current_timestamp()',
  tq varchar(30) default '/* no remark */',
  e enum('a','b,c','it''s','x\\\\y','ä','n\\nl','unsigned (5) /* x */') collate utf8mb4_bin default 'b,c',
  s set('a','b','it''s','ü') default 'a,b',
  g geometry, p point not null, ls linestring, j json
) comment 'tab''le \\\\ "ü"';
create table \`order \`\`x\`\`\` (
  a int not null, \`b b\` varchar(255) not null comment 'com''ment', c text, d int not null,
  ge int generated always as (a + 1) virtual,
  gs varchar(300) generated always as (concat(\`b b\`, 'it''s', '\\\\')) stored,
  g geometry not null,
  primary key (a, \`b b\`), unique key \`u 1\` (d), unique key u2 (c(10)), key k (\`b b\`(20), a), fulltext key ft (c),
  spatial key sp (g), key kd (d desc, a) comment 'idx ''com', key kg (ge)
);
create table \`uniq\` (a int not null, b int not null, c int, unique (b), unique k0 (a), unique k1 (c));
create table child (
  id int primary key, a int, b varchar(255), d int,
  constraint \`fk \`\`1\` foreign key (a, b) references \`order \`\`x\`\`\` (a, \`b b\`)
    on delete cascade on update set null,
  foreign key (d) references uniq (b)
);
create table \`${LONG_NAME}\` (\`${LONG_NAME}\` int primary key, \`select\` int, \`a.b\` int, \`a"b\` int);
create table nokey (a int, b int not null, unique (a));
create table mi (a int primary key) engine = myisam;
create table part (a int not null, b date not null, primary key (a, b)) partition by hash (a) partitions 4;
${flavour === "mariadb" ? MARIADB : ""}`;
}

const MARIADB = `
create table own (
  id uuid not null default uuid() primary key, i4 inet4, i6 inet6, j json default '{}',
  j2 longtext check (json_valid(j2)), ex int default (1 + 2), x varchar(20) default concat('a', 'b'),
  k int check (k > 0), constraint \`c \`\`1\` check (k < 10 or ex > 2), gp int as (k + 1) persistent,
  td text default 'it''s', bd blob default x'4142'
);
create sequence sq start with 5 increment by 2;
create table drawn (a int primary key default (next value for sq), b int);
create table versions (a int primary key, b int) with system versioning;
create table versions2 (
  a int primary key, b int, rs timestamp(6) generated always as row start invisible,
  re timestamp(6) generated always as row end, period for system_time (rs, re)
) with system versioning;`;

/** What no task moves. */
export const MYSQL_LEFT_OUT = `
create view v as select 1 as x;
create trigger tr before insert on nokey for each row set new.a = 1;
create procedure pr() select 1;
create function fu() returns int deterministic return 1;
create event ev on schedule every 1 day do select 1;`;
