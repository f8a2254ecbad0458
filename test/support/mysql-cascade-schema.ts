import type mysql from "mysql2/promise";

/*
 * Tables of an application that leaves it to foreign keys to delete and change rows: three levels below a region, of
 * which the second is told by a key of two columns that the first is part of; rows that stay and point to nothing; a tree;
 * rows without a key; keys of characters and bytes; a table that is referred to by another key than its primary one.
 */
export const mysqlCascadeSchema = `
  create table region (id int primary key, name varchar(20));
  create table shop (region int, n smallint, name varchar(20), primary key (region, n),
    foreign key (region) references region (id) on delete cascade on update cascade);
  create table sale (id bigint primary key, region int, shop smallint, v int, key (region, shop),
    foreign key (region, shop) references shop (region, n) on delete cascade on update cascade);
  create table note (id int primary key auto_increment, sale bigint, text varchar(40),
    foreign key (sale) references sale (id) on delete set null);
  create table tag (sale bigint, label varchar(20),
    foreign key (sale) references sale (id) on delete cascade);
  create table tree (id int primary key, parent int, name varchar(20),
    foreign key (parent) references tree (id) on delete cascade);
  create table leaf (id int primary key auto_increment, tree int not null,
    foreign key (tree) references tree (id) on delete cascade);
  create table kind (id int primary key, code varchar(10) collate utf8mb4_bin not null, raw varbinary(8) not null,
    unique key (code), unique key (raw));
  create table thing (id int primary key auto_increment, code varchar(10) collate utf8mb4_bin, raw varbinary(8), v int,
    foreign key (code) references kind (code) on delete set null on update cascade,
    foreign key (raw) references kind (raw) on delete cascade on update set null)`;

export const mysqlCascadeRows = `
  insert into region values (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four');
  insert into shop select r.id, n.id, 'shop' from region r, region n;
  insert into sale select 100 * region + n, region, n, 0 from shop;
  insert into note (sale, text) select id, 'loaded' from sale;
  insert into tag select id, 'loaded' from sale union all select id, 'twice' from sale;
  insert into tree values (1, null, 'root'), (2, 1, 'a'), (3, 1, 'b'), (4, 2, 'c'), (5, 4, 'd'), (6, 5, 'e'), (7, null, 'f');
  insert into leaf (tree) select id from tree;
  insert into kind values (1, 'a''b', x'00ff'), (2, 'B\\\\', x'5c27'), (3, 'c', x'');
  insert into thing (code, raw, v) select code, raw, 0 from kind`;

/**
 * Errors of statements that a foreign key or another key forbids, or that meet a row which their own cascade has
 * deleted: they change nothing.
 */
const REFUSED = new Set([1030, 1032, 1062, 1216, 1217, 1296, 1451, 1452, 1557, 1761, 1762, 3008]);

/** Numbers that look random and are the same every time (a linear congruential generator). */
function numbersFrom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

export interface CascadeWork {
  readonly seed: number;
  readonly transactions: number;
  /** Some of them without foreign keys, which leaves rows that refer to nothing. */
  readonly orphans: boolean;
}

/** Transactions of a few statements each. */
export async function writeCascades(
  connection: mysql.Connection,
  { seed, transactions, orphans }: CascadeWork,
): Promise<void> {
  const random = numbersFrom(seed);
  for (let n = 0; n < transactions; n++) {
    const isFree = orphans && random(12) === 0;
    await connection.query(`set foreign_key_checks = ${isFree ? 0 : 1}`);
    await connection.query("begin");
    for (let i = 1 + random(5); i > 0; i--) {
      const sql = statement(random);
      // Without their checks foreign keys that would change cannot be looked at again: only what they leave alone goes.
      if (isFree && !/^(?:delete|insert)/.test(sql)) continue;
      try {
        await connection.query(sql);
      } catch (error) {
        if (!REFUSED.has((error as { errno?: number }).errno ?? 0)) throw error;
      }
    }
    await connection.query("commit");
  }
  await connection.query("set foreign_key_checks = 1");
}

function statement(random: (limit: number) => number): string {
  const region = 1 + random(6);
  const n = 1 + random(5);
  const sale = 1 + random(400);
  const tree = 1 + random(40);
  const code = ["a''b", "B\\\\", "c", "A''B", "d e"][random(5)]!;
  const raw = ["00ff", "5c27", "", "ff", "00"][random(5)]!;
  const choices = [
    `insert into region values (${region}, 'again')`,
    `insert into shop values (${region}, ${n}, 'new')`,
    `insert into shop values (${region}, ${n}, 'new')`,
    `insert into sale values (${sale}, ${region}, ${n}, 1)`,
    `insert into sale values (${sale}, ${region}, ${n}, 1), (${sale + 500}, ${region}, ${n}, 1), (${sale + 1000}, ${region}, ${n}, 1)`,
    `insert into note (sale, text) select id, 'more' from sale where id % 3 = ${random(3)} limit 5`,
    `insert into tag select id, 'more' from sale where id % 3 = ${random(3)} limit 5`,
    `update sale set v = v + 1 where region = ${region}`,
    `update note set text = 'changed' where id % 7 = ${random(7)}`,
    `update tag set label = 'changed' where sale = ${sale}`,
    `delete from note where sale is null limit 3`,
    `delete from tag where sale = ${sale}`,
    `delete from region where id = ${region}`,
    `delete from shop where region = ${region} and n = ${n}`,
    `delete from shop where n = ${n}`,
    `delete from sale where id = ${sale}`,
    `delete from sale where id % 11 = ${random(11)}`,
    `update region set id = ${1 + random(6)} where id = ${region}`,
    `update shop set n = n + 10 where region = ${region} and n = ${n}`,
    `update shop set n = n - 10 where region = ${region} and n > 9 order by n`,
    `replace into region values (${region}, 'replaced')`,
    `insert into tree values (${tree}, null, 'root')`,
    `insert into tree values (${tree}, ${1 + random(40)}, 'below')`,
    `insert into tree values (${tree}, ${1 + random(40)}, 'below')`,
    `insert into leaf (tree) select id from tree where id % 4 = ${random(4)}`,
    `update tree set parent = ${1 + random(40)} where id = ${tree} and parent < ${tree}`,
    `delete from tree where id = ${tree}`,
    `delete from tree where id % 9 = ${random(9)} order by id desc`,
    `delete from leaf where id % 5 = ${random(5)}`,
    `insert into kind values (${1 + random(5)}, '${code}', x'${raw}')`,
    `insert into thing (code, raw, v) select code, raw, 1 from kind`,
    `update kind set code = '${code}' where id = ${1 + random(5)}`,
    `update kind set raw = x'${raw}' where id = ${1 + random(5)}`,
    `update thing set v = v + 1 where id % 3 = ${random(3)}`,
    `delete from kind where id = ${1 + random(5)}`,
  ];
  return choices[random(choices.length)]!;
}
