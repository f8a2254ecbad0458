/** A table of the benchmark's data, in schema bench. Its rows follow from their number alone. */
export interface BenchTable {
  readonly name: string;
  readonly columns: string;
  /** At scale 1. */
  readonly rows: number;
  /** Select list that makes row `g`. */
  readonly row: string;
  readonly primaryKey: string;
  readonly indexes: readonly string[];
  /** Each as written after `add`. */
  readonly foreignKeys: readonly string[];
}

/** Numbers that look random: a row's number times a prime, modulo another. */
const scattered = (prime: number, below: number): string => `((g * ${prime} + ${prime % 97}) % ${below})`;

/** pgbench's accounts: narrow rows, most of them blanks. */
export const accounts: BenchTable = {
  name: "accounts",
  columns: "aid integer not null, bid integer, abalance integer, filler character(84)",
  rows: 5_000_000,
  row: "g, (g - 1) / 100000 + 1, 0, ''",
  primaryKey: "aid",
  indexes: [],
  foreignKeys: ["foreign key (bid) references bench.branches"],
};

export const branches: BenchTable = {
  name: "branches",
  columns: "bid integer not null, bbalance integer, filler character(88)",
  rows: 50,
  row: "g, 0, null",
  primaryKey: "bid",
  indexes: [],
  foreignKeys: [],
};

/** The 16 columns of TPC-H's lineitem. */
export const lineitem: BenchTable = {
  name: "lineitem",
  columns: `l_orderkey bigint not null, l_partkey integer not null, l_suppkey integer not null,
    l_linenumber integer not null, l_quantity numeric(15,2) not null, l_extendedprice numeric(15,2) not null,
    l_discount numeric(15,2) not null, l_tax numeric(15,2) not null, l_returnflag character(1) not null,
    l_linestatus character(1) not null, l_shipdate date not null, l_commitdate date not null,
    l_receiptdate date not null, l_shipinstruct character(25) not null, l_shipmode character(10) not null,
    l_comment character varying(44) not null`,
  rows: 3_000_000,
  row: `(g - 1) / 4 + 1, ${scattered(7919, 200_000)} + 1, ${scattered(104729, 10_000)} + 1, (g - 1) % 4 + 1,
    ${scattered(31, 50)} + 1, (${scattered(15_485_863, 10_000_000)} + 90000) / 100.0,
    ${scattered(17, 11)} / 100.0, ${scattered(13, 9)} / 100.0, substr('RAN', (g % 3)::integer + 1, 1),
    substr('OF', (g % 2)::integer + 1, 1), date '1992-01-02' + ${scattered(6007, 2526)}::integer,
    date '1992-01-31' + ${scattered(6011, 2466)}::integer, date '1992-01-04' + ${scattered(6007, 2526)}::integer,
    (array['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[g % 4 + 1],
    (array['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[g % 7 + 1],
    substr('carefully final deposits detect slyly against the furious', (g % 23)::integer + 1, (g % 18)::integer + 10) || ' ' || ${scattered(7907, 1_000_000)}`,
  primaryKey: "l_orderkey, l_linenumber",
  indexes: ["(l_shipdate)", "(l_partkey, l_suppkey)"],
  foreignKeys: [],
};

/** About 1 KB of text, JSON and bytes a row, with everything that COPY's text form has to escape. */
export const documents: BenchTable = {
  name: "documents",
  columns: `id bigint not null, account integer, title text not null, body text, attributes jsonb, payload bytea,
    created_at timestamp with time zone not null, note text`,
  rows: 300_000,
  row: `g, ${scattered(7919, 1000)} + 1, 'Document ' || g,
    repeat(md5(g::text) || E'\\tcolumn\\nline \\\\ back \\r ünïcödé 🌊 ' || md5((g * 31)::text), 5),
    jsonb_build_object('id', g, 'tags', jsonb_build_array(md5((g * 3)::text), 'blue', null), 'deep', jsonb_build_object('price', g % 1000 / 8.0, 'ok', g % 2 = 0)),
    decode(repeat(md5((g * 7)::text), 4), 'hex'),
    timestamptz '2020-01-01 00:00:00+00' + ${scattered(7927, 100_000_000)} * interval '1 second',
    case when g % 3 = 0 then 'note ' || g end`,
  primaryKey: "id",
  indexes: ["(created_at)", "(account)"],
  foreignKeys: ["foreign key (account) references bench.accounts"],
};

export const manyColumns =
  "id integer not null, parent integer, name text not null, amount numeric(12,2), at timestamp with time zone not null";

export const manyRow =
  "g, (g + 1) / 2, 'row ' || md5(g::text), g % 10000 / 4.0, timestamptz '2021-03-04 00:00:00+00' + g * interval '1 minute'";
