import type { Column, LogicalType } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import type { ServerFacts } from "../connection/server-facts.ts";

/** What a column becomes here. */
export interface MysqlType {
  /** As DDL writes it. */
  readonly native: string;
  /** Absent: the table's. */
  readonly collation?: string;
  /** Bytes that the column takes in a row, or of an index; undefined for a type without a limit. */
  readonly bytes?: number;
  /** Told of columns of this type: what is not as it was. */
  readonly note?: { readonly severity: "warning" | "info"; readonly text: string };
}

/** The widest varchar of characters of four bytes that a row has room for. */
const MOST_CHARS = 16_383;
const MOST_BYTES = 65_532;
const MOST_FIXED = 255;
const MOST_DIGITS = 65;
const MOST_SCALE = 30;
const MOST_BITS = 64;
const MOST_LABELS = 65_535;
const UUID_CHARS = 36;
export const CHAR_BYTES = 4;

const LONG_TEXT: MysqlType = { native: "longtext" };

/** Types without a kind of their own whose texts are short, by what PostgreSQL calls them. */
const SHORT_TEXTS: ReadonlyMap<string, number> = new Map([
  ["inet", 50],
  ["cidr", 50],
  ["macaddr", 23],
  ["macaddr8", 23],
  ["money", 64],
  ["int4range", 255],
  ["int8range", 255],
  ["numrange", 255],
  ["daterange", 255],
  ["tsrange", 255],
  ["tstzrange", 255],
  ["point", 255],
  ["pg_lsn", 32],
]);

/** The type for a column that comes from another kind of database. */
export function mysqlType(
  { type, convertsTo, nativeType }: Pick<Column, "type" | "convertsTo" | "nativeType">,
  facts: ServerFacts,
): MysqlType {
  if (convertsTo === undefined) return typeOf(type, nativeType, facts);
  const note = { severity: "info", text: "the source's endpoint settings say so" } as const;
  return { ...typeOf(convertsTo, nativeType, facts), note };
}

function typeOf(type: LogicalType, nativeType: string, facts: ServerFacts): MysqlType {
  switch (type.kind) {
    case "boolean":
      return { native: "tinyint(1)", bytes: 1 };
    case "int":
      return intType(type);
    case "float":
      return floatType(type.bits);
    case "decimal":
      return decimalType(type);
    case "string":
      return stringType(type);
    case "bytes":
      return bytesType(type);
    case "bit":
      return type.length > MOST_BITS ? text(type.length) : { native: `bit(${type.length})`, bytes: 8 };
    case "enum":
      return enumType(type.values);
    case "set":
      return LONG_TEXT;
    case "uuid":
      // MariaDB's own type refuses those whose version or variant is none that it knows.
      return { native: `char(${UUID_CHARS})`, collation: "ascii_bin", bytes: UUID_CHARS };
    case "json":
      return jsonType(facts);
    case "date":
      return { native: "date", bytes: 3 };
    case "time":
    case "timestamp":
      return momentType(type);
    case "interval":
      return text(128);
    default:
      return shortText(nativeType);
  }
}

function text(chars: number): MysqlType {
  return { native: `varchar(${chars})`, bytes: chars * CHAR_BYTES + 2 };
}

function intType({ bits, unsigned }: Extract<LogicalType, { kind: "int" }>): MysqlType {
  const name = { 8: "tinyint", 16: "smallint", 24: "mediumint", 32: "int", 64: "bigint" }[bits];
  return { native: unsigned ? `${name} unsigned` : name, bytes: bits / 8 };
}

function floatType(bits: 32 | 64): MysqlType {
  return bits === 32 ? { native: "float", bytes: 4 } : { native: "double", bytes: 8 };
}

function decimalType({ precision, scale = 0 }: Extract<LogicalType, { kind: "decimal" }>): MysqlType {
  if (precision === undefined) {
    return {
      ...{ native: `decimal(${MOST_DIGITS},${MOST_SCALE})`, bytes: 32 },
      note: {
        severity: "warning",
        text: `values with more than ${MOST_DIGITS - MOST_SCALE} digits before the point or ${MOST_SCALE} behind it are refused`,
      },
    };
  }
  const behind = Math.max(0, scale);
  const digits = Math.max(precision - Math.min(0, scale), behind);
  if (digits <= MOST_DIGITS && behind <= MOST_SCALE)
    return { native: `decimal(${digits},${behind})`, bytes: 32 };
  return {
    ...text(digits + 3),
    note: {
      severity: "warning",
      text: "more digits than a decimal has here, so the column is one of characters",
    },
  };
}

function stringType({ maxChars, fixed }: Extract<LogicalType, { kind: "string" }>): MysqlType {
  if (maxChars === undefined || maxChars > MOST_CHARS) return LONG_TEXT;
  if (fixed && maxChars <= MOST_FIXED) return { native: `char(${maxChars})`, bytes: maxChars * CHAR_BYTES };
  return text(maxChars);
}

function bytesType({ maxBytes, fixed }: Extract<LogicalType, { kind: "bytes" }>): MysqlType {
  if (maxBytes === undefined || maxBytes > MOST_BYTES) return { native: "longblob" };
  if (fixed && maxBytes <= MOST_FIXED) return { native: `binary(${maxBytes})`, bytes: maxBytes };
  return { native: `varbinary(${maxBytes})`, bytes: maxBytes + 2 };
}

/** Spaces at the end of a label are dropped here, and a label has no comma in DDL of its own. */
function enumType(values: readonly string[]): MysqlType {
  const isPlain =
    values.length > 0 && values.length <= MOST_LABELS && values.every((value) => value === value.trimEnd());
  if (isPlain) return { native: `enum(${values.map(literal).join(",")})`, bytes: 2 };
  return text(Math.max(1, ...values.map((value) => [...value].length)));
}

/** MySQL keeps the value, MariaDB the text. */
function jsonType(facts: ServerFacts): MysqlType {
  if (facts.flavour === "mariadb") return { native: "json" };
  const rounded =
    "numbers beyond 64 bits are rounded to doubles, and members are put in the server's own order";
  return { native: "json", note: { severity: "warning", text: rounded } };
}

function momentType(type: Extract<LogicalType, { kind: "time" | "timestamp" }>): MysqlType {
  const fraction = type.precision === 0 ? "" : `(${type.precision})`;
  if (type.kind === "time") {
    return type.zoned
      ? { ...text(21), note: { severity: "info", text: "a time with a zone is kept as a text" } }
      : { native: `time${fraction}`, bytes: 6 };
  }
  const native = { native: `datetime${fraction}`, bytes: 8 };
  if (!type.zoned) return native;
  return { ...native, note: { severity: "info", text: "the moment is kept in UTC, without a zone" } };
}

function shortText(nativeType: string): MysqlType {
  const chars = SHORT_TEXTS.get(nativeType);
  const note = { severity: "info", text: "the source's own text of the value is kept" } as const;
  return chars === undefined ? { ...LONG_TEXT, note } : { ...text(chars), note };
}
