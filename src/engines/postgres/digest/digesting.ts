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

/** Only a text in UTF-8 can be hashed as it is: of bytes the server has no such function before version 18. */
export async function readDigesting(wire: WireSession): Promise<Digesting> {
  const agrees = PROBES.map(([text, hash]) => `${lookup3Sql(literal(text))} = ${hash}`).join(" and ");
  const { rows } = await wire.query(
    `select case when pg_catalog.getdatabaseencoding() = 'UTF8' then ${agrees} end`,
  );
  const [answer] = rows[0]!;
  return { isUtf8: answer !== null, hashes: answer === "t" ? ["lookup3", "md5"] : ["md5"] };
}

/** The 64 bits of it. Any other collation than that of bytes might have the server hash something else, or nothing. */
export function lookup3Sql(text: string): string {
  return `hashtextextended((${text}) collate "C", 0)`;
}
