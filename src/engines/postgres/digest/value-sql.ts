import { type DigestForm, LONGEST_PLAIN_BYTES, MISFIT } from "../../../core/row-digest.ts";
import type { Column, LogicalType } from "../../../core/schema.ts";
import { identifier } from "../../shared/identifier.ts";

const BYTES_OF_CHARACTER = 4;
/** Characters of `name`, `text` and `character varying(n)` are what the server's functions for texts take. */
const TEXTS = /^(?:text|name|character varying(?:\(\d+\))?)$/;
const PADDED = /^character\(\d+\)$/;

/**
 * A column's value in a form (core/row-digest.ts), of an open one its length before it; NULL where the value is. Each is of
 * a type whose output function writes what is wanted. Undefined where the server has no cheap way to write it.
 * `isUtf8`: the database's encoding is; else a text is converted where its bytes matter, and the row at last.
 */
export function valueSql(column: Column, form: DigestForm, isUtf8: boolean): readonly string[] | undefined {
  const { type } = column;
  switch (form.kind) {
    case "text":
      return textSql(column, form.trims === true, isUtf8);
    case "bytes":
      return type.kind === "bytes" ? bytesSql(identifier(column.name)) : undefined;
    case "own":
      return [md5Sql(outputSql(column), isUtf8)];
    case "json":
      return form.asSent === true && isText(type) ? [md5Sql(outputSql(column), isUtf8)] : undefined;
    default: {
      const sql = closedSql(column, form, isUtf8);
      return sql === undefined ? undefined : [sql];
    }
  }
}

/** Of which JSON is the text. */
function isText({ kind }: LogicalType): boolean {
  return kind === "json" || kind === "string";
}

function closedSql(column: Column, form: DigestForm, isUtf8: boolean): string | undefined {
  const { type } = column;
  const name = identifier(column.name);
  switch (form.kind) {
    case "boolean":
      if (type.kind === "boolean") return `${name}::int`;
      return type.kind === "int" || (type.kind === "bit" && type.length === 1) ? name : undefined;
    case "int":
      return type.kind === "int" ? name : undefined;
    case "decimal":
      return decimalSql(name, type, form.scale);
    case "float":
      // A number that the smaller type has no place for would be an error, and one of it is another as a double.
      if (type.kind !== "float" || type.bits !== form.bits) return undefined;
      return `encode(float8send(${name}::float8 + 0), 'hex')`;
    case "date":
      return type.kind === "date" ? name : undefined;
    case "timestamp":
      return timestampSql(name, type, form.digits);
    case "time":
      if (type.kind === "interval") return name;
      if (type.kind !== "time" || type.zoned) return undefined;
      return type.precision > form.digits ? `${name}::time(${form.digits})` : name;
    case "uuid":
      return uuidSql(column, isUtf8);
    case "bits":
      if (type.kind !== "bit") return undefined;
      return form.trims === true
        ? `coalesce(substring(${name}::text, '1.*'), right(${name}::text, 1))`
        : name;
    default:
      return undefined;
  }
}

/** Without a scale a value is written as it is, whose zeros at the end are not looked for. */
function decimalSql(name: string, type: LogicalType, scale: number | undefined): string | undefined {
  if (scale === undefined) return type.kind === "decimal" && type.precision === undefined ? name : undefined;
  // An oid is a number of its own kind.
  const whole = type.kind === "int" && type.unsigned ? `${name}::bigint` : name;
  if (type.kind === "int") return scale === 0 ? name : `round(${whole}::numeric, ${scale})`;
  if (type.kind !== "decimal") return undefined;
  const isThatLong = type.precision !== undefined && Math.max(0, type.scale ?? 0) === scale;
  return isThatLong ? name : `round(${name}, ${scale})`;
}

function timestampSql(name: string, type: LogicalType, digits: number): string | undefined {
  if (type.kind !== "timestamp") return undefined;
  const local = type.zoned ? `(${name} at time zone 'UTC')` : name;
  return type.precision > digits ? `${local}::timestamp(${digits})` : local;
}

/** Texts of that length may be something else: they still are told apart. */
function uuidSql(column: Column, isUtf8: boolean): string | undefined {
  const { type } = column;
  if (type.kind === "uuid") return identifier(column.name);
  if (type.kind !== "string") return undefined;
  const text = trimmedSql(column);
  const isOne = `octet_length(${text}) = 36 and position(',' in ${text}) = 0`;
  return `case when ${isOne} then lower(${text}) else '${MISFIT}' || ${md5Sql(text, isUtf8)} end`;
}

function textSql(column: Column, trims: boolean, isUtf8: boolean): readonly string[] | undefined {
  const { type, nativeType } = column;
  const name = identifier(column.name);
  switch (type.kind) {
    case "boolean":
    case "enum":
      // A label is a name, of 63 bytes at most.
      return openSql({ text: `${name}::text`, isShort: true, isUtf8 });
    case "string": {
      const isShort =
        type.maxChars !== undefined && type.maxChars * BYTES_OF_CHARACTER <= LONGEST_PLAIN_BYTES;
      if (trims) return openSql({ text: trimmedSql(column), isShort, isUtf8 });
      // Of the padded type the output function shows the blanks, and a function for texts would not.
      const isPlain = TEXTS.test(nativeType) || (PADDED.test(nativeType) && isShort && isUtf8);
      return openSql({ text: isPlain ? name : outputSql(column), isShort, isUtf8 });
    }
    default:
      return undefined;
  }
}

function openSql({
  text,
  isShort,
  isUtf8,
}: {
  readonly text: string;
  readonly isShort: boolean;
  readonly isUtf8: boolean;
}): readonly string[] {
  const length = `octet_length(${isUtf8 ? text : utf8Sql(text)})`;
  if (isShort) return [length, text];
  const value = `case when ${length} <= ${LONGEST_PLAIN_BYTES} then ${text} else ${md5Sql(text, isUtf8)} end`;
  return [length, value];
}

function bytesSql(name: string): readonly string[] {
  const length = `octet_length(${name})`;
  const digits = `case when ${length} <= ${LONGEST_PLAIN_BYTES} then encode(${name}, 'hex') else md5(${name}) end`;
  return [length, digits];
}

/** Without the blanks that the padded type has at its end. */
function unpaddedSql(column: Column): string {
  const name = identifier(column.name);
  const { nativeType } = column;
  return TEXTS.test(nativeType) || PADDED.test(nativeType) ? `${name}::text` : outputSql(column);
}

function trimmedSql(column: Column): string {
  const text = unpaddedSql(column);
  return PADDED.test(column.nativeType) ? text : `rtrim(${text}, ' ')`;
}

/**
 * The text that a type's output function makes of a value; a cast to text is another one for some types. Of a composite
 * value whose members are NULL, IS NOT NULL does not hold.
 */
function outputSql({ name, nullable }: Column): string {
  const output = `concat(${identifier(name)})`;
  return nullable ? `case when ${identifier(name)} is distinct from null then ${output} end` : output;
}

function md5Sql(text: string, isUtf8: boolean): string {
  return `md5(${isUtf8 ? text : utf8Sql(text)})`;
}

function utf8Sql(text: string): string {
  return `convert_to(${text}, 'UTF8')`;
}
