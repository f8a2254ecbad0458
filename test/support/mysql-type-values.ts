import type { MysqlFlavour } from "./mysql-server.ts";

/** A type of MySQL or MariaDB with values that a migration is most likely to get wrong. */
export interface MysqlTypeSample {
  /** As DDL writes it. */
  readonly type: string;
  /** As docs/engines/mysql.md calls it, where that is not the type without its length. */
  readonly called?: string;
  /** What the column becomes on PostgreSQL, as format_type writes it. */
  readonly postgres: string;
  /** SQL expressions, NULL left out. */
  readonly values: readonly string[];
  /** The one server that has the type. */
  readonly only?: MysqlFlavour;
}

const long = (unit: string, times: number): string => `repeat('${unit}', ${times})`;

const bits = (count: number): readonly string[] => [
  "b'0'",
  "b'1'",
  `b'${"10".repeat(count).slice(0, count)}'`,
  `b'${"1".repeat(count)}'`,
];

const integers = (type: string, postgres: string, limits: readonly string[]): MysqlTypeSample => {
  return { type, postgres, values: ["0", "1", ...limits] };
};

export const mysqlTypeSamples: readonly MysqlTypeSample[] = [
  integers("tinyint", "smallint", ["-128", "127"]),
  { ...integers("tinyint(1)", "smallint", ["-128", "127"]), called: "tinyint" },
  integers("tinyint unsigned", "smallint", ["255"]),
  integers("smallint", "smallint", ["-32768", "32767"]),
  integers("smallint unsigned", "integer", ["65535"]),
  integers("mediumint", "integer", ["-8388608", "8388607"]),
  integers("mediumint unsigned", "integer", ["16777215"]),
  integers("int", "integer", ["-2147483648", "2147483647"]),
  integers("int unsigned", "bigint", ["4294967295"]),
  { ...integers("int(5) unsigned zerofill", "bigint", ["7", "123456"]), called: "int unsigned" },
  integers("bigint", "bigint", ["-9223372036854775808", "9223372036854775807"]),
  integers("bigint unsigned", "numeric(20,0)", ["9223372036854775808", "18446744073709551615"]),
  {
    type: "decimal(65,30)",
    postgres: "numeric(65,30)",
    values: [
      "0",
      "-0.000000000000000000000000000001",
      `${"9".repeat(35)}.${"9".repeat(30)}`,
      `-${"1".repeat(35)}.5`,
    ],
  },
  {
    type: "decimal(10,0) unsigned",
    called: "decimal",
    postgres: "numeric(10,0)",
    values: ["0", "9999999999"],
  },
  {
    type: "float",
    postgres: "real",
    values: ["0", "1.1", "-0.1", "16777217", "3.4028235e38", "-1.17549435e-38", "1.4e-45", "0.3333333333"],
  },
  {
    type: "double",
    postgres: "double precision",
    values: [
      "0",
      "1.1",
      "-0.1",
      "9007199254740993",
      "1.7976931348623157e308",
      "2.2250738585072014e-308",
      "1e-5",
      "1e15",
      "1e16",
      "123456789012345678",
    ],
  },
  { type: "bit(1)", called: "bit", postgres: "bit(1)", values: bits(1) },
  { type: "bit(13)", called: "bit", postgres: "bit(13)", values: bits(13) },
  { type: "bit(64)", called: "bit", postgres: "bit(64)", values: bits(64) },
  { type: "year", postgres: "smallint", values: ["1901", "2155", "2026", "0"] },
  {
    type: "date",
    postgres: "date",
    values: ["'1000-01-01'", "'9999-12-31'", "'2024-02-29'", "'0001-01-01'"],
  },
  {
    type: "time",
    postgres: "interval",
    values: ["'00:00:00'", "'23:59:59'", "'-838:59:59'", "'838:59:59'", "'-00:00:01'"],
  },
  {
    type: "time(6)",
    called: "time",
    postgres: "interval",
    values: ["'-838:59:58.999999'", "'838:59:59'", "'-00:00:00.000001'", "'12:34:56.7'", "'-100:00:00.5'"],
  },
  {
    type: "datetime",
    postgres: "timestamp(0) without time zone",
    values: ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"],
  },
  {
    type: "datetime(3)",
    called: "datetime",
    postgres: "timestamp(3) without time zone",
    values: ["'2024-02-29 12:34:56.789'", "'2024-02-29 12:34:56.001'", "'1969-12-31 23:59:59.999'"],
  },
  {
    type: "datetime(6)",
    called: "datetime",
    postgres: "timestamp(6) without time zone",
    values: ["'9999-12-31 23:59:59.999999'", "'1000-01-01 00:00:00.000001'", "'2024-02-29 12:00:00.5'"],
  },
  {
    type: "timestamp null",
    called: "timestamp",
    postgres: "timestamp(0) with time zone",
    values: ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-03-31 02:30:00'"],
  },
  {
    type: "timestamp(6) null",
    called: "timestamp",
    postgres: "timestamp(6) with time zone",
    values: ["'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"],
  },
  {
    type: "char(10)",
    called: "char",
    postgres: "character(10)",
    values: ["''", "'a'", "'  b'", "'tail  '", "'\\\\'", "'ünïcödé€'", "'😀😀😀😀😀😀😀😀😀😀'"],
  },
  {
    type: "varchar(200)",
    called: "varchar",
    postgres: "character varying(200)",
    values: [
      "''",
      "' '",
      "'tail  '",
      "'it''s \\\\ \\\"x\\\" \\t \\n \\r \\b'",
      "'\\\\N'",
      "'\\\\.'",
      long("😀", 200),
    ],
  },
  {
    type: "varchar(50) character set latin1",
    called: "varchar",
    postgres: "character varying(50)",
    // Between 0x80 and 0x9f MySQL's latin1 is Windows-1252, and its own where that has nothing.
    values: ["_latin1 x'80818d8f909d9fa0ff'", "'plain'", "'ÿé€'"],
  },
  {
    type: "varchar(50) character set utf8",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'ünï€'", "''"],
  },
  {
    type: "varchar(50) character set ucs2",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'ünï€'", "'a'"],
  },
  {
    type: "varchar(50) character set utf16",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'ünï€😀'", "'a'"],
  },
  {
    type: "varchar(50) character set utf32",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'ünï€😀'", "'a'"],
  },
  {
    type: "varchar(50) character set ascii",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'plain'"],
  },
  {
    type: "varchar(50) character set sjis",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'日本語ｱｲｳ'", "'a'"],
  },
  {
    type: "varchar(50) character set gbk",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'中文简体'", "'a'"],
  },
  {
    type: "varchar(50) character set big5",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'中文繁體'", "'a'"],
  },
  {
    type: "varchar(50) character set euckr",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'한국어'", "'a'"],
  },
  {
    type: "varchar(50) character set cp1251",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'Русский'", "'a'"],
  },
  {
    type: "varchar(50) character set koi8r",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'Русский'", "'a'"],
  },
  {
    type: "varchar(50) character set latin2",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'żółć'", "'a'"],
  },
  {
    type: "varchar(50) character set greek",
    called: "varchar",
    postgres: "character varying(50)",
    values: ["'Ελληνικά'", "'a'"],
  },
  { type: "tinytext", postgres: "text", values: ["''", "'a'", long("x", 255)] },
  { type: "text", postgres: "text", values: ["''", long("ü", 32767), "'\\\\x41'"] },
  { type: "mediumtext", postgres: "text", values: ["''", long("line\\n", 100_000)] },
  { type: "longtext", postgres: "text", values: ["''", long("€", 400_000)] },
  {
    type: "binary(4)",
    called: "binary",
    postgres: "bytea",
    values: ["x'00ff5c27'", "'a'", "''", "x'00000000'"],
  },
  {
    type: "varbinary(20)",
    called: "varbinary",
    postgres: "bytea",
    values: ["x'00ff5c270a0d'", "''", "x'00'", "x'2020'"],
  },
  { type: "tinyblob", postgres: "bytea", values: ["''", "x'00ff'"] },
  { type: "blob", postgres: "bytea", values: ["''", "x'5c4e'", long("\\\\", 60_000)] },
  { type: "mediumblob", postgres: "bytea", values: ["''", long("\\0", 100_000)] },
  { type: "longblob", postgres: "bytea", values: ["''", long("abc", 400_000)] },
  {
    type: "enum('a','b,c','it''s','ü','')",
    called: "enum",
    postgres: "character varying(4)",
    values: ["'a'", "'b,c'", "'it''s'", "'ü'", "''"],
  },
  {
    type: "set('a','it''s','ü','long one')",
    called: "set",
    postgres: "text",
    values: ["''", "'a'", "'a,it''s,ü,long one'", "'ü'"],
  },
  {
    type: "json",
    postgres: "jsonb",
    values: [
      "'null'",
      "'true'",
      '\'"text ü€😀 \\\\\\\\ \\\\\\" \\\\n"\'',
      "'{}'",
      "'[]'",
      '\'{"a": [1, -1, 9223372036854775807, 18446744073709551615, 1.5, 1e300], "b": {"c": null}, "ü": "x"}\'',
      "'[0.1, -0.0001, 123456789.125]'",
    ],
  },
  {
    type: "json",
    postgres: "jsonb",
    only: "mysql",
    values: [
      "json_object('d', cast(1.50 as decimal(10,2)), 'w', cast('2020-01-02' as date))",
      "json_object('t', cast('2020-01-02 03:04:05.678901' as datetime(6)), 'h', cast('-12:34:56' as time))",
      "json_array(cast(-1 as signed), cast(65535 as unsigned), true, repeat('x', 70000))",
    ],
  },
  {
    type: "geometry",
    postgres: "bytea",
    values: ["st_geomfromtext('point(1 2)')", "st_geomfromtext('linestring(0 0, 1.5 -1)', 4326)"],
  },
  {
    type: "point",
    called: "geometry",
    postgres: "bytea",
    values: ["st_geomfromtext('point(-1 0.1)', 4326)"],
  },
  {
    type: "polygon",
    called: "geometry",
    postgres: "bytea",
    values: ["st_geomfromtext('polygon((0 0, 1 0, 1 1, 0 0))')"],
  },
  {
    type: "geometrycollection",
    called: "geometry",
    postgres: "bytea",
    values: ["st_geomfromtext('geometrycollection(point(1 1), linestring(0 0, 1 1))')"],
  },
  {
    type: "uuid",
    postgres: "uuid",
    only: "mariadb",
    values: [
      "'00000000-0000-0000-0000-000000000000'",
      "'123e4567-e89b-12d3-a456-426655440000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
    ],
  },
  {
    type: "inet6",
    postgres: "character varying(39)",
    only: "mariadb",
    values: [
      "'::'",
      "'2001:db8::ff00:42:8329'",
      "'::ffff:192.0.2.128'",
      "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'",
    ],
  },
  {
    type: "inet4",
    postgres: "character varying(15)",
    only: "mariadb",
    values: ["'0.0.0.0'", "'255.255.255.255'", "'192.0.2.1'"],
  },
];

/** Those that a server has. */
export function samplesOf(flavour: MysqlFlavour): readonly MysqlTypeSample[] {
  return mysqlTypeSamples.filter(({ only }) => only === undefined || only === flavour);
}
