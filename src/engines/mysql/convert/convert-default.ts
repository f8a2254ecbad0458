import type { Column } from "../../../core/schema.ts";
import { literal } from "../catalog/identifier.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import type { MysqlType } from "./convert-type.ts";

const CAST = String.raw`(?:::[a-z_][\w ."]*(?:\([\d, ]*\))?(?:\[\])?)*`;
const STRING = new RegExp(`^'((?:[^']|'')*)'${CAST}$`, "i");
const NUMBER = new RegExp(`^\\(?'?(-?\\d+(?:\\.\\d+)?)'?\\)?${CAST}$`, "i");
const BITS = new RegExp(`^B'([01]*)'${CAST}$`, "i");
const NULL = new RegExp(`^NULL${CAST}$`, "i");
const NOW =
  /^(?:now\(\)|current_timestamp|localtimestamp|(?:transaction|statement|clock)_timestamp\(\))(?:\(\d\))?$/i;
const TODAY = /^(?:current_date|\('now'::text\)::date|(?:now\(\)|current_timestamp)::date)$/i;
const RANDOM_UUID = /^(?:gen_random_uuid|uuid_generate_v4|\w+\.gen_random_uuid|\w+\.uuid_generate_v4)\(\)$/i;

/** What a default of PostgreSQL is here: "none" for one that says nothing, undefined when there is no equal. */
export function convertDefault(
  expression: string,
  column: Column,
  { type, facts }: { readonly type: MysqlType; readonly facts: ServerFacts },
): string | "none" | undefined {
  if (NULL.test(expression)) return "none";
  const mayCompute = facts.flavour === "mariadb" || atLeast(facts, 8, 0, 13);
  const constant = constantDefault(expression, column, type.native);
  if (constant !== undefined) {
    // MySQL has no constants for these but as expressions.
    const isLong = /^(?:long(?:text|blob)|json)/.test(type.native) && facts.flavour === "mysql";
    if (!isLong) return constant;
    return mayCompute ? `(${constant})` : undefined;
  }
  const { kind } = column.type;
  if (kind === "timestamp" && NOW.test(expression)) {
    const fraction = column.type.precision === 0 ? "" : `(${column.type.precision})`;
    if (!column.type.zoned) return `current_timestamp${fraction}`;
    return mayCompute ? `(utc_timestamp${fraction || "()"})` : undefined;
  }
  if (!mayCompute) return undefined;
  if (kind === "date" && TODAY.test(expression)) return "(curdate())";
  if (kind === "uuid" && RANDOM_UUID.test(expression)) return "(uuid())";
  return undefined;
}

function constantDefault(expression: string, { type }: Column, native: string): string | undefined {
  if (type.kind === "boolean") {
    const word = /^'?(t|f|true|false)'?(?:::boolean)?$/i.exec(expression)?.[1];
    if (word === undefined) return undefined;
    const isTrue = /^t/i.test(word);
    if (/char/.test(native)) return literal(String(isTrue));
    return isTrue ? "1" : "0";
  }
  const number = NUMBER.exec(expression)?.[1];
  if (type.kind === "int" || type.kind === "decimal" || type.kind === "float") return number;
  const bits =
    BITS.exec(expression)?.[1] ?? (type.kind === "bit" ? /^'([01]+)'/.exec(expression)?.[1] : undefined);
  if (type.kind === "bit") return bits === undefined ? undefined : `b'${bits}'`;
  const quoted = STRING.exec(expression)?.[1]?.replaceAll("''", "'");
  if (quoted === undefined) return undefined;
  switch (type.kind) {
    case "bytes":
      return /^\\x[0-9a-f]*$/i.test(quoted) ? `x'${quoted.slice(2)}'` : undefined;
    case "date":
    case "timestamp":
      return momentDefault(quoted, type);
    default:
      return literal(quoted);
  }
}

/** A moment of another zone than UTC would need its offset applied, and an infinite one has no equal. */
function momentDefault(text: string, type: Column["type"]): string | undefined {
  const isZoned = type.kind === "timestamp" && type.zoned;
  const match = /^(\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d(?:\.\d+)?)?)(\+00)?$/.exec(text);
  if (match === null || isZoned !== (match[2] !== undefined)) return undefined;
  return literal(match[1]!);
}
