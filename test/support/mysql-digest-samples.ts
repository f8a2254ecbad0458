import type { DigestSample, DigestSamples } from "./digest-sample.ts";
import type { MysqlFlavour } from "./mysql-server.ts";
import { samplesOf } from "./mysql-type-values.ts";

const near: readonly DigestSample[] = [
  { type: "double", values: ["0.1", "0.1 + 1.4e-17", "0", "5e-324", "1.7976931348623157e308"] },
  { type: "float", values: ["0.1", "0.10000001", "1.4e-45", "0", "16777216", "16777218"] },
  { type: "decimal(10,2)", values: ["0.01", "-0.01", "0", "10", "1"] },
  { type: "bigint", values: ["9007199254740992", "9007199254740993", "-1", "1"] },
  { type: "bigint unsigned", values: ["18446744073709551614", "18446744073709551615"] },
  {
    type: "text",
    values: ["''", "' '", "'a'", "'a '", "'A'", "'á'", "'a\u0301'", "repeat('a', 1000)", "repeat('a', 1001)"],
  },
  { type: "varchar(20) character set latin1", values: ["''", "' '", "'a'", "'a '", "'A'", "'á'"] },
  {
    type: "blob",
    values: ["''", "x'00'", "x'0000'", "x'01'", "repeat(x'00', 1001)", "repeat(x'00', 1002)"],
  },
  { type: "binary(2)", values: ["x'0000'", "x'0001'", "x'2020'"] },
  {
    type: "datetime(6)",
    values: [
      "'2024-01-01'",
      "'2024-01-01 01:00'",
      "'2024-01-01 00:00:00.000001'",
      "'2024-01-01 00:00:00.00001'",
    ],
  },
  { type: "datetime", values: ["'2024-01-01'", "'2024-01-01 01:00'"] },
  { type: "time(6)", values: ["'01:00'", "'-01:00'", "'01:00:00.1'", "'01:00:00.01'", "'100:00'"] },
  { type: "bit(3)", values: ["b'000'", "b'001'", "b'100'"] },
  { type: "enum('', 'a', 'a,b')", values: ["''", "'a'", "'a,b'"] },
  { type: "set('a', 'b', 'c')", values: ["''", "'a'", "'a,b'", "'b'"] },
  { type: "year", values: ["0", "2000", "1901"] },
];

/** Samples of the types of MySQL or MariaDB, with dates that no calendar has. */
export function mysqlDigestSamples(flavour: MysqlFlavour): DigestSamples {
  const types = samplesOf(flavour).map(({ type, values }) => ({ type, values }));
  return {
    setup: "set sql_mode = ''; set time_zone = '+00:00';",
    hashes: ["sha1", "md5"],
    columns: [...types, { type: "decimal(20,10)", values: ["1.23456789", "-0.5", "0"] }],
    near,
    mayDiffer: {
      ...Object.fromEntries(
        ["0 countsFrom2000 true", "3 countsFrom2000 true", "0", "3"].map((digits) => [
          `datetime(6) as timestamp digits ${digits}`,
          "there is no moment after the last of the year 9999 to round up to",
        ]),
      ),
      "json as json asSent true": "numbers and blanks are as they were written",
    },
  };
}
