import { MISFIT } from "../../../core/row-digest.ts";
import type { Column } from "../../../core/schema.ts";
import { identifier } from "../catalog/identifier.ts";
import { charsetOf, isUtf8 } from "../values/binlog-charset.ts";
import { mayReplace } from "../values/replaced-characters.ts";

const UUID_LENGTH = 36;

/** A column's text in UTF-8; undefined for what is no text. */
export function textSql({ name, type, collation }: Column): string | undefined {
  const column = identifier(name);
  switch (type.kind) {
    case "string":
    case "enum":
    case "set":
      // Addresses are texts to us and have no character set.
      if (collation === undefined) return `cast(${column} as char)`;
      if (isUtf8(charsetOf(collation))) return column;
      return isAscii(collation) ? `cast(${column} as binary)` : `convert(${column} using utf8mb4)`;
    case "json":
      return `convert(${column} using utf8mb4)`;
    case "uuid":
      return `cast(${column} as char)`;
    default:
      return undefined;
  }
}

/** The server takes any byte for ASCII, and would show some as question marks; no text in UTF-8 has those alone. */
function isAscii(collation: string): boolean {
  return charsetOf(collation) === "ascii";
}

/** Whether the server would replace something of a text where it is to be one in UTF-8. */
export function isReplaced(column: Column): boolean {
  return mayReplace(column) && !isAscii(column.collation!);
}

/** Texts of that length may be something else: they still are told apart. */
export function uuidSql(column: Column): string | undefined {
  if (column.type.kind !== "string") return undefined;
  const text = `trim(trailing ' ' from convert(${identifier(column.name)} using utf8mb4))`;
  const isOne = `length(${text}) = ${UUID_LENGTH} and locate(',', ${text}) = 0`;
  return `if(${isOne}, lower(${text}), concat('${MISFIT}', md5(${text})))`;
}
