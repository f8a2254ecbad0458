/* Constants as MySQL and MariaDB write them in column definitions. */

export type Constant =
  | { readonly kind: "null" }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly text: string }
  /** Most significant bit first, without leading zeros. */
  | { readonly kind: "bits"; readonly bits: string }
  | { readonly kind: "bytes"; readonly hex: string };

const NUMBER = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i;
const TEXT = /^(?:n|_\w+\s*)?'((?:[^'\\]|''|\\[\s\S])*)'$/i;

/** The constant that a text is; undefined for an expression. */
export function constantOf(native: string): Constant | undefined {
  if (/^null$/i.test(native)) return { kind: "null" };
  if (/^(?:true|false)$/i.test(native)) return { kind: "number", text: /^t/i.test(native) ? "1" : "0" };
  if (NUMBER.test(native)) return { kind: "number", text: native.replace(/^\+/, "") };
  const [, bits = native] = /^b'([01]+)'$/i.exec(native) ?? /^0b([01]+)$/.exec(native) ?? [];
  if (bits !== native) return { kind: "bits", bits: bits.replace(/^0+(?=.)/, "") };
  const [, hex = native] =
    /^(?:_\w+\s*)?x'((?:[\da-f]{2})*)'$/i.exec(native) ?? /^0x([\da-f]+)$/i.exec(native) ?? [];
  if (hex !== native) return { kind: "bytes", hex: (hex.length % 2 === 1 ? `0${hex}` : hex).toLowerCase() };
  const text = TEXT.exec(native);
  return text === null ? undefined : { kind: "text", text: unescaped(text[1]!) };
}

const ESCAPES: Readonly<Record<string, string>> = { 0: "\0", b: "\b", n: "\n", r: "\r", t: "\t", Z: "\x1a" };

/** What stands between the quotes: `''` is one of them, and a backslash begins an escape. */
function unescaped(quoted: string): string {
  return quoted.replace(/''|\\([\s\S])/g, (all, escaped: string | undefined) => {
    if (escaped === undefined) return "'";
    // Before these two it stays: they are for patterns.
    return escaped === "%" || escaped === "_" ? all : (ESCAPES[escaped] ?? escaped);
  });
}

/** A name in backticks, in double quotes or without quotes. */
export function unquotedName(name: string): string {
  const quote = name[0];
  if (quote !== "`" && quote !== '"') return name;
  return name.slice(1, -1).replaceAll(quote + quote, quote);
}
