/** Changes that an application makes, as one session of a server makes them: the same in every run. */
export interface Workload {
  /** Tables and rows that both sides hold before it. */
  readonly initial: string;
  /** Makes that many times `unit`; commits by itself. */
  readonly changes: (units: number) => string;
  /** At scale 1. */
  readonly units: number;
  /** Row changes that a unit makes. */
  readonly rowsPerUnit: number;
}

export const ACCOUNTS = 1_000_000;
const BRANCHES = 10;
const TELLERS = 100;

/** As `pgbench -i -s 10` makes them. The history has no key: a row that comes twice is there twice. */
export const pgbenchTables = `
  create table pgbench_branches (bid integer primary key, bbalance integer, filler character(88)) with (fillfactor = 100);
  create table pgbench_tellers (tid integer primary key, bid integer, tbalance integer, filler character(84)) with (fillfactor = 100);
  create table pgbench_accounts (aid integer primary key, bid integer, abalance integer, filler character(84)) with (fillfactor = 100);
  create table pgbench_history (tid integer, bid integer, aid integer, delta integer, mtime timestamp, filler character(22));
  alter table pgbench_history replica identity full;
  insert into pgbench_branches select g, 0, null from generate_series(1, ${BRANCHES}) g;
  insert into pgbench_tellers select g, (g - 1) / ${TELLERS / BRANCHES} + 1, 0, null from generate_series(1, ${TELLERS}) g;
  insert into pgbench_accounts select g, (g - 1) / ${ACCOUNTS / BRANCHES} + 1, 0, '' from generate_series(1, ${ACCOUNTS}) g`;

/** pgbench's TPC-B transaction: three updates and an insert. */
export const tpcB: Workload = {
  initial: pgbenchTables,
  changes: (units) =>
    eachCommitted(
      units,
      `update pgbench_accounts set abalance = abalance + i % 1000 where aid = i * 7919 % ${ACCOUNTS} + 1;
       update pgbench_tellers set tbalance = tbalance + i % 1000 where tid = i * 31 % ${TELLERS} + 1;
       update pgbench_branches set bbalance = bbalance + i % 1000 where bid = i * 7 % ${BRANCHES} + 1;
       insert into pgbench_history (tid, bid, aid, delta, mtime)
         values (i * 31 % ${TELLERS} + 1, i * 7 % ${BRANCHES} + 1, i * 7919 % ${ACCOUNTS} + 1, i % 1000, clock_timestamp());`,
    ),
  units: 100_000,
  rowsPerUnit: 4,
};

/** One row of a large table a transaction. */
export const singleUpdates: Workload = {
  initial: pgbenchTables,
  changes: (units) =>
    eachCommitted(
      units,
      `update pgbench_accounts set abalance = abalance + 1 where aid = i * 7919 % ${ACCOUNTS} + 1;`,
    ),
  units: 400_000,
  rowsPerUnit: 1,
};

/** One row that every transaction updates. */
export const hotRow: Workload = {
  initial: `create table hot (id integer primary key, counter bigint not null, note text);
    insert into hot values (1, 0, 'the one')`,
  changes: (units) => eachCommitted(units, "update hot set counter = i, note = 'number ' || i where id = 1;"),
  units: 100_000,
  rowsPerUnit: 1,
};

/** A table that only grows, and the statement that adds rows to it whose ids are expressions of SQL. */
export const eventTable = `create table events (id bigint primary key, kind integer not null, name text not null,
    amount numeric(12,2), at timestamp with time zone not null)`;

export function insertEvents(first: string, last: string): string {
  return `insert into events select g, g % 50, 'event ' || md5(g::text), g % 100000 / 4.0,
       timestamptz '2024-05-06 00:00:00+00' + g * interval '1 second' from generate_series((${first})::bigint, ${last}) g`;
}

/** Many rows in one transaction. */
export const bulkInsert: Workload = {
  initial: eventTable,
  changes: (units) => insertEvents("1", String(units)),
  units: 1_000_000,
  rowsPerUnit: 1,
};

/** Each time a transaction of its own, as fast as one session can. `i` counts in 64 bits: a FOR loop has 32. */
function eachCommitted(units: number, statements: string): string {
  return `do $$ declare i bigint := 0; begin while i < ${units} loop i := i + 1;
    ${statements}
    commit; end loop; end $$`;
}
