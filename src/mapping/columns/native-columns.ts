/**
 * Words that PostgreSQL writes without quotes in places where no column is meant, and which a column may be called all
 * the same: of casts, operator classes and constraints. Where a column of such a name gets another one, a text that
 * holds the word cannot be told apart.
 */
const AMBIGUOUS = new Set(
  (
    "varying zone without first last nulls include btree hash gin gist brin spgist no inherit with at escape unknown " +
    "normalized document deferred immediate simple partial match enforced valid stored year month day hour minute " +
    "second to matched ignore absent json keys value scalar content preserve strip whitespace period overlaps"
  ).split(" "),
);

type TokenKind = "string" | "name" | "quoted" | "other";

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly at: number;
}

/** Strings and quoted names of standard SQL: a quote in them is doubled, and a backslash means itself but in E''. */
const STANDARD =
  /(?<string>[eE]'(?:[^'\\]|''|\\.)*'|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")+")|(?<name>[\p{L}_][\p{L}\p{N}_$]*)|(?<other>[^\s])/gsu;
/** Those of MySQL, where a backslash escapes in any string, and backticks are around names. */
const BACKTICKS =
  /(?<string>'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*")|(?<quoted>`(?:[^`]|``)+`)|(?<name>[\p{L}_$][\p{L}\p{N}_$]*)|(?<other>[^\s])/gsu;

/** How a column goes on: its name on the target; undefined for one that cannot be spoken of there. */
export type ColumnNames = ReadonlyMap<string, string | undefined>;

/**
 * Native texts of a table with its columns' names: expressions, conditions, lists of keys. The server that wrote them
 * has quoted names where it must.
 */
export class NativeColumns {
  readonly #backticks: boolean;

  /** `backticks`: see Catalog.quotesWithBackticks. */
  constructor(backticks: boolean) {
    this.#backticks = backticks;
  }

  /**
   * The text with the columns' new names; undefined where it speaks of a column that has none, or may do so in a way
   * that cannot be told. `columns` needs all columns of the table.
   */
  rewrite(text: string, columns: ColumnNames): string | undefined {
    let rewritten = "";
    let from = 0;
    for (const { token, name } of this.#named(text)) {
      const renamed = columns.get(name);
      if (!columns.has(name) || renamed === name) continue;
      if (renamed === undefined || (token.kind === "name" && AMBIGUOUS.has(name))) return undefined;
      rewritten += text.slice(from, token.at) + this.quote(renamed);
      from = token.at + token.text.length;
    }
    return rewritten + text.slice(from);
  }

  /** As `rewrite`, of a column's default: by standard SQL none speaks of columns. */
  rewriteDefault(text: string, columns: ColumnNames): string | undefined {
    return this.#backticks ? this.rewrite(text, columns) : text;
  }

  /** Whether a text, which may be a whole statement, has one of some names in it. */
  speaksOf(text: string, names: ReadonlySet<string>): boolean {
    return this.#tokens(text).some(({ kind, text: token }) => {
      return names.has(kind === "quoted" ? unquote(token) : token) && kind !== "string";
    });
  }

  quote(name: string): string {
    return this.#backticks ? `\`${name.replaceAll("`", "``")}\`` : `"${name.replaceAll('"', '""')}"`;
  }

  #tokens(text: string): readonly Token[] {
    return [...text.matchAll(this.#backticks ? BACKTICKS : STANDARD)].map(tokenOf);
  }

  /** What stands in a text where a column's name may. */
  #named(text: string): readonly { readonly token: Token; readonly name: string }[] {
    const tokens = this.#tokens(text);
    return tokens.flatMap((token, i) => {
      if (this.#backticks) {
        // All names are in backticks, and what stands behind a column may be the length of an index.
        const isColumn = token.kind === "quoted" && !isQualified(tokens, i);
        return isColumn ? { token, name: unquote(token.text) } : [];
      }
      if (token.kind !== "quoted" && token.kind !== "name") return [];
      if (!isColumnPlace(tokens, i)) return [];
      return { token, name: token.kind === "quoted" ? unquote(token.text) : token.text };
    });
  }
}

function tokenOf(match: RegExpMatchArray): Token {
  const groups = match.groups!;
  const kinds = ["string", "quoted", "name", "other"] as const;
  const kind = kinds.find((candidate) => groups[candidate] !== undefined)!;
  return { kind, text: match[0], at: match.index! };
}

function unquote(name: string): string {
  const quote = name[0]!;
  return name.slice(1, -1).replaceAll(quote + quote, quote);
}

/** Part of another name, as a schema's or a field's is. */
function isQualified(tokens: readonly Token[], i: number): boolean {
  return tokens[i - 1]?.text === "." || tokens[i + 1]?.text === "." || isCast(tokens, i);
}

function isCast(tokens: readonly Token[], i: number): boolean {
  return tokens[i - 1]?.text === ":" && tokens[i - 2]?.text === ":";
}

/** No function, type, collation or field of a time. */
function isColumnPlace(tokens: readonly Token[], i: number): boolean {
  if (isQualified(tokens, i) || tokens[i + 1]?.text === "(") return false;
  const before = tokens[i - 1]?.text.toLowerCase();
  if (before === "collate") return false;
  return !(before === "(" && tokens[i - 2]?.text.toLowerCase() === "extract");
}
