import type { Check, Column } from "../../../core/schema.ts";
import { identifier } from "../../shared/identifier.ts";
import { unquotedName } from "./convert-literal.ts";

const TOKEN = /\s*(`(?:[^`]|``)+`|\d+(?:\.\d+)?|[a-z_]\w*|<>|!=|<=|>=|[^\s])/giy;
const COMPARISONS = new Set(["=", "<", ">", "<=", ">=", "<>", "!="]);
const NUMBERS = new Set<Column["type"]["kind"]>(["int", "decimal"]);

/**
 * A check that means the same in PostgreSQL: comparisons of columns of whole or decimal numbers with each other and
 * with constants. Texts are compared otherwise there, and sums may exceed their type. Undefined for any other.
 * `columns` are the target's, by the source's names.
 */
export function convertCheck(check: Check, columns: ReadonlyMap<string, Column>): string | undefined {
  const [, condition] = /^check\s*(\(.*\))$/is.exec(check.native.trim()) ?? [];
  if (condition === undefined) return undefined;
  const tokens = [...condition.matchAll(TOKEN)].map(([, token]) => token!);
  const parser = new Condition(tokens, columns);
  const text = parser.term();
  return text === undefined || !parser.isAtEnd ? undefined : `check ${text}`;
}

/** Reads a condition from its tokens; each rule gives undefined for what it does not know. */
class Condition {
  readonly #tokens: readonly string[];
  readonly #columns: ReadonlyMap<string, Column>;
  #at = 0;

  constructor(tokens: readonly string[], columns: ReadonlyMap<string, Column>) {
    this.#tokens = tokens;
    this.#columns = columns;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** A condition in parentheses, one that is denied, or a comparison. */
  term(): string | undefined {
    if (this.#takes("not")) return around("not ", this.term());
    if (!this.#takes("(")) return this.#comparison();
    const inner = this.#joined();
    return this.#takes(")") ? around("(", inner, ")") : undefined;
  }

  /** Terms with AND and OR between them, of which both dialects do AND first. */
  #joined(): string | undefined {
    let text = this.term();
    for (let word = this.#word(); word === "and" || word === "or"; word = this.#word()) {
      this.#at++;
      text = around(`${text} ${word} `, text === undefined ? undefined : this.term());
    }
    return text;
  }

  #comparison(): string | undefined {
    const left = this.#operand();
    if (left === undefined) return undefined;
    const word = this.#word() ?? "";
    if (COMPARISONS.has(word)) {
      this.#at++;
      return around(`${left} ${word} `, this.#operand());
    }
    if (this.#takes("is")) {
      const nullness = this.#takes("not") ? "is not null" : "is null";
      return this.#takes("null") ? `${left} ${nullness}` : undefined;
    }
    const no = this.#takes("not") ? " not" : "";
    if (this.#takes("between")) {
      const low = this.#operand();
      if (low === undefined || !this.#takes("and")) return undefined;
      return around(`${left}${no} between ${low} and `, this.#operand());
    }
    return this.#takes("in") ? around(`${left}${no} in `, this.#list()) : undefined;
  }

  #list(): string | undefined {
    if (!this.#takes("(")) return undefined;
    const items: string[] = [];
    do {
      const item = this.#operand();
      if (item === undefined) return undefined;
      items.push(item);
    } while (this.#takes(","));
    return this.#takes(")") ? `(${items.join(", ")})` : undefined;
  }

  #operand(): string | undefined {
    const sign = this.#takes("-") ? "-" : "";
    const token = this.#tokens[this.#at] ?? "";
    this.#at++;
    if (/^\d/.test(token)) return sign + token;
    const column = this.#columns.get(unquotedName(token));
    const isNumber = column !== undefined && NUMBERS.has(column.type.kind);
    return isNumber && sign === "" ? identifier(column.name) : undefined;
  }

  #word(): string | undefined {
    return this.#tokens[this.#at]?.toLowerCase();
  }

  #takes(word: string): boolean {
    if (this.#word() !== word) return false;
    this.#at++;
    return true;
  }
}

function around(before: string, text: string | undefined, after = ""): string | undefined {
  return text === undefined ? undefined : before + text + after;
}

/** MariaDB's way to say that a text is JSON; the target's type says so by itself. */
export function isJsonCheck({ native }: Check): boolean {
  return /^check\s*\(+\s*json_valid\(\s*`(?:[^`]|``)+`\s*\)\s*\)+$/i.test(native.trim());
}
