import type { CaseRule, Rows, RuleCase } from "./rule-case.ts";

/* Rules that say which tables and rows come, and how a full load parts a table. */

function selecting(action: string, locator: object, more: object = {}): CaseRule {
  return { "rule-type": "selection", "rule-action": action, "object-locator": locator, ...more };
}

const TWO = `create table taken (id int primary key); create table other (id int primary key);
  insert into taken values (1), (2); insert into other values (7)`;

/** The rows of the table that a rule takes, beside the names of all tables that came. */
const TAKEN = `select id, (select min(table_name) from information_schema.tables where table_schema = '{schema}') as first,
  (select count(*) from information_schema.tables where table_schema = '{schema}') as tables from "{schema}".taken order by id`;

const taken = {
  made: TWO,
  changed: "insert into taken values (3); insert into other values (8); delete from taken where id = 1",
  query: TAKEN,
  loaded: ["1", "2"].map((id) => [id, "taken", "1"]),
  after: ["2", "3"].map((id) => [id, "taken", "1"]),
};

const VIEWS = `create table basis (id int primary key, n int); insert into basis values (1, 10), (2, 20), (3, 30);
  create view shown as select id, n * 2 as twice from basis where n > 10`;
const SHOWN = `select id, twice, (select count(*) from information_schema.tables where table_schema = '{schema}'
  and table_type = 'BASE TABLE') as tables from "{schema}".shown order by id`;

const selections: Readonly<Record<string, RuleCase>> = {
  "a rule that includes a table": { ...taken, rules: [selecting("include", { "table-name": "tak%" })] },
  "a rule that excludes a table": {
    ...taken,
    rules: [selecting("include", { "table-name": "%" }), selecting("exclude", { "table-name": "oth%" })],
  },
  "a rule that names a table": { ...taken, rules: [selecting("explicit", { "table-name": "taken" })] },
  "a rule about tables": {
    rules: [selecting("include", { "table-name": "%s%", "table-type": "table" })],
    made: VIEWS,
    changed: "insert into basis values (4, 40); update basis set n = 11 where id = 1",
    query: `select id, n, (select count(*) from information_schema.tables where table_schema = '{schema}') as tables
      from "{schema}".basis order by id`,
    loaded: ["10", "20", "30"].map((n, at) => [String(at + 1), n, "1"]),
    after: ["11", "20", "30", "40"].map((n, at) => [String(at + 1), n, "1"]),
  },
  "a rule about views": {
    rules: [selecting("include", { "table-name": "%s%", "table-type": "view" })],
    made: VIEWS,
    query: SHOWN,
    loaded: [
      ["2", "40", "1"],
      ["3", "60", "1"],
    ],
    after: [],
  },
  "a rule about tables and views": {
    rules: [selecting("include", { "table-name": "%s%", "table-type": "all" })],
    made: VIEWS,
    query: SHOWN,
    loaded: [
      ["2", "40", "2"],
      ["3", "60", "2"],
    ],
    after: [],
  },
};

const NUMBERS = `create table numbers (id int primary key, n int);
  insert into numbers values (1, 5), (2, 10), (3, 15), (4, null), (5, 10)`;
/** Each row that there is comes into some filters and leaves others. */
const MOVED = `update numbers set n = 10 where id = 1; update numbers set n = 20 where id = 2;
  update numbers set n = null where id = 3; update numbers set n = 10 where id = 4; delete from numbers where id = 5;
  insert into numbers values (6, 10), (7, 30), (8, null)`;

/** Operands of each operator, and the rows that it takes before the changes and after them. */
const filters: Readonly<Record<string, readonly [operands: object, loaded: string, after: string]>> = {
  eq: [{ value: "10" }, "2 5", "1 4 6"],
  noteq: [{ value: "10" }, "1 3", "2 7"],
  lte: [{ value: "10" }, "1 2 5", "1 4 6"],
  ste: [{ value: "10" }, "1 2 5", "1 4 6"],
  gte: [{ value: "10" }, "2 3 5", "1 2 4 6 7"],
  between: [{ "start-value": "10", "end-value": "15" }, "2 3 5", "1 4 6"],
  notbetween: [{ "start-value": "10", "end-value": "15" }, "1", "2 7"],
  null: [{}, "4", "3 8"],
  notnull: [{}, "1 2 3 5", "1 2 4 6 7"],
};

function filterCase(
  operator: string,
  operands: object,
  [loaded, after]: readonly [string, string],
): RuleCase {
  const condition = { "filter-operator": operator, ...operands };
  const filter = { "filter-type": "source", "column-name": "n", "filter-conditions": [condition] };
  const ids = (text: string): Rows => text.split(" ").map((id) => [id]);
  return {
    rules: [selecting("include", { "table-name": "numbers" }, { filters: [filter] })],
    ...{ made: NUMBERS, changed: MOVED, query: 'select id from "{schema}".numbers order by id' },
    ...{ loaded: ids(loaded), after: ids(after) },
  };
}

function parting(load: object): CaseRule {
  return {
    "rule-type": "table-settings",
    "object-locator": { "table-name": "parted" },
    "parallel-load": load,
  };
}

const RANGES = parting({ type: "ranges", columns: ["id"], boundaries: [["10"], ["20"]] });
const PARTED = "create table parted (id int primary key, n int)";
const STORED = `${PARTED} partition by range (id)
  (partition low values less than (10), partition middle values less than (20), partition high values less than maxvalue)`;

/** A table of five rows, with the number of rows in each part that it was loaded in. */
function partCase(load: CaseRule, table: string, parts: string): RuleCase {
  const journal = `from {journal} where table_owner = '{schema}' and table_name = 'parted'`;
  return {
    rules: [load],
    made: `${table}; insert into parted values (1, 1), (10, 2), (19, 3), (20, 4), (33, 5)`,
    changed:
      "update parted set n = n + 10 where id < 20; insert into parted values (5, 5); delete from parted where id = 33",
    query: {
      postgres: `select id, n, (select string_agg(loaded_rows::text, ' ' order by loaded_rows) ${journal}) from "{schema}".parted order by id`,
      mariadb: `select id, n, (select group_concat(loaded_rows order by loaded_rows separator ' ') ${journal}) from "{schema}".parted order by id`,
    },
    loaded: ["1 1", "10 2", "19 3", "20 4", "33 5"].map((row) => [...row.split(" "), parts]),
    after: ["1 11", "5 5", "10 12", "19 13", "20 4"].map((row) => [...row.split(" "), parts]),
  };
}

const parts: Readonly<Record<string, RuleCase>> = {
  "a table in ranges": partCase(RANGES, PARTED, "1 2 2"),
  // The rule with the lower number counts, so that the other one is as if it were not there.
  "a table as a whole": { ...partCase(parting({ type: "none" }), PARTED, "5"), beside: [RANGES] },
  "a table in the partitions that it has": {
    ...partCase(parting({ type: "partitions-auto" }), STORED, "1 2 2"),
    from: "mariadb",
  },
  "a table in partitions by name": {
    ...partCase(parting({ type: "partitions-list", partitions: ["low"] }), STORED, "1 4"),
    from: "mariadb",
  },
};

const limiting = (settings: object): CaseRule => ({
  "rule-type": "table-settings",
  "object-locator": { "table-name": "longer" },
  "lob-settings": settings,
});

const ONE_KILOBYTE = limiting({ mode: "limited", "bulk-max-size": "1" });

/** How long the texts of a table are on the target, of 1000 and 2000 bytes on the source. */
function lobCase(rule: CaseRule, beside: readonly CaseRule[], longest: string): RuleCase {
  return {
    ...{ rules: [rule], beside },
    made: "create table longer (id int primary key, v text); insert into longer values (1, repeat('a', 1000)), (2, repeat('b', 2000))",
    changed:
      "insert into longer values (3, repeat('c', 2000)); update longer set v = repeat('d', 2000) where id = 1",
    query: 'select id, length(v) from "{schema}".longer order by id',
    loaded: [
      ["1", "1000"],
      ["2", longest],
    ],
    after: ["1", "2", "3"].map((id) => [id, longest]),
  };
}

// The rule with the lower number counts, so that the one for one kilobyte is as if it were not there.
const lobs: Readonly<Record<string, RuleCase>> = {
  "large objects of limited size": lobCase(ONE_KILOBYTE, [], "1024"),
  "large objects of any size": lobCase(limiting({ mode: "unlimited" }), [ONE_KILOBYTE], "2000"),
  "large objects as the settings say": lobCase(limiting({ mode: "none" }), [ONE_KILOBYTE], "2000"),
};

export const ruleRowCases: ReadonlyMap<string, RuleCase> = new Map([
  ...Object.entries(selections),
  ...Object.entries(filters).map(([operator, [operands, loaded, after]]): [string, RuleCase] => {
    return [`a filter with ${operator}`, filterCase(operator, operands, [loaded, after])];
  }),
  ...Object.entries(parts),
  ...Object.entries(lobs),
]);
