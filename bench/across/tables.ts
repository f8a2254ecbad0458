import { accounts, documents, lineitem } from "../data/tables.ts";

/** A table of the benchmark's data that a MariaDB server and a PostgreSQL server hold alike. */
export interface AcrossTable {
  readonly name: string;
  /** At scale 1. */
  readonly rows: number;
  readonly mariadb: TableSide;
  readonly postgres: TableSide;
}

export interface TableSide {
  /** What stands in the brackets of CREATE TABLE. */
  readonly columns: string;
  /** Select list that makes row `g`; undefined where the table is a target's alone. */
  readonly row: string | undefined;
  /** Select list of texts that are the same on both servers for the same row, none of them NULL. */
  readonly texts: string;
}

/** Numbers that look random: a row's number times a prime, modulo another. */
const scattered = (prime: number, below: number): string => `((g * ${prime} + ${prime % 97}) % ${below})`;

const lineitemTexts = `l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice, l_discount, l_tax,
  l_returnflag, l_linestatus, l_shipdate, l_commitdate, l_receiptdate, rtrim(l_shipinstruct), rtrim(l_shipmode), l_comment`;

export const orderLines: AcrossTable = {
  name: lineitem.name,
  rows: lineitem.rows,
  mariadb: {
    columns: `l_orderkey bigint not null, l_partkey integer not null, l_suppkey integer not null,
      l_linenumber integer not null, l_quantity decimal(15,2) not null, l_extendedprice decimal(15,2) not null,
      l_discount decimal(15,2) not null, l_tax decimal(15,2) not null, l_returnflag char(1) not null,
      l_linestatus char(1) not null, l_shipdate date not null, l_commitdate date not null,
      l_receiptdate date not null, l_shipinstruct char(25) not null, l_shipmode char(10) not null,
      l_comment varchar(44) not null, primary key (l_orderkey, l_linenumber)`,
    row: `(g - 1) div 4 + 1, ${scattered(7919, 200_000)} + 1, ${scattered(104729, 10_000)} + 1, (g - 1) % 4 + 1,
      ${scattered(31, 50)} + 1, (${scattered(15_485_863, 10_000_000)} + 90000) / 100,
      ${scattered(17, 11)} / 100, ${scattered(13, 9)} / 100, substr('RAN', g % 3 + 1, 1), substr('OF', g % 2 + 1, 1),
      date_add('1992-01-02', interval ${scattered(6007, 2526)} day),
      date_add('1992-01-31', interval ${scattered(6011, 2466)} day),
      date_add('1992-01-04', interval ${scattered(6007, 2526)} day),
      elt(g % 4 + 1, 'DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'),
      elt(g % 7 + 1, 'REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'),
      concat(substr('carefully final deposits detect slyly against the furious', g % 23 + 1, g % 18 + 10), ' ', ${scattered(7907, 1_000_000)})`,
    texts: lineitemTexts,
  },
  postgres: { columns: lineitem.columns, row: lineitem.row, texts: lineitemTexts },
};

export const narrowRows: AcrossTable = {
  name: accounts.name,
  rows: accounts.rows,
  mariadb: {
    columns: "aid integer not null primary key, bid integer, abalance integer, filler char(84)",
    row: "g, (g - 1) div 100000 + 1, 0, ''",
    texts: "aid, bid, abalance, rtrim(filler)",
  },
  postgres: { columns: accounts.columns, row: accounts.row, texts: "aid, bid, abalance, rtrim(filler)" },
};

/** About 1 KB of text, JSON and bytes a row. The JSON is written as PostgreSQL's jsonb writes it. */
export const wideRows: AcrossTable = {
  name: documents.name,
  rows: documents.rows,
  mariadb: {
    columns: `id bigint not null primary key, account integer, title varchar(100) not null, body mediumtext, attributes json,
      payload blob, created_at datetime(6) not null, note text`,
    row: `g, ${scattered(7919, 1000)} + 1, concat('Document ', g),
      repeat(concat(md5(g), '\\tcolumn\\nline \\\\ back \\r ünïcödé 🌊 ', md5(g * 31)), 5),
      concat('{"id": ', g, ', "deep": {"ok": ', if(g % 2 = 0, 'true', 'false'), ', "price": ', g % 1000, '}, "tags": ["', md5(g * 3), '", "blue", null]}'),
      unhex(repeat(md5(g * 7), 4)), date_add('2020-01-01', interval ${scattered(7927, 100_000_000)} second),
      if(g % 3 = 0, concat('note ', g), null)`,
    texts: `id, account, title, body, attributes, lower(hex(payload)), date_format(created_at, '%Y-%m-%d %H:%i:%s.%f'), coalesce(note, '~')`,
  },
  postgres: {
    columns: `id bigint not null, account integer, title varchar(100) not null, body text, attributes jsonb,
      payload bytea, created_at timestamp(6) not null, note text`,
    row: undefined,
    texts: `id, account, title, body, attributes, encode(payload, 'hex'), to_char(created_at, 'YYYY-MM-DD HH24:MI:SS.US'), coalesce(note, '~')`,
  },
};
