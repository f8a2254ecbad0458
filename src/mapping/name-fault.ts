/** PostgreSQL cuts longer names off without a word (NAMEDATALEN), and two could become one. */
export const LONGEST_NAME_BYTES = 63;

/** Why nothing on the target can be named like that; undefined when it can. Follows the name. */
export function nameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (name.includes("\0")) return "holds a zero character";
  const bytes = Buffer.byteLength(name);
  return bytes > LONGEST_NAME_BYTES ? `has ${bytes} bytes, more than ${LONGEST_NAME_BYTES}` : undefined;
}
