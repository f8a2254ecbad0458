/** A token of a statement. A name in quotes is not a word, so that "table" is not taken for TABLE. */
export interface SqlWord {
  /** In lower case where it is a word; of a name in quotes what stands within. */
  readonly text: string;
  readonly kind: "word" | "name" | "string" | "sign";
}

const PATTERN = new RegExp(
  [
    /(?<space>\s+|--[^\n\r]*)/,
    /(?<comment>\/\*)/,
    /(?<escaped>[eE]'(?:[^'\\]|''|\\[\s\S])*'?)/,
    /(?<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'?)/,
    /(?<coded>[uU]&"(?:[^"]|"")*"?)/,
    /"(?<name>(?:[^"]|"")*)"?/,
    /(?<dollars>\$(?:[a-zA-Z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/,
    /(?<word>[a-zA-Z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
    /(?<sign>[\s\S])/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "y",
);

/** The tokens of a text of statements, without comments. A text that was cut off ends with what there is of its last token. */
export function* sqlWords(sql: string): Generator<SqlWord> {
  for (let at = 0; at < sql.length; ) {
    PATTERN.lastIndex = at;
    const match = PATTERN.exec(sql)!;
    const { comment, escaped, string, coded, name, dollars, word, sign } = match.groups!;
    at = PATTERN.lastIndex;
    if (comment !== undefined) at = behindComment(sql, at);
    else if (dollars !== undefined) {
      const end = sql.indexOf(dollars, at);
      at = end < 0 ? sql.length : end + dollars.length;
      yield { text: "", kind: "string" };
    } else if (escaped !== undefined || string !== undefined) yield { text: "", kind: "string" };
    // What its escapes mean is not looked at: it is no table's name.
    else if (coded !== undefined) yield { text: "", kind: "string" };
    else if (name !== undefined) yield { text: name.replaceAll('""', '"'), kind: "name" };
    else if (word !== undefined) yield { text: folded(word), kind: "word" };
    else if (sign !== undefined) yield { text: sign, kind: "sign" };
  }
}

/** The server folds letters of ASCII for certain, and others as its encoding says: these stay as they are. */
function folded(word: string): string {
  return word.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Comments may stand within comments. */
function behindComment(sql: string, from: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  let depth = 1;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}
