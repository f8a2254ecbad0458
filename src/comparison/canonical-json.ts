import { decimalText } from "./canonical-decimal.ts";

/** How exactly JSON is compared. */
export interface JsonExactness {
  /** Numbers are doubles unless they are whole ones of 64 bits, which is what MySQL makes of them. Else all digits count. */
  readonly hasDoubles: boolean;
  /** Of members of one name all count, and not the last alone. */
  readonly keepsRepeated: boolean;
}

/**
 * JSON as PostgreSQL shows a jsonb and MySQL its JSON: the members of objects in the order of the lengths of their names, then
 * of their bytes, and a blank after commas and colons. Numbers are written by value. Undefined for what is no JSON.
 */
export function jsonText(cell: Buffer, exactness: JsonExactness): Buffer | undefined {
  const text = cell.toString("utf8");
  try {
    JSON.parse(text);
    return Buffer.from(new JsonWriter(text, exactness).value());
  } catch {
    return undefined;
  }
}

interface Member {
  readonly name: string;
  readonly bytes: Buffer;
  readonly value: string;
}

const BLANKS = " \t\r\n";
const PLAIN = /[-+.\w]+/y;
const STARTS_NUMBER = /^[-\d]/;

/** Reads it by itself: what JSON.parse() makes of an object has no member twice, and of a number what a double holds. */
class JsonWriter {
  readonly #text: string;
  readonly #exactness: JsonExactness;
  #at = 0;

  /** Of a text that is JSON. */
  constructor(text: string, exactness: JsonExactness) {
    this.#text = text;
    this.#exactness = exactness;
  }

  value(): string {
    switch (this.#next()) {
      case "{":
        return `{${this.#members().join(", ")}}`;
      case "[":
        return `[${this.#list("]", () => this.value()).join(", ")}]`;
      case '"':
        return JSON.stringify(this.#string());
      default:
        return this.#plain();
    }
  }

  #members(): readonly string[] {
    const all = this.#list("}", (): Member => {
      this.#next();
      const name = this.#string();
      this.#next();
      this.#at++;
      return { name, bytes: Buffer.from(name), value: this.value() };
    });
    const members = this.#exactness.keepsRepeated ? all : lastOfEachName(all);
    members.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
    return members.map(({ name, value }) => `${JSON.stringify(name)}: ${value}`);
  }

  /** What stands between two brackets. */
  #list<Item>(end: string, item: () => Item): Item[] {
    const items: Item[] = [];
    this.#at++;
    while (this.#next() !== end) {
      items.push(item());
      if (this.#next() === ",") this.#at++;
    }
    this.#at++;
    return items;
  }

  #string(): string {
    const from = this.#at++;
    let isPlain = true;
    for (; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#text[this.#at] !== "\\") continue;
      isPlain = false;
      this.#at++;
    }
    this.#at++;
    if (isPlain) return this.#text.slice(from + 1, this.#at - 1);
    return JSON.parse(this.#text.slice(from, this.#at)) as string;
  }

  #plain(): string {
    PLAIN.lastIndex = this.#at;
    const text = PLAIN.exec(this.#text)?.[0] ?? "";
    this.#at += text.length;
    if (!STARTS_NUMBER.test(text)) return text;
    return this.#exactness.hasDoubles ? doubleText(text) : exactText(text);
  }

  /** Passes blanks. */
  #next(): string | undefined {
    while (this.#at < this.#text.length && BLANKS.includes(this.#text[this.#at]!)) this.#at++;
    return this.#text[this.#at];
  }
}

function lastOfEachName(members: Member[]): Member[] {
  const last = new Map(members.map((member) => [member.name, member]));
  return last.size === members.length ? members : [...last.values()];
}

/** One with an exponent that no number of a database has is as it is written. */
function exactText(source: string): string {
  return decimalText(Buffer.from(source, "latin1"), undefined)?.toString("latin1") ?? source.toLowerCase();
}

const WHOLE = /^-?\d+$/;
/** Digits that a double holds whatever they are. */
const EXACT_DIGITS = 15;
const LEAST = -(2n ** 63n);
const MOST = 2n ** 64n - 1n;

/** What no double holds is as it is written. */
function doubleText(source: string): string {
  if (WHOLE.test(source) && source.length > EXACT_DIGITS) {
    const exact = BigInt(source);
    if (exact >= LEAST && exact <= MOST) return String(exact);
  }
  const number = Number(source) + 0;
  return Number.isFinite(number) ? String(number) : source.toLowerCase();
}
