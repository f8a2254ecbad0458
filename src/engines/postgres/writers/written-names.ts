import { type SqlWord, sqlWords } from "./sql-words.ts";

/** A table that a statement writes to, as the statement names it. */
export interface WrittenName {
  /** Undefined where the session's search path says which it is. */
  readonly schema: string | undefined;
  readonly name: string;
  /** The statement removes all rows. */
  readonly empties: boolean;
}

/**
 * What a text of statements writes to by their own words: INSERT, UPDATE, DELETE, MERGE, COPY ... FROM and TRUNCATE, also after
 * WITH and within it. Whatever is not understood is passed over up to the next statement: a table that is only read is never
 * among these, and one that is written by a function, a view or EXECUTE is not either.
 */
export function writtenNames(sql: string): readonly WrittenName[] {
  const words = [...sqlWords(sql)];
  const found: WrittenName[] = [];
  for (let from = 0; from < words.length; ) {
    let end = from;
    while (end < words.length && !isSign(words[end], ";")) end++;
    // The body of a function may hold statements, which nobody carries out by making it.
    if (isWord(words[from], "create")) break;
    new Statement(words.slice(from, end)).read(found);
    from = end + 1;
  }
  return found;
}

class Statement {
  readonly #words: readonly SqlWord[];
  #at = 0;

  constructor(words: readonly SqlWord[]) {
    this.#words = words;
  }

  read(found: WrittenName[]): void {
    if (this.#takes("with") && !this.#readWith(found)) return;
    if (this.#takes("insert")) this.#readTable(found, this.#takes("into"));
    else if (this.#takes("merge")) this.#readTable(found, this.#takes("into"));
    else if (this.#takes("delete")) this.#readTable(found, this.#takes("from"));
    else if (this.#takes("update")) this.#readTable(found, true);
    else if (this.#takes("copy")) this.#readCopy(found);
    else if (this.#takes("truncate")) this.#readTruncate(found);
  }

  /** Up to the statement itself, and what is written on the way; false when that is not understood. */
  #readWith(found: WrittenName[]): boolean {
    this.#takes("recursive");
    do {
      if (this.#name() === undefined) return false;
      if (isSign(this.#next, "(") && this.#inBrackets() === undefined) return false;
      if (!this.#takes("as")) return false;
      this.#takes("not");
      this.#takes("materialized");
      const query = this.#inBrackets();
      if (query === undefined) return false;
      new Statement(query).read(found);
    } while (this.#takesSign(","));
    return true;
  }

  #readTable(found: WrittenName[], isMeant: boolean): void {
    if (!isMeant) return;
    this.#takes("only");
    const table = this.#table();
    if (table !== undefined) found.push({ ...table, empties: false });
  }

  #readCopy(found: WrittenName[]): void {
    const table = this.#table();
    if (table === undefined) return;
    if (isSign(this.#next, "(") && this.#inBrackets() === undefined) return;
    if (this.#takes("from")) found.push({ ...table, empties: false });
  }

  #readTruncate(found: WrittenName[]): void {
    this.#takes("table");
    do {
      this.#takes("only");
      const table = this.#table();
      if (table === undefined) return;
      this.#takesSign("*");
      found.push({ ...table, empties: true });
    } while (this.#takesSign(","));
  }

  #table(): Pick<WrittenName, "schema" | "name"> | undefined {
    const names = [this.#name()];
    while (this.#takesSign(".")) names.push(this.#name());
    const [name, schema] = names.toReversed();
    // The database may stand before the schema.
    return names.includes(undefined) || names.length > 3 ? undefined : { schema, name: name! };
  }

  #name(): string | undefined {
    const next = this.#next;
    if (next?.kind !== "word" && next?.kind !== "name") return undefined;
    this.#at++;
    return next.text;
  }

  /** What stands in the brackets that come next, which are passed over; undefined where they do not end. */
  #inBrackets(): readonly SqlWord[] | undefined {
    if (!isSign(this.#next, "(")) return undefined;
    const from = this.#at + 1;
    let depth = 0;
    for (; this.#at < this.#words.length; this.#at++) {
      if (isSign(this.#next, "(")) depth++;
      else if (isSign(this.#next, ")") && --depth === 0) return this.#words.slice(from, this.#at++);
    }
    return undefined;
  }

  get #next(): SqlWord | undefined {
    return this.#words[this.#at];
  }

  #takes(word: string): boolean {
    if (!isWord(this.#next, word)) return false;
    this.#at++;
    return true;
  }

  #takesSign(sign: string): boolean {
    if (!isSign(this.#next, sign)) return false;
    this.#at++;
    return true;
  }
}

function isSign(word: SqlWord | undefined, sign: string): boolean {
  return word?.kind === "sign" && word.text === sign;
}

function isWord(word: SqlWord | undefined, text: string): boolean {
  return word?.kind === "word" && word.text === text;
}
