import { createHash } from "node:crypto";
import type { Kind } from "./mapped-move.ts";
import { about, type ByKind, type Rows, type RuleCase } from "./rule-case.ts";

/* Columns that rules add: of every type, and with everything that their expressions may say. */

const MADE = `create table t (id int primary key, v varchar(20));
  insert into t values (1, 'one'), (2, 'two'), (3, 'three')`;
const CHANGED = `insert into t values (4, 'four'); update t set v = 'zwei' where id = 2; delete from t where id = 3`;

function added(
  expression: string,
  type: object,
  { shown = '"added"', ...rows }: { readonly shown?: ByKind<string> } & Pick<RuleCase, "loaded" | "after">,
): RuleCase {
  const query = (kind: Kind): string => {
    const value = typeof shown === "string" ? shown : shown[kind];
    return `select id, ${value} as shown from "{schema}".t order by id`;
  };
  return {
    rules: [
      about("column", "add-column", { "table-name": "t" }, { value: "added", expression, "data-type": type }),
    ],
    ...{ made: MADE, changed: CHANGED, ...rows },
    query: { postgres: query("postgres"), mariadb: query("mariadb") },
  };
}

/** Rows 1, 2 and 3, and then 1, 2 and 4, with what stands beside each. */
function rows(
  loaded: readonly (string | null)[],
  after: readonly (string | null)[],
): { loaded: Rows; after: Rows } {
  return {
    loaded: loaded.map((value, at) => [String(at + 1), value]),
    after: after.map((value, at) => [String([1, 2, 4][at]), value]),
  };
}

const HEX = { postgres: `encode("added", 'hex')`, mariadb: 'lower(hex("added"))' };
const whole = ["$id + 100", rows(["101", "102", "103"], ["101", "102", "104"])] as const;
const halves = ["$id / 2.0", rows(["0.5", "1", "1.5"], ["0.5", "1", "2"])] as const;
const text = ["$v || ' ü'", rows(["one ü", "two ü", "three ü"], ["one ü", "zwei ü", "four ü"])] as const;
const bytes = [
  "x'00ff' || cast($v as blob)",
  {
    ...rows(["00ff6f6e65", "00ff74776f", "00ff7468726565"], ["00ff6f6e65", "00ff7a776569", "00ff666f7572"]),
    shown: HEX,
  },
] as const;

/** A sentence of SQLite for each type, and what it comes to. */
const types: Readonly<
  Record<string, readonly [expression: string, rows: Parameters<typeof added>[2], more?: object]>
> = {
  boolean: [
    "$id > 1",
    {
      ...rows(["no", "yes", "yes"], ["no", "yes", "yes"]),
      shown: `case when "added" then 'yes' when not "added" then 'no' end`,
    },
  ],
  ...{ int1: whole, int2: whole, int4: whole, int8: whole },
  ...{ uint1: whole, uint2: whole, uint4: whole, uint8: whole },
  numeric: [
    "$id / 2.0",
    rows(["0.500", "1.000", "1.500"], ["0.500", "1.000", "2.000"]),
    { precision: 8, scale: 3 },
  ],
  ...{ real4: halves, real8: halves },
  string: [...text, { length: 30 }],
  wstring: [...text, { length: 30 }],
  ...{ clob: text, nclob: text },
  bytes: [...bytes, { length: 30 }],
  blob: bytes,
  date: [
    "'2026-02-1' || $id",
    {
      ...rows(["2026-02-11", "2026-02-12", "2026-02-13"], ["2026-02-11", "2026-02-12", "2026-02-14"]),
      shown: 'cast("added" as char(10))',
    },
  ],
  time: [
    "'01:02:0' || $id",
    {
      ...rows(["01:02:01", "01:02:02", "01:02:03"], ["01:02:01", "01:02:02", "01:02:04"]),
      shown: 'cast("added" as char(8))',
    },
  ],
  datetime: [
    "'2026-02-28 23:59:5' || $id",
    {
      ...rows(
        ["2026-02-28 23:59:51", "2026-02-28 23:59:52", "2026-02-28 23:59:53"],
        ["2026-02-28 23:59:51", "2026-02-28 23:59:52", "2026-02-28 23:59:54"],
      ),
      shown: 'cast("added" as char(19))',
    },
  ],
};

function hashes(...ids: readonly number[]): readonly string[] {
  return ids.map((id) => createHash("sha256").update(`k${id}`).digest("hex").slice(0, 8));
}

const STRING = { type: "string", length: 100 };

/** Whether there is a value; which one it is, is known when it happens. */
const TOLD = `case when "added" is null then 'null' when "added" = '' then 'empty' else 'told' end`;
const always = { ...rows(["told", "told", "told"], ["told", "told", "told"]), shown: TOLD };
const ofChanges = { ...rows(["empty", "empty", "empty"], ["empty", "told", "told"]), shown: TOLD };

const expressions: Readonly<Record<string, RuleCase>> = {
  "the operation": added(
    "$AR_H_OPERATION",
    STRING,
    rows(["INSERT", "INSERT", "INSERT"], ["INSERT", "UPDATE", "INSERT"]),
  ),
  "the place in the log": added("$AR_H_STREAM_POSITION", STRING, ofChanges),
  "the number of the change": added("$AR_H_CHANGE_SEQ", STRING, ofChanges),
  "the time of the change": added("$AR_H_TIMESTAMP", STRING, always),
  "the time of the commit": added("$AR_H_COMMIT_TIMESTAMP", STRING, always),
  "the user": added("$AR_H_USER", STRING, {
    ...rows(["null", "null", "null"], ["null", "null", "null"]),
    shown: TOLD,
  }),
  "the table's names": added("$AR_M_SOURCE_SCHEMA || '.' || $AR_M_SOURCE_TABLE_NAME", STRING, {
    ...rows(["same", "same", "same"], ["same", "same", "same"]),
    shown: `case when "added" = '{schema}.t' then 'same' end`,
  }),
  "what became of a row": {
    ...added("operation_indicator('D', 'U', 'I')", STRING, rows([], [])),
    loaded: ["1", "2", "3"].map((id) => [id, "I"]),
    after: [..."IUDI"].map((what, at) => [String(at + 1), what]),
  },
  "a hash": added("substr(hash_sha256('k' || $id), 1, 8)", STRING, rows(hashes(1, 2, 3), hashes(1, 2, 4))),
  "other characters": added(
    "replaceChars($v, 'oe', '0_')",
    STRING,
    rows(["0n_", "tw0", "thr__"], ["0n_", "zw_i", "f0ur"]),
  ),
  "the value before": {
    ...added(
      "coalesce($BI__v, '-') || $v",
      STRING,
      rows(["-one", "-two", "-three"], ["-one", "twozwei", "-four"]),
    ),
    made: { postgres: `${MADE}; alter table t replica identity full`, mariadb: MADE },
  },
};

export const ruleTypeCases: ReadonlyMap<string, RuleCase> = new Map([
  ...Object.entries(types).map(([type, [expression, values, more]]): [string, RuleCase] => {
    return [`a column of ${type}`, added(expression, { type, ...more }, values)];
  }),
  ...Object.entries(expressions).map(([what, one]): [string, RuleCase] => [
    `an expression with ${what}`,
    one,
  ]),
]);
