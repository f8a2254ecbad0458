/** A JSON text's value, or where it stops being JSON, as "line 2 column 15" (both from 1). */
export type JsonText =
  | { readonly valid: true; readonly value: unknown }
  | { readonly valid: false; readonly place: string };

/** JSON.parse says where a mistake is only for some, and repeats the text around the others; this does neither. */
export function parseJson(text: string): JsonText {
  try {
    return { valid: true, value: JSON.parse(text) };
  } catch {
    const before = text.slice(0, new FaultFinder(text).find()).split("\n");
    return { valid: false, place: `line ${before.length} column ${before.at(-1)!.length + 1}` };
  }
}

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON's grammar leaves exactly these out
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Follows the grammar of RFC 8259 with a stack of open brackets, as deep as the text likes. */
class FaultFinder {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** undefined when there is none. */
  find(): number | undefined {
    const open: ("{" | "[")[] = [];
    while (true) {
      const opened = this.#open();
      if (opened !== undefined) {
        open.push(opened);
        if (!this.#take(opened === "{" ? "}" : "]")) {
          if (opened === "{" && !this.#name()) return this.#at;
          continue;
        }
        open.pop();
      } else if (!this.#match(STRING) && !this.#match(SCALAR)) return this.#at;
      while (open.length > 0 && this.#take(open.at(-1) === "{" ? "}" : "]")) open.pop();
      if (open.length === 0) break;
      if (!this.#take(",")) return this.#at;
      if (open.at(-1) === "{" && !this.#name()) return this.#at;
    }
    this.#match(SPACE);
    return this.#at === this.#text.length ? undefined : this.#at;
  }

  #open(): "{" | "[" | undefined {
    if (this.#take("{")) return "{";
    return this.#take("[") ? "[" : undefined;
  }

  #name(): boolean {
    return this.#match(STRING) && this.#take(":");
  }

  #take(character: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Moves over what the pattern matches here. */
  #match(pattern: RegExp): boolean {
    if (pattern !== SPACE) this.#match(SPACE);
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found !== null;
  }
}
