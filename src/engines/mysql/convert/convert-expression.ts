import { identifier } from "../catalog/identifier.ts";
import { type Token, tokensOf } from "./expression-tokens.ts";
import {
  arithmetic,
  castTo,
  type ExpressionColumns,
  intValue,
  isComparable,
  numberValue,
  quotedValue,
  type Value,
  type ValueKind,
} from "./expression-values.ts";

export interface ExpressionContext {
  readonly columns: ExpressionColumns;
  /** Spaces at the end of texts count here, as they do on PostgreSQL. */
  readonly exactTexts: boolean;
}

/**
 * An expression of PostgreSQL over the table's own columns in MySQL's words, when it means the same here for all
 * values that both have: comparisons, AND, OR, NOT, lists, arithmetic of whole and decimal numbers, and a few functions.
 * Undefined for any other. The text is one that PostgreSQL has written, with parentheses around each operator.
 */
export function convertExpression(expression: string, context: ExpressionContext): Value | undefined {
  const tokens = tokensOf(expression);
  if (tokens === undefined) return undefined;
  const reader = new ExpressionReader(tokens, context);
  const value = reader.expression();
  return reader.isAtEnd ? value : undefined;
}

const COMPARISONS = new Set(["=", "<>", "<", ">", "<=", ">="]);
const ARITHMETIC = new Set(["+", "-", "*", "/", "%"]);

/** Reads an expression from its tokens; each rule gives undefined for what it does not know. */
class ExpressionReader {
  readonly #tokens: readonly Token[];
  readonly #context: ExpressionContext;
  #at = 0;

  constructor(tokens: readonly Token[], context: ExpressionContext) {
    this.#tokens = tokens;
    this.#context = context;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  expression(): Value | undefined {
    const first = this.#operand();
    if (first === undefined) return undefined;
    const word = this.#word();
    if (word === "and" || word === "or") return this.#joined(first, word);
    if (word === "||") return this.#concatenated(first);
    if (word === "is") return this.#test(first);
    if (word === undefined || !(COMPARISONS.has(word) || ARITHMETIC.has(word) || /^!?~~$/.test(word)))
      return first;
    this.#at++;
    if (this.#takes("any")) return word === "=" ? this.#among(first, "in", word) : undefined;
    if (this.#takes("all")) return word === "<>" ? this.#among(first, "not in", word) : undefined;
    const second = this.#operand();
    if (second === undefined) return undefined;
    if (ARITHMETIC.has(word)) return arithmetic(word, first, second);
    return COMPARISONS.has(word) ? this.#compared(word, first, second) : this.#matched(word, first, second);
  }

  #joined(first: Value, word: string): Value | undefined {
    const parts = this.#chain(first, word, "boolean");
    return parts && condition(parts.map(({ sql }) => sql).join(` ${word} `));
  }

  #concatenated(first: Value): Value | undefined {
    const parts = this.#chain(first, "||", "text");
    return parts && { sql: `concat(${listOf(parts)})`, kind: "text" };
  }

  /** A value and those that follow it, each behind the same word; undefined when one is not of the kind. */
  #chain(first: Value, word: string, kind: ValueKind): readonly Value[] | undefined {
    const parts: (Value | undefined)[] = [first];
    while (this.#takes(word)) parts.push(this.#operand());
    return parts.every((part) => part?.kind === kind) ? (parts as Value[]) : undefined;
  }

  #compared(operator: string, left: Value, right: Value): Value | undefined {
    if (!isComparable(operator, left, right, this.#context.exactTexts)) return undefined;
    return condition(`${left.sql} ${operator} ${right.sql}`);
  }

  /** LIKE, with a pattern that escapes nothing. */
  #matched(operator: string, left: Value, pattern: Value): Value | undefined {
    const isKnown =
      left.kind === "text" && pattern.kind === "text" && pattern.constant?.includes("\\") === false;
    if (!isKnown || left.constant !== undefined) return undefined;
    return condition(`${left.sql} ${operator === "~~" ? "like" : "not like"} ${pattern.sql}`);
  }

  /** What follows ANY or ALL: an array of constants, perhaps with casts of all of it. */
  #among(value: Value, word: string, operator: string): Value | undefined {
    if (!this.#takes("(")) return undefined;
    const isWrapped = this.#takes("(");
    if (!this.#takes("array") || !this.#takes("[")) return undefined;
    const items: string[] = [];
    do {
      const item = this.#operand();
      if (item?.constant === undefined) return undefined;
      if (!isComparable(operator, value, item, this.#context.exactTexts)) return undefined;
      items.push(item.sql);
    } while (this.#takes(","));
    if (!this.#takes("]")) return undefined;
    if (isWrapped && !(this.#takes(")") && this.#token()?.kind === "cast" && this.#skip())) return undefined;
    return this.#takes(")") ? condition(`${value.sql} ${word} (${items.join(", ")})`) : undefined;
  }

  /** What follows IS. */
  #test(value: Value): Value | undefined {
    this.#at++;
    const no = this.#takes("not");
    const not = no ? "not " : "";
    if (this.#takes("null")) return condition(`${value.sql} is ${not}null`);
    for (const word of ["true", "false", "unknown"]) {
      if (!this.#takes(word)) continue;
      return value.kind === "boolean" ? condition(`${value.sql} is ${not}${word}`) : undefined;
    }
    if (!this.#takes("distinct") || !this.#takes("from")) return undefined;
    const other = this.#operand();
    if (other === undefined || !isComparable("=", value, other, this.#context.exactTexts)) return undefined;
    const same = `${value.sql} <=> ${other.sql}`;
    return condition(no ? same : `not (${same})`);
  }

  /** One value with the casts behind it. */
  #operand(): Value | undefined {
    const token = this.#token();
    if (token === undefined) return undefined;
    this.#at++;
    if (token.kind === "string") {
      const cast = this.#cast();
      return this.#afterCasts(quotedValue(token.text, cast ?? "text"));
    }
    return this.#afterCasts(this.#primary(token));
  }

  #afterCasts(value: Value | undefined): Value | undefined {
    let cast = value;
    for (let type = this.#cast(); type !== undefined; type = this.#cast()) {
      cast = cast === undefined ? undefined : castTo(cast, type);
    }
    return cast;
  }

  #primary(token: Token): Value | undefined {
    if (token.kind === "number") return numberValue(token.text);
    if (token.kind === "quoted") return this.#column(token.text);
    if (token.text === "(") {
      const inner = this.expression();
      return this.#takes(")") ? inner : undefined;
    }
    if (token.text === "-") return this.#negative();
    if (token.text === "not") {
      const denied = this.#operand();
      return denied?.kind === "boolean" ? condition(`not ${denied.sql}`) : undefined;
    }
    if (token.kind !== "name") return undefined;
    if (token.text === "true" || token.text === "false") {
      return { sql: token.text, kind: "boolean", constant: token.text };
    }
    if (token.text === "case") return this.#choice();
    return this.#takes("(") ? this.#call(token.text) : this.#column(token.text);
  }

  #negative(): Value | undefined {
    const value = this.#operand();
    if (value?.whole === undefined) return undefined;
    if (value.constant !== undefined)
      return { ...value, sql: `-${value.sql}`, constant: `-${value.constant}` };
    return { ...value, sql: `(-${value.sql})` };
  }

  #column(name: string): Value | undefined {
    const column = this.#context.columns.get(name);
    if (column === undefined) return undefined;
    const { name: here, padded: _padded, ...known } = column;
    return { ...known, sql: identifier(here) };
  }

  /** CASE WHEN condition THEN value ... ELSE value END. */
  #choice(): Value | undefined {
    const values: Value[] = [];
    let sql = "case";
    while (this.#takes("when")) {
      const when = this.#operand();
      if (when?.kind !== "boolean" || !this.#takes("then")) return undefined;
      const then = this.#operand();
      if (then === undefined) return undefined;
      sql += ` when ${when.sql} then ${then.sql}`;
      values.push(then);
    }
    if (this.#takes("else")) {
      const otherwise = this.#operand();
      if (otherwise === undefined) return undefined;
      sql += ` else ${otherwise.sql}`;
      values.push(otherwise);
    }
    const kind = this.#takes("end") ? commonKind(values) : undefined;
    return kind === undefined ? undefined : { ...kind, sql: `(${sql} end)` };
  }

  #call(name: string): Value | undefined {
    // SQL's own words for btrim(), ltrim() and rtrim().
    if (name === "trim") {
      const side = ["both", "leading", "trailing"].find((word) => this.#takes(word));
      if (side === undefined || !this.#takes("from")) return undefined;
      return this.#trimmed(side, this.#arguments());
    }
    const given = this.#arguments();
    const [first, second] = given ?? [];
    if (given === undefined || first === undefined) return undefined;
    switch (name) {
      case "coalesce": {
        const kind = commonKind(given);
        return kind === undefined ? undefined : { ...kind, sql: `coalesce(${listOf(given)})` };
      }
      case "nullif": {
        const isSame = second !== undefined && isComparable("=", first, second, this.#context.exactTexts);
        return isSame ? { ...withoutConstant(first), sql: `nullif(${listOf(given)})` } : undefined;
      }
      case "abs":
        return first.whole === undefined
          ? undefined
          : { ...withoutConstant(first), sql: `abs(${first.sql})` };
      case "length":
      case "char_length":
      case "character_length":
        return first.kind === "text" ? intValue(`char_length(${first.sql})`) : undefined;
      case "btrim":
      case "ltrim":
      case "rtrim":
        return this.#trimmed({ b: "both", l: "leading", r: "trailing" }[name[0] as "b" | "l" | "r"], given);
      case "mod":
        return second === undefined ? undefined : arithmetic("%", first, second);
      case "num_nulls":
      case "num_nonnulls": {
        const is = name === "num_nulls" ? "is null" : "is not null";
        return intValue(`(${given.map(({ sql }) => `(${sql} ${is})`).join(" + ")})`);
      }
      default:
        return undefined;
    }
  }

  /** Without other characters than spaces to be taken away. */
  #trimmed(side: string, given: readonly Value[] | undefined): Value | undefined {
    const [text] = given ?? [];
    if (given?.length !== 1 || text?.kind !== "text") return undefined;
    return { sql: `trim(${side} ' ' from ${text.sql})`, kind: "text" };
  }

  /** Up to the parenthesis behind them. */
  #arguments(): readonly Value[] | undefined {
    const values: Value[] = [];
    do {
      const value = this.expression();
      if (value === undefined) return undefined;
      values.push(value);
    } while (this.#takes(","));
    return this.#takes(")") ? values : undefined;
  }

  #cast(): string | undefined {
    const token = this.#token();
    if (token?.kind !== "cast") return undefined;
    this.#at++;
    return token.text;
  }

  #token(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #word(): string | undefined {
    const token = this.#token();
    return token?.kind === "name" || token?.kind === "operator" ? token.text : undefined;
  }

  #takes(word: string): boolean {
    return this.#word() === word && this.#skip();
  }

  #skip(): boolean {
    this.#at++;
    return true;
  }
}

function condition(sql: string): Value {
  return { sql: `(${sql})`, kind: "boolean" };
}

function withoutConstant({ constant: _constant, ...rest }: Value): Value {
  return rest;
}

function listOf(values: readonly Value[]): string {
  return values.map(({ sql }) => sql).join(", ");
}

/** What values are of which one is chosen; undefined when they are not alike. */
function commonKind(values: readonly Value[]): Omit<Value, "sql"> | undefined {
  const kind = values[0]?.kind;
  if (kind === undefined || kind === "other" || values.some((value) => value.kind !== kind)) return undefined;
  if (values[0]!.whole === undefined) return { kind };
  return {
    kind,
    whole: Math.max(...values.map(({ whole: digits = 0 }) => digits)),
    scale: Math.max(...values.map(({ scale = 0 }) => scale)),
  };
}
