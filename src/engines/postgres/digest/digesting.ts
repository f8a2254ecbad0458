import type { RowHash } from "../../../core/row-digest.ts";
import { literal } from "../../shared/identifier.ts";
import type { WireSession } from "../connection/wire-session.ts";

/** How a database digests rows. */
export interface Digesting {
  /** Whether its encoding is UTF8. */
  readonly isUtf8: boolean;
  /** The cheapest first. */
  readonly hashes: readonly RowHash[];
}

/**
 * Texts of no word, some words and some words and a rest with their lookup3. The server's hash of a text is another where words
 * are big-endian, and nothing promises that it stays what it has been since version 11.
 */
const PROBES: readonly (readonly [text: string, hash: bigint])[] = [
  ["", -6939563903564495251n],
  ["twelve bytes", -7123776401673968163n],
  ["1,Å,a longer text of several words", -6701581416600820533n],
];

/**
 * Only a text in UTF-8 can be hashed as it is: of bytes the server has no such function before version 18. The probes are not
 * sent to a database of another encoding, which may lack one of their characters.
 */
export async function readDigesting(wire: WireSession): Promise<Digesting> {
  const [encoding] = (await wire.query("select pg_catalog.getdatabaseencoding()")).rows;
  if (encoding![0] !== "UTF8") return { isUtf8: false, hashes: ["md5"] };
  const agrees = PROBES.map(([text, hash]) => `${lookup3Sql(literal(text))} = ${hash}`).join(" and ");
  const [answer] = (await wire.query(`select ${agrees}`)).rows;
  return { isUtf8: true, hashes: answer![0] === "t" ? ["lookup3", "md5"] : ["md5"] };
}

/** The 64 bits of it. Any other collation than that of bytes might have the server hash something else, or nothing. */
export function lookup3Sql(text: string): string {
  return `hashtextextended((${text}) collate "C", 0)`;
}
