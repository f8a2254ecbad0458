import { KillWriter, type Statement } from "./kill-writer.ts";
import type { MysqlServer } from "./mysql-server.ts";
import { schemas } from "./task.ts";

/** Rows of the largest table; larger keys may be changed and deleted. */
const ROWS = 20_000;
const FIXED = 5_000;

/**
 * What meets every step of a migration from either kind of server: composite keys of texts, a table without a key, one
 * that numbers its rows, one in partitions, foreign keys, unique keys, generated columns, indexes of beginnings, a trigger and a view.
 */
export const mysqlKillSchema = `
  create table ranged (id bigint unsigned primary key, a int not null, note varchar(200), twice bigint as (a * 2) stored,
    key ranged_a (a));
  create table child (id bigint unsigned auto_increment primary key, ranged_id bigint unsigned not null,
    label varchar(60), state enum('new', 'it''s old') not null default 'new', made datetime(6) default current_timestamp(6),
    half varchar(30) as (left(label, 4)) virtual,
    unique key label (label), key made (made), key beginning (label(5)),
    constraint child_ranged foreign key (ranged_id) references ranged (id) on delete cascade);
  create table event (note varchar(100) collate utf8mb4_bin, n int, flags set('a', 'b'), raw varbinary(20), primary key (note, n));
  create table log (note varchar(100), n int, at timestamp(3) null, amount decimal(20, 4));
  create table parted (id bigint unsigned primary key, note varchar(100)) partition by hash (id) partitions 3;
  create view events as select note, count(*) as n from event group by note;
  create trigger event_noted after insert on event for each row
    insert into log (note, n) values (concat('by trigger: ', new.note), new.n)`;

const DIGITS =
  "(select 0 as d union all select 1 union all select 2 union all select 3 union all select 4 union all select 5 union all select 6 union all select 7 union all select 8 union all select 9)";

/** As many rows with the numbers from 1 on. */
function numbers(rows: number): string {
  return `(select 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d as i
     from ${DIGITS} a, ${DIGITS} b, ${DIGITS} c, ${DIGITS} e, ${DIGITS} f having i <= ${rows}) n`;
}

export const mysqlKillRows = `
  insert into ranged (id, a, note) select i, i % 100, repeat('x', 60) from ${numbers(ROWS)};
  insert into child (ranged_id, label) select i, concat('c', i) from ${numbers(2000)};
  insert into parted select i, concat('p', i) from ${numbers(2000)};
  insert into log (note, n, amount) select 'before', i, i / 7 from ${numbers(1000)}`;

/** Rules by which two of its tables are read in parts: ranges of a key, and the partitions that the server keeps. */
export function mysqlKillMappings(schema: string): string {
  const parts = {
    ranged: { type: "ranges", columns: ["id"], boundaries: [["7000"], ["14000"]] },
    parted: { type: "partitions-auto" },
  };
  const settings = Object.entries(parts).map(([name, load], i) => ({
    ...{ "rule-type": "table-settings", "rule-id": `1${i}`, "rule-name": name },
    "object-locator": { "schema-name": schema, "table-name": name },
    "parallel-load": load,
  }));
  return JSON.stringify({ rules: [...JSON.parse(schemas(schema)).rules, ...settings] });
}

/** An application of that schema. */
export class MysqlKillWorkload extends KillWriter {
  static async start(server: MysqlServer, database: string, note: string): Promise<MysqlKillWorkload> {
    return new MysqlKillWorkload(await server.connect(database), transaction, note);
  }
}

function transaction(i: number, note: string): readonly Statement[] {
  const movable = FIXED + 3 + ((i * 7919) % (ROWS - FIXED - 3));
  return [
    ["do sleep(0.02)", []],
    ["begin", []],
    ["update ranged set a = a + 1, note = ? where id = ?", [note, 1 + ((i * 7919) % ROWS)]],
    ["delete from child where ranged_id in (?, ?)", [movable, movable + 1]],
    ["update ranged set id = id + 10000000 where id = ?", [movable]],
    ["delete from ranged where id = ?", [movable + 1]],
    ["insert into child (ranged_id, label, state) values (?, uuid(), 'it''s old')", [1 + (i % FIXED)]],
    ["insert into event values (?, ?, 'a,b', x'005c27')", [note, i]],
    ["update event set flags = 'b' where note = ? and n = ?", [note, i - 1]],
    ["update child set label = concat('moved ', label) where label = ?", [`c${1 + (i % 2000)}`]],
    ["delete from log where n = ? and note = 'before'", [i % 1000]],
    ["update parted set note = ?, id = id + 100001 where id = ?", [note, 1 + (i % 2000)]],
    ["insert into log values (?, ?, current_timestamp(3), ? / 3)", [note, i, i]],
    ["commit", []],
  ];
}
