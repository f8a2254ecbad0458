import { identifier } from "./identifier.ts";

const TOKEN =
  /\s*("(?:[^"]|"")+"|'(?:[^']|'')*'|\d+(?:\.\d+)?|[a-z_][\w$]*|::[a-z_][\w ]*(?:\([\d, ]*\))?(?:\[\])?|<>|!=|<=|>=|\|\||[^\s])/giy;
/** Functions that do the same in both, on the same arguments. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["lower", "lower"],
  ["upper", "upper"],
  ["coalesce", "coalesce"],
  ["nullif", "nullif"],
  ["abs", "abs"],
  ["length", "char_length"],
  ["char_length", "char_length"],
]);
const WORDS = new Set(["and", "or", "not", "is", "null", "true", "false", "between", "in"]);
/** Division of whole numbers gives another result here, and `||` is OR. */
const OPERATORS = new Set(["+", "-", "*", "(", ")", ",", "=", "<>", "!=", "<", ">", "<=", ">="]);
const STRING_CASTS = /^::(?:text|character varying(?:\(\d+\))?|bpchar|varchar)$/i;

/**
 * An expression of PostgreSQL over the table's own columns in MySQL's words, when it means the same here: arithmetic
 * without division, comparisons of numbers, a few functions, and texts put together. Undefined for any other.
 * `columns`: the target's names by the source's.
 */
export function convertExpression(
  expression: string,
  columns: ReadonlyMap<string, string>,
): string | undefined {
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

function convertPart(text: string, columns: ReadonlyMap<string, string>): string | undefined {
  const tokens = [...text.matchAll(TOKEN)].map(([, token]) => token!);
  const words: string[] = [];
  for (const [i, token] of tokens.entries()) {
    const word = convertToken(token, { next: tokens[i + 1], before: tokens[i - 1] }, columns);
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
  readonly before: string | undefined;
  readonly next: string | undefined;
}

function convertToken(
  token: string,
  { before, next }: Neighbours,
  columns: ReadonlyMap<string, string>,
): string | undefined {
  if (/^\d/.test(token) || OPERATORS.has(token)) return token;
  if (token.startsWith("'")) return token.includes("\\") ? undefined : token;
  // A cast of a text to another kind of text changes nothing; others may.
  if (token.startsWith("::")) return STRING_CASTS.test(token) || /^['\d]/.test(before ?? "") ? "" : undefined;
  const name = token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token;
  if (next === "(" && !token.startsWith('"')) return FUNCTIONS.get(token.toLowerCase());
  const column = columns.get(name);
  if (column !== undefined) return identifier(column);
  return WORDS.has(token.toLowerCase()) ? token.toLowerCase() : undefined;
}
