import type { Column } from "../../../core/schema.ts";
import { charsetOf, isUtf8, unicodeCharset } from "./binlog-charset.ts";

/**
 * Whether the server would put a question mark, or U+FFFD, in the place of what a column's character set has no
 * character for. Its latin1 has one for every byte, and forms of Unicode are looked at when they are written.
 */
export function mayReplace({ type, collation }: Pick<Column, "type" | "collation">): boolean {
  if (type.kind !== "string" || collation === undefined) return false;
  const charset = charsetOf(collation);
  return charset !== "latin1" && !isUtf8(charset) && unicodeCharset(charset) === undefined;
}
