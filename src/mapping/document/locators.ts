import { compileWildcard, exactly, isPlainName, type NamePattern, wildcardFault } from "../wildcard.ts";
import type { RuleReader } from "./rule-reader.ts";

/** DMS's numbers have 31 bits. */
export const LARGEST_NUMBER = 2_147_483_647;

/** A pattern of the rule's object-locator. */
export function pattern(reader: RuleReader, member: string): NamePattern {
  const text = reader.locator().text(member);
  const fault = wildcardFault(text);
  if (fault === undefined) return compileWildcard(text);
  throw reader.locator().malformed(member, `In object-locator.${member} ${fault}.`);
}

/** A name of the rule's object-locator that may have no wildcards; `_` is taken as itself, since most names hold one. */
export function exactName(
  reader: RuleReader,
  member: string,
  { reason, remedy }: { readonly reason: string; readonly remedy: string },
): NamePattern {
  const text = reader.locator().text(member);
  if (isPlainName(text)) return exactly(text);
  throw reader.locator().malformed(member, `${reason}; object-locator.${member} has a wildcard.`, remedy);
}
