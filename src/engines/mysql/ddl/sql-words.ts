/** A token of a statement. A name in quotes is not a word, so that `table` is not taken for TABLE. */
export interface SqlWord {
  /** As written; of what is quoted what stands within. */
  readonly text: string;
  readonly kind: "word" | "name" | "string" | "sign";
}

const SPACE = /\s/;
/** A backslash before _ or % stays where it is: these are for LIKE. */
const ESCAPES: Readonly<Record<string, string>> = {
  "0": "\0",
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  Z: "\u001a",
};
const WORD = /[\p{L}\p{N}_$@]/u;

/**
 * The tokens of a statement, one after the other, without comments. What stands in a comment with a version
 * (one that begins with an exclamation mark) is part of the statement; what a reader does not ask for is not looked at.
 * `onVersion`: called with how such a comment begins.
 */
export function* sqlWords(sql: string, onVersion?: (begin: string) => void): Generator<SqlWord> {
  for (let at = 0; at < sql.length; ) {
    const character = sql[at]!;
    if (SPACE.test(character)) {
      at++;
    } else if (sql.startsWith("/*!", at) || sql.startsWith("/*M!", at)) {
      const end = skipDigits(sql, sql.indexOf("!", at) + 1);
      onVersion?.(sql.slice(at, end));
      at = end;
    } else if (sql.startsWith("/*", at)) {
      at = behind(sql, "*/", at + 2);
    } else if (sql.startsWith("*/", at)) {
      at += 2;
    } else if (character === "#" || /^--(?:\s|$)/.test(sql.slice(at, at + 3))) {
      at = behind(sql, "\n", at);
    } else if (character === "`" || character === "'" || character === '"') {
      const [text, end] = quoted(sql, at, character);
      yield { text, kind: character === "`" ? "name" : "string" };
      at = end;
    } else if (WORD.test(character)) {
      const start = at;
      while (at < sql.length && WORD.test(sql[at]!)) at++;
      yield { text: sql.slice(start, at), kind: "word" };
    } else {
      yield { text: character, kind: "sign" };
      at++;
    }
  }
}

/** From here on MariaDB takes versions of MySQL for those of another server. */
const FIRST_DOUBTFUL = 50_700;

/** Whether all that stands in comments with a version is carried out by each server that there may be. */
export function isWhollyRun(sql: string): boolean {
  let isRun = true;
  const words = sqlWords(sql, (begin) => {
    const version = /^\/\*!(\d{5})?$/.exec(begin);
    isRun &&= version !== null && Number(version[1] ?? 0) < FIRST_DOUBTFUL;
  });
  for (const _word of words);
  return isRun;
}

/** Reads tokens one by one, with a look at the next. */
export class SqlReader {
  readonly #words: Iterator<SqlWord, undefined>;
  #next: SqlWord | undefined;

  constructor(sql: string) {
    this.#words = sqlWords(sql) as Iterator<SqlWord, undefined>;
    this.#next = this.#words.next().value;
  }

  get next(): SqlWord | undefined {
    return this.#next;
  }

  take(): SqlWord | undefined {
    const word = this.#next;
    this.#next = this.#words.next().value;
    return word;
  }

  /** Takes the next token if it is one of these words; says which. */
  takeIf(...words: readonly string[]): string | undefined {
    if (!this.isNext(...words)) return undefined;
    return this.take()!.text.toUpperCase();
  }

  isNext(...words: readonly string[]): boolean {
    return this.#next?.kind === "word" && words.includes(this.#next.text.toUpperCase());
  }

  takeSign(sign: string): boolean {
    if (this.#next?.kind !== "sign" || this.#next.text !== sign) return false;
    this.take();
    return true;
  }

  /** A name, in quotes or not; undefined where none stands. */
  name(): string | undefined {
    const kind = this.#next?.kind;
    // With ANSI_QUOTES names may stand in double quotes.
    if (kind !== "name" && kind !== "word" && kind !== "string") return undefined;
    return this.take()!.text;
  }

  /** A table's name, which the database's may stand before; undefined where there is none. */
  table(database: string): { readonly schema: string; readonly name: string } | undefined {
    const first = this.name();
    if (first === undefined) return undefined;
    if (!this.takeSign(".")) return { schema: database, name: first };
    const second = this.name();
    return second === undefined ? undefined : { schema: first, name: second };
  }

  /** Passes over everything up to the next comma outside of brackets; false when there is none. */
  skipToComma(): boolean {
    let depth = 0;
    for (let word = this.take(); word !== undefined; word = this.take()) {
      if (word.kind !== "sign") continue;
      if (word.text === "(") depth++;
      if (word.text === ")") depth--;
      if (word.text === "," && depth === 0) return true;
    }
    return false;
  }
}

function quoted(sql: string, start: number, quote: string): readonly [text: string, end: number] {
  let text = "";
  for (let at = start + 1; at < sql.length; at++) {
    const character = sql[at]!;
    if (character === "\\" && quote !== "`") {
      const next = sql[++at] ?? "";
      text += ESCAPES[next] ?? (next === "_" || next === "%" ? `\\${next}` : next);
    } else if (character !== quote) {
      text += character;
    } else if (sql[at + 1] === quote) {
      text += quote;
      at++;
    } else {
      return [text, at + 1];
    }
  }
  return [text, sql.length];
}

function behind(sql: string, end: string, from: number): number {
  const at = sql.indexOf(end, from);
  return at < 0 ? sql.length : at + end.length;
}

function skipDigits(sql: string, from: number): number {
  let at = from;
  while (at < sql.length && sql[at]! >= "0" && sql[at]! <= "9") at++;
  return at;
}
