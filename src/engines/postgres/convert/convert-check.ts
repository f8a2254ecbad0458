import type { Check, Column } from "../../../core/schema.ts";
import { identifier, literal } from "../../shared/identifier.ts";
import { constantOf, unquotedName } from "./convert-literal.ts";

const TOKEN =
  /\s*(`(?:[^`]|``)+`|(?:_\w+\s*)?'(?:[^'\\]|''|\\.)*'|\d+(?:\.\d+)?|[a-z_]\w*|<>|!=|<=|>=|[^\s])/giy;
const COMPARISONS = new Set(["=", "<", ">", "<=", ">=", "<>", "!="]);

/**
 * A check that means the same in PostgreSQL: comparisons of numbers, dates and times without a zone with each other and
 * with constants, sums and products of whole numbers, lengths of texts, and whether a column is NULL. Texts themselves
 * are compared otherwise there. Undefined for any other. `columns` are the target's, by the source's names.
 */
export function convertCheck(check: Check, columns: ReadonlyMap<string, Column>): string | undefined {
  const [, condition] = /^check\s*(\(.*\))$/is.exec(check.native.trim()) ?? [];
  if (condition === undefined) return undefined;
  const tokens = [...condition.matchAll(TOKEN)].map(([, token]) => token!);
  const parser = new Condition(tokens, columns);
  const value = parser.any();
  return value?.kind === "condition" && parser.isAtEnd ? `check ${value.sql}` : undefined;
}

interface Value {
  readonly sql: string;
  /** "whole" numbers can be computed with; "quoted": a constant that is a moment beside one; "other": NULL or not. */
  readonly kind: "condition" | "whole" | "number" | "date" | "timestamp" | "quoted" | "other";
}

/** Reads a condition from its tokens, by the order of precedence of both; each rule gives undefined for what it does not know. */
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

  any(): Value | undefined {
    return this.#joined("or", () => this.#joined("and", () => this.#denied()));
  }

  #joined(word: string, part: () => Value | undefined): Value | undefined {
    let left = part();
    while (left !== undefined && this.#takes(word)) {
      const right = part();
      const areConditions = left.kind === "condition" && right?.kind === "condition";
      left = areConditions ? condition(`${left.sql} ${word} ${right.sql}`) : undefined;
    }
    return left;
  }

  #denied(): Value | undefined {
    if (!this.#takes("not")) return this.#comparison();
    const value = this.#denied();
    return value?.kind === "condition" ? condition(`not ${value.sql}`) : undefined;
  }

  #comparison(): Value | undefined {
    const left = this.#sum();
    if (left === undefined) return undefined;
    const word = this.#word() ?? "";
    if (COMPARISONS.has(word)) {
      this.#at++;
      return compared(left, [this.#sum()], ([right]) => `${word} ${right}`);
    }
    if (this.#takes("is")) {
      const nullness = this.#takes("not") ? "is not null" : "is null";
      const isColumn = left.kind !== "condition" && left.kind !== "quoted";
      return this.#takes("null") && isColumn ? condition(`${left.sql} ${nullness}`) : undefined;
    }
    const no = word === "not" && this.#takes("not") ? "not " : "";
    if (this.#takes("between")) {
      const low = this.#sum();
      if (!this.#takes("and")) return undefined;
      return compared(left, [low, this.#sum()], ([from, to]) => `${no}between ${from} and ${to}`);
    }
    if (this.#takes("in")) return compared(left, this.#list(), (items) => `${no}in (${items.join(", ")})`);
    return no === "" ? left : undefined;
  }

  #list(): readonly (Value | undefined)[] {
    if (!this.#takes("(")) return [undefined];
    const items: (Value | undefined)[] = [];
    do items.push(this.#sum());
    while (this.#takes(","));
    return this.#takes(")") ? items : [undefined];
  }

  #sum(): Value | undefined {
    return this.#computed(["+", "-"], () => this.#computed(["*", "%", "mod"], () => this.#factor()));
  }

  /** As numeric, which no sum or product is too large for. */
  #computed(operators: readonly string[], part: () => Value | undefined): Value | undefined {
    let left = part();
    for (let word = this.#word(); word !== undefined && operators.includes(word); word = this.#word()) {
      this.#at++;
      const right = part();
      if (left?.kind !== "whole" || right?.kind !== "whole") return undefined;
      const isRest = word === "%" || word === "mod";
      // A rest by 0 is NULL on the source.
      if (isRest && !/^[1-9]\d*$/.test(right.sql)) return undefined;
      left = { sql: `(${left.sql}::numeric ${isRest ? "%" : word} ${right.sql})`, kind: "whole" };
    }
    return left;
  }

  #factor(): Value | undefined {
    if (this.#takes("(")) {
      const inner = this.any();
      if (inner === undefined || !this.#takes(")")) return undefined;
      return inner.kind === "condition" ? condition(`(${inner.sql})`) : inner;
    }
    if (this.#takes("-")) return this.#negative();
    const token = this.#tokens[this.#at] ?? "";
    this.#at++;
    if (/^\d/.test(token)) return { sql: token, kind: token.includes(".") ? "number" : "whole" };
    if (token.includes("'")) return quoted(token);
    if (/^char(?:acter)?_length$/i.test(token) && this.#takes("(")) return this.#length();
    const column = this.#columns.get(unquotedName(token));
    return column === undefined ? undefined : { sql: identifier(column.name), kind: kindOf(column) };
  }

  /** A constant; MySQL has it in parentheses. */
  #negative(): Value | undefined {
    const isWrapped = this.#takes("(");
    const token = this.#tokens[this.#at] ?? "";
    this.#at++;
    if (!/^\d/.test(token) || (isWrapped && !this.#takes(")"))) return undefined;
    return { sql: `-${token}`, kind: token.includes(".") ? "number" : "whole" };
  }

  /** Of a column of texts; spaces at the end of those of fixed length count on neither side. */
  #length(): Value | undefined {
    const column = this.#columns.get(unquotedName(this.#tokens[this.#at] ?? ""));
    this.#at++;
    if (column?.type.kind !== "string" || !this.#takes(")")) return undefined;
    return { sql: `char_length(${identifier(column.name)})`, kind: "whole" };
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

function condition(sql: string): Value {
  return { sql, kind: "condition" };
}

function kindOf({ type }: Column): Value["kind"] {
  switch (type.kind) {
    case "int":
      return "whole";
    case "decimal":
      return "number";
    case "date":
      return "date";
    case "timestamp":
      return type.zoned ? "other" : "timestamp";
    default:
      return "other";
  }
}

const DATE = /^(?!0000)\d{4}-\d\d-\d\d$/;
const MOMENT = /^(?!0000)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?$/;

function quoted(token: string): Value | undefined {
  const constant = constantOf(token);
  return constant?.kind === "text" ? { sql: constant.text, kind: "quoted" } : undefined;
}

/** What stands in quotes as a constant of a kind of moments; undefined for another, or a date that no calendar has. */
function momentOf({ sql: text }: Value, kind: Value["kind"]): string | undefined {
  const isMoment =
    kind === "timestamp" ? DATE.test(text) || MOMENT.test(text) : kind === "date" && DATE.test(text);
  if (!isMoment) return undefined;
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const isReal = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10));
  return isReal ? `${literal(text)}::${kind}` : undefined;
}

/** A value beside others that are compared with it, which `write` puts into SQL. */
function compared(
  left: Value,
  others: readonly (Value | undefined)[],
  write: (others: readonly string[]) => string,
): Value | undefined {
  const texts = others.map((other) => {
    if (other === undefined) return undefined;
    if (other.kind === "quoted") return momentOf(other, left.kind);
    return familyOf(other) !== undefined && familyOf(other) === familyOf(left) ? other.sql : undefined;
  });
  if (texts.includes(undefined)) return undefined;
  return condition(`${left.sql} ${write(texts as readonly string[])}`);
}

/** Kinds of one family are compared as what they are. */
function familyOf({ kind }: Value): string | undefined {
  if (kind === "whole" || kind === "number") return "number";
  return kind === "date" || kind === "timestamp" ? kind : undefined;
}

/** MariaDB's way to say that a text is JSON; the target's type says so by itself. */
export function isJsonCheck({ native }: Check): boolean {
  return /^check\s*\(+\s*json_valid\(\s*`(?:[^`]|``)+`\s*\)\s*\)+$/i.test(native.trim());
}
