import { identifier } from "../catalog/identifier.ts";

const TOKEN =
  /\s*("(?:[^"]|"")+"|'(?:[^']|'')*'|\d+(?:\.\d+)?|[a-z_][\w$]*|::[a-z_][\w ]*(?:\([\d, ]*\))?(?:\[\])?|<>|!=|<=|>=|\|\||[^\s])/giy;
/** Functions that do the same in both, on the same arguments; which letters are small ones differs. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["coalesce", "coalesce"],
  ["nullif", "nullif"],
  ["abs", "abs"],
  ["length", "char_length"],
  ["char_length", "char_length"],
]);
const WORDS = new Set(["and", "or", "not", "is", "null", "true", "false", "between", "in"]);
/** Division of whole numbers gives another result here, and `||` is OR. */
const OPERATORS = new Set(["+", "-", "*", "(", ")", ",", "=", "<>", "!=", "<", ">", "<=", ">="]);
/** Texts come in another order here. */
const ORDERS = new Set(["<", ">", "<=", ">=", "between"]);
const NUMBER_CASTS = /^::(?:smallint|integer|bigint|numeric)$/i;
const STRING_CASTS = /^::(?:text|character varying(?:\(\d+\))?|bpchar|varchar)$/i;

export interface ExpressionColumn {
  /** Its name on the target. */
  readonly name: string;
  readonly isText: boolean;
}

/** By the name on the source. */
export type ExpressionColumns = ReadonlyMap<string, ExpressionColumn>;

/**
 * An expression of PostgreSQL over the table's own columns in MySQL's words, when it means the same here: arithmetic
 * without division, comparisons of numbers, a few functions, and texts put together. Undefined for any other.
 */
export function convertExpression(expression: string, columns: ExpressionColumns): string | undefined {
  const parts = splitConcat(expression);
  const converted = parts.map((part) => convertPart(part, columns));
  if (converted.some((part) => part === undefined)) return undefined;
  return converted.length === 1 ? converted[0]! : `concat(${converted.join(", ")})`;
}

/** Texts between `||` when nothing but that stands at the top. */
function splitConcat(expression: string): readonly string[] {
  const text = withoutParentheses(expression.trim());
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  let inQuotes = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "'") inQuotes = !inQuotes;
    if (inQuotes) continue;
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (depth === 0 && text.startsWith("||", at)) {
      parts.push(text.slice(start, at));
      start = at + 2;
    }
  }
  if (parts.length === 0) return [text];
  return [...parts, text.slice(start)].flatMap(splitConcat);
}

function withoutParentheses(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")" && --depth === 0 && at < text.length - 1) return text;
  }
  return withoutParentheses(text.slice(1, -1).trim());
}

function convertPart(text: string, columns: ExpressionColumns): string | undefined {
  const tokens = [...text.matchAll(TOKEN)].map(([, token]) => token!);
  const isOrdering = tokens.some((token) => ORDERS.has(token.toLowerCase()));
  if (isOrdering && tokens.some((token) => isText(token, columns))) return undefined;
  const words: string[] = [];
  for (const [i, token] of tokens.entries()) {
    const word = convertToken(token, { next: tokens[i + 1], operand: operandBefore(tokens, i) }, columns);
    if (word === undefined) return undefined;
    if (word !== "") words.push(word);
  }
  return words.length === 0
    ? undefined
    : words
        .join(" ")
        .replace(/ \(|\( /g, "(")
        .replace(/ \)/g, ")");
}

interface Neighbours {
  /** What a cast is of, when that is one name or constant. */
  readonly operand: string | undefined;
  readonly next: string | undefined;
}

function convertToken(
  token: string,
  { operand, next }: Neighbours,
  columns: ExpressionColumns,
): string | undefined {
  if (/^\d/.test(token) || OPERATORS.has(token)) return token;
  if (token.startsWith("'")) return token.includes("\\") ? undefined : token;
  // A cast of a text to another kind of text changes nothing, nor does one of a number to a number; others may.
  if (token.startsWith("::")) {
    const isNoChange =
      operand !== undefined &&
      (STRING_CASTS.test(token) ? isText(operand, columns) : NUMBER_CASTS.test(token) && /^\d/.test(operand));
    return isNoChange ? "" : undefined;
  }
  if (next === "(" && !token.startsWith('"')) return FUNCTIONS.get(token.toLowerCase());
  const column = columns.get(bareName(token));
  if (column !== undefined) return identifier(column.name);
  return WORDS.has(token.toLowerCase()) ? token.toLowerCase() : undefined;
}

function operandBefore(tokens: readonly string[], at: number): string | undefined {
  if (tokens[at - 1] !== ")") return tokens[at - 1];
  // Not the argument of a function.
  const isBare = tokens[at - 3] === "(" && !/^[a-z_]/i.test(tokens[at - 4] ?? "");
  return isBare ? tokens[at - 2] : undefined;
}

function isText(token: string, columns: ExpressionColumns): boolean {
  return token.startsWith("'") || columns.get(bareName(token))?.isText === true;
}

function bareName(token: string): string {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token;
}
