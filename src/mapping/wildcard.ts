/**
 * DMS's name patterns: `%` any run of characters, `_` one character, `[ab]` one of a set, `[a-d]` one
 * of a range, so `[_]` and `[%]` are the literal characters. Case-sensitive; the whole name must match.
 * A character is a code point. A `[` without a `]` after it, and `[]`, stand for themselves.
 */
export interface NamePattern {
  /** As it is written. */
  readonly text: string;
  readonly matches: (name: string) => boolean;
}

type Token =
  | { readonly kind: "run" | "any" }
  | { readonly kind: "literal"; readonly character: string }
  /** Pairs of first and last code point. */
  | { readonly kind: "set"; readonly ranges: readonly (readonly [number, number])[] };

const RUN: Token = { kind: "run" };
const ANY: Token = { kind: "any" };

/** A pattern that matches `name` and nothing else. */
export function escapeWildcards(name: string): string {
  return name.replaceAll(/[%_[]/gu, "[$&]");
}

/** True for a pattern that can only match itself; `_` does not count, since most names hold it plainly. */
export function isPlainName(pattern: string): boolean {
  return !pattern.includes("%") && !/\[[^\]]+\]/u.test(pattern);
}

/** Why a pattern can never be meant as it is written, or undefined. */
export function wildcardFault(pattern: string): string | undefined {
  for (const token of tokenize(pattern)) {
    if (token.kind !== "set") continue;
    const reversed = token.ranges.find(([first, last]) => first > last);
    if (reversed === undefined) continue;
    const [first, last] = reversed;
    return `the range [${String.fromCodePoint(first)}-${String.fromCodePoint(last)}] runs backwards`;
  }
  return undefined;
}

export function compileWildcard(text: string): NamePattern {
  const tokens = tokenize(text);
  if (tokens.every((token) => token.kind === "literal")) return exactly(text);
  return { text, matches: (name) => matches(tokens, Array.from(name)) };
}

/** Matches this name alone, whatever characters it has. */
export function exactly(text: string): NamePattern {
  return { text, matches: (name) => name === text };
}

export function matchesEveryName({ text }: NamePattern): boolean {
  return /^%+$/u.test(text);
}

function tokenize(pattern: string): readonly Token[] {
  const characters = Array.from(pattern);
  const tokens: Token[] = [];
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i]!;
    if (character === "%") tokens.push(RUN);
    else if (character === "_") tokens.push(ANY);
    else {
      const close = character === "[" ? characters.indexOf("]", i + 1) : -1;
      if (close > i + 1) {
        tokens.push({ kind: "set", ranges: rangesOf(characters.slice(i + 1, close)) });
        i = close;
      } else tokens.push({ kind: "literal", character });
    }
  }
  return tokens;
}

/** A `-` that has no character on one side stands for itself. */
function rangesOf(members: readonly string[]): readonly (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = [];
  for (let i = 0; i < members.length; i++) {
    const first = members[i]!.codePointAt(0)!;
    const isRange = members[i + 1] === "-" && i + 2 < members.length;
    ranges.push([first, isRange ? members[i + 2]!.codePointAt(0)! : first]);
    if (isRange) i += 2;
  }
  return ranges;
}

/**
 * Only the last run needs to be taken back and made longer: if a later part can match at all, it can
 * match with the earlier runs as short as they are. So the time is at most name length × pattern length.
 */
function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let run = -1;
  let runEnd = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === "run") {
      run = token++;
      runEnd = at;
    } else if (current !== undefined && matchesOne(current, name[at]!)) {
      token++;
      at++;
    } else if (run >= 0) {
      token = run + 1;
      at = ++runEnd;
    } else return false;
  }
  while (tokens[token]?.kind === "run") token++;
  return token === tokens.length;
}

function matchesOne(token: Token, character: string): boolean {
  if (token.kind === "literal") return token.character === character;
  if (token.kind !== "set") return true;
  const code = character.codePointAt(0)!;
  return token.ranges.some(([first, last]) => code >= first && code <= last);
}
