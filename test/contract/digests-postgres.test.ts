import { postgresTypeSamples } from "../support/postgres-type-values.ts";
import { typeSchema } from "../support/type-schema.ts";
import { typeSamples } from "../support/type-values.ts";
import { postgres } from "./database-kind.ts";
import { digestContract } from "./digests.ts";

const own = typeSamples.map(({ type, edges, later = [] }) => ({
  type,
  values: [...edges, ...later.flatMap((more) => more.edges)],
}));
const theirs = postgresTypeSamples.filter(({ type }) => !/^(?:padded_mood|mood|pair|positive)$/.test(type));

/** The server shows moments in a zone of its own. */
const ELSEWHERE = `do $$ begin
  execute format('alter database %I set timezone to ''Asia/Kolkata''', current_database());
end $$;`;

digestContract(postgres, {
  setup: `${ELSEWHERE} ${typeSchema} set search_path = shop, public;`,
  hashes: ["lookup3", "md5"],
  columns: [
    ...own,
    ...theirs,
    { type: "timestamp(1)", values: ["'1999-12-31 23:59:58.5'", "'2000-01-01 00:00:00.5'"] },
    { type: "numeric(20,10)", values: ["1.235", "-1.235", "-0.004", "0.0000100000"] },
  ],
  near: [
    {
      type: "double precision",
      values: ["0.1", "0.1::float8 + 1.4e-17", "'NaN'", "'Infinity'", "'-Infinity'", "0"],
    },
    { type: "real", values: ["0.1", "0.10000001", "1e-45", "0", "16777216", "16777217::int8 + 1"] },
    { type: "numeric", values: ["1", "1.0000000000000000000000000000000001", "'NaN'", "-1"] },
    { type: "numeric(10,2)", values: ["0.01", "-0.01", "0", "10", "1"] },
    { type: "bigint", values: ["9007199254740992", "9007199254740993", "-1", "1"] },
    {
      type: "text",
      values: [
        "''",
        "' '",
        "'a'",
        "'a '",
        "'A'",
        "'á'",
        "U&'a\\0301'",
        "repeat('a', 1000)",
        "repeat('a', 1001)",
      ],
    },
    { type: "character(3)", values: ["''", "'a'", "' a'"] },
    {
      type: "bytea",
      values: [
        "''",
        "'\\x00'",
        "'\\x0000'",
        "'\\x01'",
        "decode(repeat('00', 1001), 'hex')",
        "decode(repeat('00', 1002), 'hex')",
      ],
    },
    {
      type: "timestamp",
      values: ["'2024-01-01'", "'2024-01-01 01:00'", "'2024-01-01 00:00:00.000001'", "'2024-01-01 BC'"],
    },
    {
      type: "timestamp with time zone",
      values: ["'2024-01-01+00'", "'2024-01-01+01'", "'infinity'", "'-infinity'"],
    },
    { type: "time with time zone", values: ["'01:00+00'", "'02:00+01'"] },
    { type: "interval", values: ["'1 day'", "'24 hours'", "'1 month'", "'30 days'"] },
    { type: "bit(3)", values: ["B'000'", "B'001'", "B'100'"] },
    {
      type: "jsonb",
      values: [
        "'1'",
        "'\"1\"'",
        "'null'",
        "'[]'",
        "'{}'",
        "'[null]'",
        "'12345678901234567890'",
        "'12345678901234567891'",
      ],
    },
    { type: "text[]", values: ["'{}'", "'{NULL}'", "'{\"NULL\"}'", "'{\"a,b\"}'", "'{a,b}'"] },
    { type: "boolean", values: ["true", "false"] },
    {
      type: "uuid",
      values: ["'00000000-0000-0000-0000-000000000000'", "'00000000-0000-0000-0000-000000000001'"],
    },
  ],
  cast: (value, type) => `(${value})::${type}`,
  mayDiffer: {
    "timestamp(1) as timestamp digits 0": "halves before 2000 are rounded away from there",
    "numeric as decimal": "zeros at the end of a fraction are not looked for",
    "json as json asSent true": "the text is as it was written",
    "jsonb as json asSent true": "numbers are as they were written",
  },
});
