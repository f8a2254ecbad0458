import type { Mask } from "../../core/plan.ts";
import type { LogicalType } from "../../core/schema.ts";

/** "as-is": the text form of the one type is one of the other. Else an expression of SQLite over the value, `?1`. */
export type TypeChange = "as-is" | { readonly sql: string };

type Kind = LogicalType["kind"];

const ROUNDED = "case typeof(?1) when 'real' then cast(round(?1) as integer) else ?1 end";
const TRUTH =
  "case when lower(trim(?1)) in ('t', 'true', 'y', 'yes', 'on', '1') then 1 " +
  "when lower(trim(?1)) in ('f', 'false', 'n', 'no', 'off', '0') then 0 else ?1 end";
const DAY =
  "case when ?1 like '%infinity' then ?1 else substr(?1, 1, instr(?1, ' ') - 1) || iif(?1 like '% BC', ' BC', '') end";

/** What is done with a value that is to be of another kind; where nothing stands, nothing sensible can be. */
const CHANGES: Partial<Record<Kind, Partial<Record<Kind, TypeChange>>>> = {
  int: { boolean: { sql: "?1" }, decimal: { sql: ROUNDED }, float: { sql: ROUNDED }, string: "as-is" },
  decimal: { boolean: { sql: "?1" }, int: "as-is", float: "as-is", string: "as-is" },
  float: { boolean: { sql: "?1" }, int: "as-is", decimal: "as-is", string: "as-is" },
  boolean: { int: { sql: "?1 <> 0" }, string: { sql: TRUTH } },
  date: { timestamp: { sql: DAY }, string: "as-is" },
  time: { string: "as-is" },
  timestamp: { date: "as-is", string: "as-is" },
  bytes: { string: { sql: "?1" }, json: { sql: "?1" }, xml: { sql: "?1" } },
};

/** How values of one type become such of another; undefined where they cannot. */
export function typeChange(from: LogicalType, to: LogicalType): TypeChange | undefined {
  if (from.kind === to.kind) return "as-is";
  if (to.kind === "string") {
    return from.kind === "boolean" ? { sql: "iif(?1, 'true', 'false')" } : "as-is";
  }
  return CHANGES[to.kind]?.[from.kind];
}

const HASH_CHARACTERS = 64;

/** Why a column of a type cannot hold what a mask leaves; undefined when it can. Follows "the column c". */
export function maskFault(mask: Mask, type: LogicalType): string | undefined {
  if (mask.kind === "hash") {
    const isFit = type.kind === "string" && (type.maxChars ?? HASH_CHARACTERS) >= HASH_CHARACTERS;
    return isFit ? undefined : `has no room for the ${HASH_CHARACTERS} characters of a hash`;
  }
  if (type.kind === "string") return undefined;
  const leavesDigits = mask.kind === "random-digits" || /\d/.test(String.fromCharCode(mask.by));
  if (leavesDigits && (type.kind === "int" || type.kind === "decimal")) return undefined;
  return "is no column of texts, and what is masked would be no value of its type";
}

/**
 * Whether a mask may make a number of one that is there for which the type has no room. A number keeps its count of
 * digits, so that decimals always have room.
 */
export function mayOverflow(mask: Mask, type: LogicalType): boolean {
  if (type.kind !== "int" || mask.kind === "hash") return false;
  const largest = (1n << BigInt(type.unsigned ? type.bits : type.bits - 1)) - 1n;
  const digit = mask.kind === "digits" ? String.fromCharCode(mask.by) : "9";
  return BigInt(digit.repeat(String(largest).length)) > largest;
}
