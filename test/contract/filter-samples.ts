import type { FilterCondition } from "../../src/core/plan.ts";

/** A column, the values of its rows as SQL, and what they are compared with, as documents write it. */
export interface ColumnSample {
  readonly type: string;
  /** Row 0 has the first one; rows beyond them hold NULL. */
  readonly values: readonly string[];
  readonly compared: readonly string[];
  /** What is known without asking anybody: a condition and the rows that it takes. */
  readonly expected?: readonly { readonly condition: FilterCondition; readonly rows: readonly number[] }[];
}

const dates = [
  "2026-02-28",
  "0001-01-01",
  "1970-01-01",
  "2000-02-29",
  "9999-12-31",
  "1582-10-10",
  "1899-12-31",
];
const moments = [
  "2026-02-28 12:34:56.789",
  "0001-01-01 00:00:00",
  "1970-01-01 00:00:00",
  "2026-02-28 12:34:56.789001",
  "9999-12-31 23:59:59.999999",
  "2026-02-28 00:00:00",
];
const ofMoments = [...moments, "2026-02-28", "2026-02-28T12:34:56.7890", "2026-02-28 12:34"];
const texts = [
  "a",
  "A",
  "ä",
  "Z",
  "a ",
  " a",
  "",
  "ab",
  "\u{1f600}",
  "\u{ffee}",
  'it\'s \\ "quoted"',
  "a\tb",
  "ß",
  "ss",
];
const numbers = ["0", "-0", "1", "-1", "10", "9", "127", "-128", "100"];
const decimals = ["0", "0.5", "-0.5", "1.25", "-1.25", "10", "9.99", "1234567.89", "-1234567.89", "100"];
const ofDecimals = [
  ...decimals,
  "0.50",
  "+1.250",
  "00010",
  "1.2500000000001",
  "99999999999999999999999",
  "-.5",
];

const quoted = (values: readonly string[]): readonly string[] =>
  values.map((value) => `'${value.replaceAll("'", "''")}'`);
const escaped = (values: readonly string[]): readonly string[] =>
  quoted(values.map((value) => value.replaceAll("\\", "\\\\")));

const umlauts: ColumnSample["expected"] = [
  { condition: { operator: "eq", value: "a" }, rows: [0] },
  { condition: { operator: "lte", value: "Z" }, rows: [1, 3, 5, 6] },
];
const padded: ColumnSample["expected"] = [{ condition: { operator: "eq", value: "a   " }, rows: [0, 4] }];

export const postgresSamples: readonly ColumnSample[] = [
  { type: "smallint", values: numbers, compared: [...numbers, "40000", "-40000"] },
  {
    type: "int",
    values: [...numbers, "2147483647", "-2147483648"],
    compared: [...numbers, "3000000000", " 7 "],
  },
  {
    type: "bigint",
    values: [...numbers, "9223372036854775807", "-9223372036854775808"],
    compared: [...numbers, "9223372036854775807", "9223372036854775808", "9007199254740993"],
  },
  { type: "oid", values: ["0", "1", "4294967295"], compared: ["0", "-1", "1", "4294967295", "99999999999"] },
  { type: "numeric(12,3)", values: decimals, compared: ofDecimals },
  { type: "numeric", values: [...decimals, "'NaN'", "1e30", "-1e-20"], compared: ofDecimals },
  {
    type: "real",
    values: [...decimals, "0.1", "'NaN'", "'-Infinity'", "1e-40"],
    compared: [...decimals, "0.1", "1e30"],
  },
  {
    type: "double precision",
    values: [...decimals, "0.1", "'NaN'", "'Infinity'", "'-0'"],
    compared: [...decimals, "0.1", "0.1000000000000000055", "1e300"],
    expected: [{ condition: { operator: "eq", value: "0.10" }, rows: [10] }],
  },
  { type: "boolean", values: ["true", "false"], compared: ["true", "false", "t", "0"] },
  { type: "date", values: [...quoted(dates), "'0044-03-15 BC'", "'infinity'"], compared: dates },
  {
    type: "timestamp",
    values: [...quoted(moments), "'0044-03-15 12:00:00 BC'", "'-infinity'", "'10000-01-01'"],
    compared: ofMoments,
  },
  {
    type: "timestamptz",
    values: [...quoted(moments.map((value) => `${value}+00`)), "'2026-02-28 14:34:56.789+02'", "'infinity'"],
    compared: [...ofMoments, "2026-02-28 14:34:56.789+02:00", "2026-02-28 12:34:56.789Z"],
    expected: [{ condition: { operator: "eq", value: "2026-02-28 12:34:56.789" }, rows: [0, 6] }],
  },
  {
    type: "time",
    values: quoted(["00:00:00", "12:34:56.789", "24:00:00", "23:59:59.999999"]),
    compared: ["00:00", "12:34:56.789", "12:34:56.788", "23:59:59.999999", "24:00:00"],
  },
  {
    type: "timetz",
    values: quoted(["00:00:00+00", "12:00:00+02", "10:00:00+00", "08:00:00-02", "23:59:59.5-12:30"]),
    compared: ["00:00", "10:00:00", "12:00+02", "08:00-02:00", "23:59:59.5-12:30"],
  },
  {
    type: "interval",
    values: quoted([
      "1 day",
      "24:00:00",
      "-1 day +02:03:04.5",
      "1 mon",
      "30 days",
      "1 year -2 mons +3 days -04:05:06.7",
      "-00:00:00.5",
      "0",
    ]),
    compared: ["24:00:00", "-21:56:55.5", "720:00:00", "00:00", "-00:00:00.5", "7268:00:00"],
    expected: [{ condition: { operator: "eq", value: "720:00:00" }, rows: [3, 4] }],
  },
  {
    type: "uuid",
    values: quoted([
      "00000000-0000-0000-0000-000000000001",
      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ]),
    compared: ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "00000000000000000000000000000002"],
  },
  { type: "text", values: quoted(texts), compared: texts, expected: umlauts },
  { type: "varchar(40)", values: quoted(texts), compared: texts, expected: umlauts },
  { type: "char(30)", values: quoted(texts), compared: texts, expected: padded },
  { type: "bpchar", values: quoted(texts), compared: texts },
  { type: "name", values: quoted(["a", "A", "ä"]), compared: ["a", "ä", "b", "a".repeat(70)] },
  { type: 'text collate "C"', values: quoted(texts), compared: texts },
  { type: "bit(3)", values: ["B'000'", "B'101'", "B'111'"], compared: ["000", "101", "110"] },
];

export const mysqlSamples: readonly ColumnSample[] = [
  { type: "tinyint", values: numbers, compared: [...numbers, "300", "-300"] },
  { type: "tinyint(1)", values: ["0", "1", "5", "-1"], compared: ["true", "false"] },
  {
    type: "mediumint unsigned",
    values: ["0", "1", "16777215"],
    compared: ["0", "-1", "16777215", "16777216"],
  },
  { type: "int(6) zerofill", values: ["0", "7", "123456"], compared: ["0", "7", "0007", "123456"] },
  {
    type: "bigint",
    values: [...numbers, "9223372036854775807", "-9223372036854775808"],
    compared: [...numbers, "9223372036854775807", "9223372036854775808", "9007199254740993"],
  },
  {
    type: "bigint unsigned",
    values: ["0", "1", "9223372036854775808", "18446744073709551615"],
    compared: [
      "0",
      "-1",
      "9223372036854775808",
      "18446744073709551615",
      "18446744073709551614",
      "99999999999999999999",
    ],
  },
  {
    type: "year",
    values: ["1999", "2020", "1901", "2155", "'0000'"],
    compared: ["1999", "20", "2020", "0", "2155"],
  },
  { type: "decimal(12,3)", values: decimals, compared: ofDecimals },
  {
    type: "float",
    values: [...decimals, "0.1", "1e30"],
    compared: [...decimals, "0.1", "1e30", "0.10000000149"],
  },
  { type: "double", values: [...decimals, "0.1", "1e300"], compared: [...decimals, "0.1", "1e300"] },
  {
    type: "date",
    values: [...quoted(dates), "'0000-00-00'", "'2026-02-00'", "'0000-05-05'"],
    compared: dates,
  },
  {
    type: "datetime(6)",
    values: [...quoted(moments), "'0000-00-00'", "'2026-00-01 12:00:00'", "'0000-05-05'"],
    compared: ofMoments,
  },
  { type: "datetime", values: quoted(["2026-02-28 12:34:56", "2026-02-28 00:00:00"]), compared: ofMoments },
  {
    type: "timestamp(6) null",
    values: quoted([
      "2026-02-28 12:34:56.789",
      "1970-01-01 00:00:01",
      "2038-01-19 03:14:07.999999",
      "0000-00-00",
    ]),
    compared: [...ofMoments, "2026-02-28 14:34:56.789+02:00"],
  },
  {
    type: "time(6)",
    values: quoted(["00:00:00", "-838:59:59", "838:59:59", "25:00:00.5", "-00:00:00.5", "-01:00:00"]),
    compared: [
      "00:00",
      "-838:59:59",
      "838:59:59",
      "839:00:00",
      "-900:00",
      "838:59:59.5",
      "25:00:00.5",
      "-00:00:00.5",
    ],
    expected: [{ condition: { operator: "lte", value: "839:00:00" }, rows: [0, 1, 2, 3, 4, 5] }],
  },
  { type: "varchar(40) character set utf8mb4", values: escaped(texts), compared: texts, expected: umlauts },
  {
    type: "varchar(40) character set latin1 collate latin1_german1_ci",
    values: escaped(["a", "A", "ä", "Z", "a ", " a", "", "ab", "ß", "ss"]),
    compared: texts,
    expected: umlauts,
  },
  { type: "char(30) character set utf8mb4", values: escaped(texts), compared: texts, expected: padded },
  { type: "text character set utf8mb4 collate utf8mb4_bin", values: escaped(texts), compared: texts },
  {
    type: "enum('b', 'a', 'B', 'ä') character set utf8mb4 collate utf8mb4_bin",
    values: quoted(["b", "a", "B", "ä"]),
    compared: ["b", "a", "B", "ä"],
    expected: [{ condition: { operator: "lte", value: "a" }, rows: [1, 2] }],
  },
  {
    type: "set('x', 'y', 'z')",
    values: quoted(["", "x", "x,z", "z", "y,z"]),
    compared: ["", "z,x", "x", "y"],
    expected: [{ condition: { operator: "eq", value: "z,x" }, rows: [2] }],
  },
  {
    type: "binary(3)",
    values: ["x'616263'", "x'61'", "x'000000'"],
    compared: ["\\x616263", "0x61", "610000", ""],
  },
  {
    type: "varbinary(9)",
    values: ["x'61'", "x'6100'", "x''", "x'ff'"],
    compared: ["\\x61", "6100", "", "FF"],
  },
  { type: "blob", values: ["x'61'", "x'6100'", "x''"], compared: ["61", "6100", "", "00"] },
  { type: "bit(3)", values: ["b'000'", "b'101'", "b'111'"], compared: ["000", "101", "110"] },
  { type: "bit(64)", values: ["1", "18446744073709551615"], compared: ["1".repeat(64), "0".repeat(64)] },
];

export const mariadbSamples: readonly ColumnSample[] = [
  ...mysqlSamples,
  {
    type: "uuid",
    values: quoted([
      "00000000-0000-0000-0000-000000000001",
      "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ]),
    compared: ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "00000000000000000000000000000002", "f".repeat(32)],
  },
  { type: "inet6", values: quoted(["::1", "2001:db8::1"]), compared: ["::1", "2001:db8::1", "3"] },
];

/** Where dates that no calendar has come as 1970-01-01, also in columns that are never NULL. */
export const zeroDateSamples: readonly ColumnSample[] = mysqlSamples
  .filter(({ type }) => /^(?:date|datetime\(6\)|timestamp\(6\) null)$/.test(type))
  .flatMap((sample) => {
    const values = Array.from({ length: 16 }, (_, at) => sample.values[at] ?? "'0000-00-00'");
    return [sample, { ...sample, type: `${sample.type.replace(/ null$/, "")} not null`, values }];
  });
