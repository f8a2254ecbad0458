import type { RowFilter } from "../../../core/plan.ts";
import type { Column, TableSchema } from "../../../core/schema.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import {
  type Comparison,
  comparisonSql,
  filterSql,
  hasValue,
  numberSql,
} from "../../shared/snapshot/filter-sql.ts";

/**
 * SQL condition that holds for exactly the rows that a filter takes. Numbers, times and UUIDs are compared by value, with
 * literals that leave indexes usable; texts by their code points, whatever the database's encoding and collations are.
 */
export function filterCondition(filter: RowFilter, table: TableSchema): string {
  return filterSql(filter, table, (condition, column) => {
    if (hasValue(condition)) return comparisonSql(condition, comparison(column));
    return `${identifier(column.name)} is ${condition.operator === "null" ? "null" : "not null"}`;
  });
}

function comparison(column: Column): Comparison {
  const { type } = column;
  const name = identifier(column.name);
  const typed =
    (sqlType: string): Comparison =>
    (operator, value) =>
      `${name} ${operator} ${literal(value)}::${sqlType}`;
  switch (type.kind) {
    case "int":
      // An oid is not compared with numbers that are none.
      return (operator, value) =>
        `${type.unsigned ? `${name}::bigint` : name} ${operator} ${numberSql(value)}`;
    case "decimal":
      return (operator, value) => `${name} ${operator} ${numberSql(value)}`;
    case "float":
      return typed(`float${type.bits / 8}`);
    case "time":
    case "timestamp":
      return typed(`${type.kind}${type.zoned ? "tz" : ""}`);
    case "boolean":
    case "date":
    case "interval":
    case "uuid":
      return typed(type.kind);
    case "bytes":
      return typed("bytea");
    case "bit":
      return typed(`bit(${type.length})`);
    case "enum":
      return (operator, value) => utf8Comparison(`${name}::text`, operator, value);
    case "string":
      return textComparison(column, type.fixed);
    default:
      throw new RangeError(`values of the type ${type.kind} are not compared`);
  }
}

const PLAIN = /^(?:text|name|character varying(?:\(\d+\))?)$/;
const PADDED = /^character\(\d+\)$/;
const ASCII = /^[ -~]*$/;

/**
 * What fills up a text of fixed length does not count, and the cast takes it away; of types that are somebody's own the
 * output function says what their text is.
 */
function textComparison(column: Column, fixed: boolean): Comparison {
  const name = identifier(column.name);
  const { nativeType, collation } = column;
  const text =
    fixed || PLAIN.test(nativeType)
      ? `${name}::text`
      : `case when ${name} is not null then concat(${name}) end`;
  const plainType = PADDED.test(nativeType) ? "bpchar" : PLAIN.test(nativeType) ? "text" : undefined;
  return (operator, value) => {
    // By an index. A collation of its own may take different texts for equal, an encoding may lack characters.
    const isPlain = plainType !== undefined && collation === undefined && ASCII.test(value);
    if (operator === "=" && isPlain) return `${name} = ${literal(value)}::${plainType}`;
    return utf8Comparison(text, operator, fixed ? value.replace(/ +$/, "") : value);
  };
}

/** In UTF-8 the order of bytes is that of code points. */
function utf8Comparison(text: string, operator: string, value: string): string {
  const bytes = Buffer.from(value).toString("hex");
  return `convert_to(${text}, 'UTF8') ${operator} '\\x${bytes}'::bytea`;
}
