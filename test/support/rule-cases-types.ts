import { added, besideIds } from "./rule-added-column.ts";
import type { ByKind, Rows, RuleCase } from "./rule-case.ts";

/* Columns of every type, which rules add. */

export interface RuleTypeSample {
  /** The rule's data-type. */
  readonly type: { readonly type: string; readonly [member: string]: unknown };
  /** The column's type as each kind of target shows it. */
  readonly postgres: string;
  readonly mariadb: string;
  /** A value, and what it is in the rows. */
  readonly made: readonly [expression: string, rows: { readonly loaded: Rows; readonly after: Rows }];
  readonly shown?: ByKind<string>;
}

const NATIVE = {
  postgres: `(select format_type(atttypid, atttypmod) from pg_attribute
    where attrelid = '"{schema}".t'::regclass and attname = 'added') as native`,
  mariadb: `(select column_type from information_schema.columns
    where table_schema = '{schema}' and table_name = 't' and column_name = 'added') as native`,
};

function typeCase({
  type,
  postgres,
  mariadb,
  made: [expression, rows],
  shown = '"added"',
}: RuleTypeSample): RuleCase {
  const beside = (found: Rows): ByKind<Rows> => ({
    postgres: found.map((row) => [...row, postgres]),
    mariadb: found.map((row) => [...row, mariadb]),
  });
  const value = typeof shown === "string" ? { postgres: shown, mariadb: shown } : shown;
  return added(expression, type, {
    shown: {
      postgres: `${value.postgres} as shown, ${NATIVE.postgres}`,
      mariadb: `${value.mariadb} as shown, ${NATIVE.mariadb}`,
    },
    loaded: beside(rows.loaded),
    after: beside(rows.after),
  });
}

const whole: RuleTypeSample["made"] = ["$id + 100", besideIds(["101", "102", "103"], ["101", "102", "104"])];
const halves: RuleTypeSample["made"] = ["$id / 2.0", besideIds(["0.5", "1", "1.5"], ["0.5", "1", "2"])];
const text: RuleTypeSample["made"] = [
  "$v || ' ü'",
  besideIds(["one ü", "two ü", "three ü"], ["one ü", "zwei ü", "four ü"]),
];
const bytes: Pick<RuleTypeSample, "made" | "shown"> = {
  made: [
    "x'00ff' || cast($v as blob)",
    besideIds(["00ff6f6e65", "00ff74776f", "00ff7468726565"], ["00ff6f6e65", "00ff7a776569", "00ff666f7572"]),
  ],
  shown: { postgres: `encode("added", 'hex')`, mariadb: 'lower(hex("added"))' },
};

function int(type: string, postgres: string, mariadb: string): RuleTypeSample {
  return { type: { type }, postgres, mariadb, made: whole };
}

export const ruleTypeSamples: readonly RuleTypeSample[] = [
  {
    ...{ type: { type: "boolean" }, postgres: "boolean", mariadb: "tinyint(1)" },
    made: ["$id > 1", besideIds(["no", "yes", "yes"], ["no", "yes", "yes"])],
    shown: `case when "added" then 'yes' when not "added" then 'no' end`,
  },
  int("int1", "smallint", "tinyint(4)"),
  int("int2", "smallint", "smallint(6)"),
  int("int4", "integer", "int(11)"),
  int("int8", "bigint", "bigint(20)"),
  int("uint1", "smallint", "tinyint(3) unsigned"),
  int("uint2", "integer", "smallint(5) unsigned"),
  int("uint4", "bigint", "int(10) unsigned"),
  int("uint8", "numeric(20,0)", "bigint(20) unsigned"),
  {
    type: { type: "numeric", precision: 8, scale: 3 },
    ...{ postgres: "numeric(8,3)", mariadb: "decimal(8,3)" },
    made: ["$id / 2.0", besideIds(["0.500", "1.000", "1.500"], ["0.500", "1.000", "2.000"])],
  },
  { type: { type: "real4" }, postgres: "real", mariadb: "float", made: halves },
  { type: { type: "real8" }, postgres: "double precision", mariadb: "double", made: halves },
  ...["string", "wstring"].flatMap((type): readonly RuleTypeSample[] => [
    { type: { type, length: 30 }, postgres: "character varying(30)", mariadb: "varchar(30)", made: text },
    { type: { type }, postgres: "text", mariadb: "longtext", made: text },
  ]),
  { type: { type: "clob" }, postgres: "text", mariadb: "longtext", made: text },
  { type: { type: "nclob" }, postgres: "text", mariadb: "longtext", made: text },
  { type: { type: "bytes", length: 30 }, postgres: "bytea", mariadb: "varbinary(30)", ...bytes },
  { type: { type: "bytes" }, postgres: "bytea", mariadb: "longblob", ...bytes },
  { type: { type: "blob" }, postgres: "bytea", mariadb: "longblob", ...bytes },
  {
    ...{ type: { type: "date" }, postgres: "date", mariadb: "date" },
    made: [
      "'2026-02-1' || $id",
      besideIds(["2026-02-11", "2026-02-12", "2026-02-13"], ["2026-02-11", "2026-02-12", "2026-02-14"]),
    ],
    shown: 'cast("added" as char(10))',
  },
  {
    type: { type: "time", precision: 3 },
    ...{ postgres: "time(3) without time zone", mariadb: "time(3)" },
    made: [
      "'01:02:0' || $id",
      besideIds(["01:02:01", "01:02:02", "01:02:03"], ["01:02:01", "01:02:02", "01:02:04"]),
    ],
    shown: 'cast("added" as char(8))',
  },
  {
    type: { type: "datetime", precision: 3 },
    ...{ postgres: "timestamp(3) without time zone", mariadb: "datetime(3)" },
    made: [
      "'2026-02-28 23:59:5' || $id",
      besideIds(
        ["2026-02-28 23:59:51", "2026-02-28 23:59:52", "2026-02-28 23:59:53"],
        ["2026-02-28 23:59:51", "2026-02-28 23:59:52", "2026-02-28 23:59:54"],
      ),
    ],
    shown: 'cast("added" as char(19))',
  },
];

export const ruleTypeCases: ReadonlyMap<string, RuleCase> = new Map(
  ruleTypeSamples.map((sample) => [`a column of ${JSON.stringify(sample.type)}`, typeCase(sample)]),
);
