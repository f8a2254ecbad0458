import { createHash } from "node:crypto";
import { about, type Rows, type RuleCase } from "./rule-case.ts";

/* Rules about columns that a table has, and about its key. */

const ROWS = `insert into t values (1, 'one 1', 12.5, 'long 1'), (2, 'two 22', -0.4, 'long 2'), (3, null, null, null)`;

const MADE = `create table t (id int primary key, v varchar(70), price decimal(8, 2), doc text); ${ROWS}`;

const CHANGED = `insert into t values (4, 'four 4', 7.75, 'long 4'); update t set v = 'zwei 2', price = 1.5 where id = 2;
  delete from t where id = 3`;

const BEFORE_TOLD = {
  postgres: `${MADE}; alter table t replica identity full`,
  mariadb: MADE,
};

function columnCase(
  action: string,
  column: string | undefined,
  more: object,
  { query, loaded, after, made = MADE }: Pick<RuleCase, "loaded" | "after"> & Partial<RuleCase>,
): RuleCase {
  const locator = { "table-name": "t", ...(column === undefined ? {} : { "column-name": column }) };
  return {
    rules: [about("column", action, locator, more)],
    ...{ made, changed: CHANGED, loaded, after },
    query: query ?? 'select * from "{schema}".t order by id',
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Long enough that chance does not leave them as they are. */
const DIGITS = "1".repeat(30);

function beforeImages(filter: string, images: readonly string[], was: readonly (string | null)[]): RuleCase {
  const names = images.map((name) => `"was_${name}_x"`).join(", ");
  const count = `select count(*) from information_schema.columns where table_schema = '{schema}' and table_name = 't'`;
  const none = images.map(() => null);
  const columns = String(4 + images.length);
  const definition = { "column-prefix": "was_", "column-suffix": "_x", "column-filter": filter };
  return columnCase(
    "add-before-image-columns",
    "%",
    { "before-image-def": definition },
    {
      made: BEFORE_TOLD,
      query: `select id, (${count}), ${names} from "{schema}".t order by id`,
      loaded: ["1", "2", "3"].map((id) => [id, columns, ...none]),
      after: [
        ["1", columns, ...none],
        ["2", columns, ...was],
        ["4", columns, ...none],
      ],
    },
  );
}

const LOGS =
  "create table logs (nr int not null, what varchar(20)); insert into logs values (1, 'one'), (2, 'two')";

function keyCase(origin: string, words: string): RuleCase {
  return {
    rules: [
      about(
        "table",
        "define-primary-key",
        { "table-name": "logs" },
        { "primary-key-def": { name: "by_nr", columns: ["nr"], origin } },
      ),
    ],
    made: { postgres: `${LOGS}; alter table logs replica identity full`, mariadb: LOGS },
    changed: "insert into logs values (3, 'three')",
    query: {
      postgres: `select nr, what, (select concat_ws(' ', case when indisprimary then 'primary' end, case when indisunique then 'unique' end)
        from pg_index where indrelid = '"{schema}".logs'::regclass) from "{schema}".logs order by nr`,
      mariadb: `select nr, what, (select concat_ws(' ', case when index_name = 'PRIMARY' then 'primary' end,
        case when non_unique = 0 then 'unique' end) from information_schema.statistics
        where table_schema = '{schema}' and table_name = 'logs') from "{schema}".logs order by nr`,
    },
    loaded: [
      ["1", "one", words],
      ["2", "two", words],
    ],
    after: [
      ["1", "one", words],
      ["2", "two", words],
      ["3", "three", words],
    ],
  };
}

function masked(by: (text: string) => string): Pick<RuleCase, "query" | "loaded" | "after"> {
  const rows = (values: readonly (string | null)[], ids: string): Rows =>
    values.map((value, at) => [ids[at]!, value === null ? null : by(value)]);
  return {
    query: 'select id, v from "{schema}".t order by id',
    loaded: rows(["one 1", "two 22", null], "123"),
    after: rows(["one 1", "zwei 2", "four 4"], "124"),
  };
}

export const ruleColumnCases: ReadonlyMap<string, RuleCase> = new Map(
  Object.entries({
    "a column that stays behind": columnCase(
      "remove-column",
      "doc",
      {},
      {
        loaded: [
          ["1", "one 1", "12.50"],
          ["2", "two 22", "-0.40"],
          ["3", null, null],
        ],
        after: [
          ["1", "one 1", "12.50"],
          ["2", "zwei 2", "1.50"],
          ["4", "four 4", "7.75"],
        ],
      },
    ),
    "columns that come alone": {
      ...columnCase(
        "include-column",
        "id",
        {},
        { loaded: [["1"], ["2"], ["3"]], after: [["1"], ["2"], ["4"]] },
      ),
    },
    "a column of another type": columnCase(
      "change-data-type",
      "price",
      { "data-type": { type: "int4" } },
      {
        query: 'select id, price from "{schema}".t order by id',
        loaded: [
          ["1", "13"],
          ["2", "0"],
          ["3", null],
        ],
        after: [
          ["1", "13"],
          ["2", "2"],
          ["4", "8"],
        ],
      },
    ),
    "columns of one type": {
      ...columnCase(
        "data-masking-digits-mask",
        undefined,
        { value: "*", "object-locator": { "table-name": "t", "column-name": "%", "data-type": "nclob" } },
        {
          query: 'select id, v, doc from "{schema}".t order by id',
          loaded: [
            ["1", "one 1", "long *"],
            ["2", "two 22", "long *"],
            ["3", null, null],
          ],
          after: [
            ["1", "one 1", "long *"],
            ["2", "zwei 2", "long *"],
            ["4", "four 4", "long *"],
          ],
        },
      ),
    },
    "digits behind a mask": columnCase(
      "data-masking-digits-mask",
      "v",
      { value: "#" },
      masked((text) => text.replaceAll(/\d/g, "#")),
    ),
    "digits made at random": {
      ...columnCase("data-masking-digits-randomize", "v", {}, { loaded: [], after: [] }),
      made: `${MADE}; insert into t (id, v) values (1001, 'x${DIGITS}')`,
      changed: `insert into t (id, v) values (1002, '${DIGITS}'); update t set v = '${DIGITS}' where id = 2`,
      query: `select id, length(v), case when v like '%${DIGITS}' then 'clear' else 'masked' end from "{schema}".t
        where length(v) > 20 order by id`,
      loaded: [["1001", "31", "masked"]],
      after: [
        ["2", "30", "masked"],
        ["1001", "31", "masked"],
        ["1002", "30", "masked"],
      ],
    },
    "hashes of values": columnCase("data-masking-hash-mask", "v", {}, masked(sha256)),
    "before images of the key": beforeImages("pk-only", ["id"], ["2"]),
    "before images of all but large objects": beforeImages(
      "non-lob",
      ["id", "v", "price"],
      ["2", "two 22", "-0.40"],
    ),
    "before images of all columns": beforeImages(
      "all",
      ["id", "v", "price", "doc"],
      ["2", "two 22", "-0.40", "long 2"],
    ),
    "a primary key": keyCase("primary-key", "primary unique"),
    "a unique index": keyCase("unique-index", "unique"),
  }),
);
