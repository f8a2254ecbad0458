/** One token of an expression as PostgreSQL's catalog shows it (pg_get_expr). */
export interface Token {
  readonly kind: "string" | "number" | "name" | "quoted" | "cast" | "operator";
  /** Of a string and a quoted name what they say; of a name and an operator in lower case; of a cast its type. */
  readonly text: string;
}

const NAME = String.raw`(?:"(?:[^"]|"")+"|[a-z_][\w$]*)`;
const PATTERNS: readonly (readonly [Token["kind"], RegExp])[] = [
  ["string", /'((?:[^']|'')*)'/y],
  ["quoted", /"((?:[^"]|"")+)"/y],
  ["number", /(\d+(?:\.\d+)?)(?![\w.])/y],
  [
    "cast",
    new RegExp(
      `::(${NAME}(?:\\.${NAME})?(?: varying| precision)?(?:\\([\\d, ]+\\))?(?: with(?:out)? time zone)?(?:\\[\\])*)`,
      "iy",
    ),
  ],
  ["name", /([a-z_][\w$]*)/iy],
  ["operator", /(<>|<=|>=|\|\||!~~|~~|[-+*/%=<>(),[\]])/y],
];

/** The tokens of an expression; undefined when there is something in it that is none of them. */
export function tokensOf(expression: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = spaceEnd(expression, 0); at < expression.length; at = spaceEnd(expression, at)) {
    const token = tokenAt(expression, at);
    if (token === undefined) return undefined;
    tokens.push(token.token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(text: string, at: number): { readonly token: Token; readonly end: number } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) return { token: { kind, text: meaning(kind, found[1]!) }, end: pattern.lastIndex };
  }
  return undefined;
}

function meaning(kind: Token["kind"], text: string): string {
  if (kind === "string") return text.replaceAll("''", "'");
  if (kind === "quoted") return text.replaceAll('""', '"');
  return kind === "cast" ? text : text.toLowerCase();
}

function spaceEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}
