import { extensionSamples } from "./extension-values.ts";
import { ownTypeSamples } from "./own-type-values.ts";

/**
 * Columns of every type that a table can hold, with values that the server makes up: `random` is an
 * expression for row i, `edges` are the values that are easily got wrong.
 */
export interface TypeSample {
  /** As DDL writes it. */
  readonly type: string;
  /** What it is an example of, where the documents name no type but a kind: "domains". */
  readonly kind?: string;
  readonly random: string;
  /** SQL expressions without the cast to the type. */
  readonly edges: readonly string[];
  /** The first version that has the type; 12 when left out. */
  readonly since?: number;
  /** Edges of later versions. */
  readonly later?: readonly { readonly since: number; readonly edges: readonly string[] }[];
}

const text =
  "(select string_agg(chr((32 + random() * 900)::int), '') from generate_series(1, 1 + i % 30) as g where g + i > 0)";
const number = "((random() - 0.5) * 10 ^ (random() * 18)::int)";
const moment = "(timestamp '2000-01-01' + (random() - 0.5) * interval '8000 years')";
const point = "point(random() * 100 - 50, random() / 3)";

/** A range type with its subtype's values a and b, of which a is not greater. */
function range(name: string, a: string, b: string, edges: readonly string[]): TypeSample {
  return {
    type: name,
    random: `(select ${name}(least(s.a, s.b), greatest(s.a, s.b), (array['[]', '[)', '(]', '()'])[1 + i % 4])
      from (select ${a} as a, ${b} as b offset 0) as s)`,
    edges: ["'empty'", "'(,)'", ...edges],
  };
}

function multirange(name: string, single: string, edges: readonly string[]): TypeSample {
  return {
    type: name,
    random: `(select range_agg(r) from (select ${single} as r from generate_series(1, 1 + i % 3) as g where g + i > 0) as s)`,
    edges: ["'{}'", "'{(,)}'", ...edges],
    since: 14,
  };
}

export const typeSamples: readonly TypeSample[] = [
  { type: "boolean", random: "random() < 0.5", edges: ["'t'", "'f'"] },
  { type: "smallint", random: "(random() * 65535 - 32768)::int", edges: ["-32768", "32767"] },
  {
    type: "integer",
    random: "(random() * 4294967295 - 2147483648)::bigint",
    edges: ["-2147483648", "2147483647"],
  },
  {
    type: "bigint",
    random: `(${number})::numeric::bigint`,
    edges: ["'-9223372036854775808'", "'9223372036854775807'"],
  },
  {
    type: "real",
    random: number,
    edges: ["'NaN'", "'-Infinity'", "'Infinity'", "'-0'", "'1e-45'", "'3.4028235e38'"],
  },
  {
    type: "double precision",
    random: "(random() - 0.5) * 10 ^ (random() * 600 - 300)::int",
    edges: [
      "'NaN'",
      "'-Infinity'",
      "'Infinity'",
      "'-0'",
      "'5e-324'",
      "'1.7976931348623157e308'",
      "0.1::float8 + 0.2::float8",
    ],
  },
  {
    type: "numeric",
    random: `(${number})::numeric / 7`,
    edges: [
      "'NaN'",
      "'0.000'",
      "'1e-16383'",
      "'1e131071'",
      "'-12345678901234567890123456789.000000000000000000001'",
    ],
    later: [{ since: 14, edges: ["'Infinity'", "'-Infinity'"] }],
  },
  {
    type: "numeric(20,5)",
    random: "((random() - 0.5) * 1e14)::numeric",
    edges: ["'NaN'", "'-0.00001'", "'999999999999999.99999'"],
  },
  {
    type: "money",
    random: "((random() - 0.5) * 1e12)::numeric",
    edges: ["'-92233720368547758.08'::money", "'92233720368547758.07'::money"],
  },
  {
    type: "text",
    random: text,
    edges: [
      "''",
      "E'\\\\N'",
      "E'\\\\.'",
      "E'a\\tb\\nc\\rd\\\\e'",
      "E'\\u20ac \\U0001F600'",
      "repeat('lang ', 20000)",
      "E'\\x01\\x7f'",
    ],
  },
  { type: "character varying(40)", random: text, edges: ["''", "'  x  '", "repeat('é', 40)"] },
  { type: "character(7)", random: "left(md5(i::text), 1 + i % 7)", edges: ["''", "'ü'", "'1234567'"] },
  { type: '"char"', random: "chr(1 + (random() * 126)::int)", edges: ["''", "'a'", "E'\\\\'"] },
  { type: "name", random: "left(md5(i::text), 20)", edges: ["''", "repeat('n', 63)"] },
  {
    type: "bytea",
    random: "decode(md5(random()::text), 'hex')",
    edges: ["''", "'\\x00'", "'\\x5c4e0a09ff'", "decode(repeat('00ff', 50000), 'hex')"],
  },
  {
    type: "date",
    random: `${moment}::date`,
    edges: ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'0001-12-31 BC'"],
  },
  { type: "time", random: `${moment}::time`, edges: ["'00:00'", "'24:00'", "'23:59:59.999999'"] },
  {
    type: "time(2) with time zone",
    random: `(${moment}::time::text || to_char((i % 28) - 14, 'SG00'))::timetz`,
    edges: ["'24:00+00'", "'00:00+15:59:59'", "'12:00-15:59:59'"],
  },
  {
    type: "timestamp",
    random: moment,
    edges: [
      "'infinity'",
      "'-infinity'",
      "'4713-01-01 00:00:00 BC'",
      "'294276-12-31 23:59:59.999999'",
      "'2024-02-29 00:00:00.000001'",
    ],
  },
  {
    type: "timestamp(3) with time zone",
    random: `${moment} at time zone 'UTC'`,
    edges: ["'infinity'", "'-infinity'", "'0044-03-15 12:00+01 BC'", "'1883-11-18 12:00:00-05'"],
  },
  {
    type: "interval",
    random:
      "make_interval((random() * 100)::int - 50, (random() * 24)::int - 12, 0, (random() * 60)::int - 30, (random() * 48)::int - 24, 0, random() * 100 - 50)",
    edges: ["'0'", "'-178000000 years'", "'1 mon -1 day 00:00:00.000001'", "'2147483647 days'"],
    later: [{ since: 17, edges: ["'infinity'", "'-infinity'"] }],
  },
  {
    type: "interval day to second(2)",
    random: "(random() * 1e6) * interval '1 second'",
    edges: ["'-1 day 00:00:00.01'"],
  },
  {
    type: "uuid",
    random: "md5(random()::text)::uuid",
    edges: ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"],
  },
  {
    type: "json",
    random: "json_build_object('n', random(), 's', md5(i::text))",
    edges: [
      "'null'",
      '\' { "a" : 1, "a" : 2 } \'',
      "'12345678901234567890.12345678901234567890'",
      "'1e400'",
      "'\"\\u0000\"'",
      "'[]'",
    ],
  },
  {
    type: "jsonb",
    random: "jsonb_build_object('n', random(), 's', md5(i::text), 'deep', jsonb_build_array(null, true, i))",
    edges: [
      "'null'",
      '\'{"b": 1, "a": [], "": {}}\'',
      "'12345678901234567890.123456789012345678900'",
      "'1e400'",
      '\'"\\u00e9\\\\ \\""\'',
    ],
  },
  {
    type: "jsonpath",
    random: "('$.a[' || i || ']')::jsonpath",
    edges: ["'$'", '\'strict $."x y"[*] ? (@.n > 3 && @.s like_regex "^a" flag "i")\''],
  },
  {
    type: "xml",
    random: "('<a n=\"' || i || '\">' || md5(i::text) || '</a>')::xml",
    edges: ["xml '<?xml version=\"1.0\"?><a/>'", "xml 'text <b/> and more'", "xml '<a>&lt;&amp; é</a>'"],
  },
  { type: "bit(9)", random: "((random() * 511)::int)::bit(9)", edges: ["B'000000000'", "B'111111111'"] },
  {
    type: "bit varying(70)",
    random: "substring(((random() * 1e18)::bigint)::bit(64) for 1 + i % 64)",
    edges: ["''", "B'1'", "B'0000000000000000000000000000000000000000000000000000000000000000000001'"],
  },
  {
    type: "inet",
    random: "('10.' || i % 256 || '.1.' || (random() * 255)::int || '/' || i % 33)::inet",
    edges: ["'::1'", "'0.0.0.0/0'", "'2001:db8::ff/48'"],
  },
  {
    type: "cidr",
    random: "('10.' || i % 256 || '.0.0/16')::cidr",
    edges: ["'::/0'", "'2001:db8::/32'", "'255.255.255.255/32'"],
  },
  {
    type: "macaddr",
    random: "substr(md5(i::text), 1, 12)::macaddr",
    edges: ["'00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff'"],
  },
  { type: "macaddr8", random: "substr(md5(i::text), 1, 16)::macaddr8", edges: ["'00:00:00:00:00:00:00:00'"] },
  { type: "point", random: point, edges: ["'(NaN,Infinity)'", "'(-0,1e-320)'"] },
  { type: "line", random: `line(${point}, point(200, random()))`, edges: ["'{1,0,0}'"] },
  { type: "lseg", random: `lseg(${point}, ${point})`, edges: ["'[(0,0),(0,0)]'"] },
  { type: "box", random: `box(${point}, ${point})`, edges: ["'(1,1),(0,0)'"] },
  {
    type: "path",
    random: `path('[' || ${point}::text || ',' || ${point}::text || ']')`,
    edges: ["'((0,0),(1,1),(2,0))'", "'[(0,0)]'"],
  },
  { type: "polygon", random: `polygon(box(${point}, ${point}))`, edges: ["'((0,0))'"] },
  { type: "circle", random: `circle(${point}, random())`, edges: ["'<(0,0),0>'"] },
  range("int4range", "(random() * 1000)::int", "(random() * 1000)::int", [
    "'[-2147483648,2147483647)'",
    "'(,5]'",
  ]),
  range("int8range", "(random() * 1e15)::bigint", "(random() * 1e15)::bigint", ["'[-9223372036854775808,)'"]),
  range("numrange", "random()::numeric", "random()::numeric", ["'[0.10,0.1000]'", "'[NaN,NaN]'"]),
  range("tsrange", moment, moment, ["'[-infinity,infinity]'", "'(,2024-01-01 00:00:00.000001]'"]),
  range("tstzrange", `${moment} at time zone 'UTC'`, `${moment} at time zone 'UTC'`, [
    "'[2024-01-01 00:00+05,)'",
  ]),
  range("daterange", `${moment}::date`, `${moment}::date`, ["'[2024-01-01,infinity]'"]),
  multirange("int4multirange", "int4range((g * 10), g * 10 + i % 9)", ["'{[1,2),[5,)}'"]),
  multirange("int8multirange", "int8range((g * 10), g * 10 + i % 9)", []),
  multirange("nummultirange", "numrange(g * 10, g * 10 + random()::numeric)", ["'{[0.10,0.1000]}'"]),
  multirange(
    "tsmultirange",
    "tsrange(timestamp '2000-01-01' + g * interval '1 day', timestamp '2000-01-01' + (g + random()) * interval '1 day')",
    [],
  ),
  multirange(
    "tstzmultirange",
    "tstzrange(timestamptz '2000-01-01 00:00Z' + g * interval '1 day', timestamptz '2000-01-01 00:00Z' + (g + random()) * interval '1 day')",
    [],
  ),
  multirange(
    "datemultirange",
    "daterange(date '2000-01-01' + g * 10, date '2000-01-01' + g * 10 + i % 9)",
    [],
  ),
  {
    type: "tsvector",
    random: "to_tsvector('simple', md5(i::text) || ' word ' || i)",
    edges: ["''", "'''it''''s'':1A,2B a:16383'"],
  },
  {
    type: "tsquery",
    random: "to_tsquery('simple', 'a' || i || ' & !b | c:*')",
    edges: ["''", "'''x y'' <-> z:AB'"],
  },
  { type: "oid", random: "(random() * 4294967295)::bigint", edges: ["0", "'4294967295'"] },
  {
    type: "regclass",
    random: "(array['pg_class', 'pg_catalog.pg_type'])[1 + i % 2]::regclass",
    edges: ["'pg_class'", "'-'", "'types.plain'"],
  },
  {
    type: "regtype",
    random: "(array['integer', 'types.mood', 'text[]'])[1 + i % 3]::regtype",
    edges: ["'types.pair'"],
  },
  { type: "regproc", random: "'pg_catalog.now'::regproc", edges: ["'-'"] },
  { type: "regprocedure", random: "'pg_catalog.abs(integer)'::regprocedure", edges: ["'-'"] },
  { type: "regoper", random: "'pg_catalog.||/'::regoper", edges: ["'0'"] },
  { type: "regoperator", random: "'pg_catalog.+(integer,integer)'::regoperator", edges: ["'0'"] },
  { type: "regrole", random: "'postgres'::regrole", edges: ["'-'"] },
  { type: "regnamespace", random: "'types'::regnamespace", edges: ["'pg_catalog'"] },
  { type: "regconfig", random: "'pg_catalog.english'::regconfig", edges: ["'simple'"] },
  { type: "regdictionary", random: "'pg_catalog.simple'::regdictionary", edges: ["'english_stem'"] },
  { type: "regcollation", random: "'pg_catalog.\"C\"'::regcollation", edges: ["'\"POSIX\"'"], since: 13 },
  { type: "xid", random: "i::text::xid", edges: ["'0'", "'4294967295'"] },
  { type: "xid8", random: "i::text::xid8", edges: ["'18446744073709551615'"], since: 13 },
  { type: "cid", random: "i::text::cid", edges: ["'4294967295'"] },
  { type: "tid", random: "('(' || i || ',' || 1 + i % 9 || ')')::tid", edges: ["'(4294967295,65535)'"] },
  { type: "pg_lsn", random: "('0/' || to_hex(i))::pg_lsn", edges: ["'0/0'", "'FFFFFFFF/FFFFFFFF'"] },
  {
    type: "txid_snapshot",
    random: "(i || ':' || i + 5 || ':' || i + 2)::txid_snapshot",
    edges: ["'10:10:'"],
  },
  {
    type: "pg_snapshot",
    random: "(i || ':' || i + 5 || ':' || i + 2)::pg_snapshot",
    edges: ["'10:10:'"],
    since: 13,
  },
  { type: "int2vector", random: "(i || ' 2')::int2vector", edges: ["''", "'-1 0 32767'"] },
  { type: "oidvector", random: "(i || ' 2')::oidvector", edges: ["''", "'4294967295'"] },
  { type: "refcursor", random: "('c' || i)::refcursor", edges: ["''"] },
  { type: "aclitem", random: "'postgres=r/postgres'::aclitem", edges: ["'=a*/postgres'"] },
  { type: "information_schema.cardinal_number", random: "i", edges: ["0", "2147483647"] },
  { type: "information_schema.character_data", random: text, edges: ["''"] },
  { type: "information_schema.sql_identifier", random: "'n' || i", edges: ["''", "repeat('n', 63)"] },
  { type: "information_schema.time_stamp", random: `${moment} at time zone 'UTC'`, edges: ["'infinity'"] },
  { type: "information_schema.yes_or_no", random: "(array['YES', 'NO'])[1 + i % 2]", edges: [] },
  ...ownTypeSamples,
  ...extensionSamples,
];
