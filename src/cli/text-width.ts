/** Text on a terminal: how many columns it takes, and what must not reach the terminal as it is. */

let segmenter: Intl.Segmenter | undefined;
const PLAIN = /^[\x20-\x7e]*$/;
/** Controls, line separators, lone surrogates, and what reverses or hides text. */
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e" };

/** Made when the first text needs it: it takes longer than loading this whole command. */
function graphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/** East Asian wide and fullwidth ranges (Unicode TR 11), as pairs of first and last code point. */
const WIDE = [
  0x1100, 0x115f, 0x2e80, 0x303e, 0x3041, 0x33ff, 0x3400, 0x4dbf, 0x4e00, 0x9fff, 0xa000, 0xa4cf, 0xa960,
  0xa97c, 0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe30, 0xfe6f, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x16fe0, 0x18cff,
  0x1aff0, 0x1b2fb, 0x20000, 0x3fffd,
] as const;

/** Names and messages come from databases: nothing in them may move the cursor or hide text. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replaceAll(UNSAFE, (unit) => {
    const code = unit.codePointAt(0) ?? 0;
    return SHORT[unit] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** Columns that printable text takes on a terminal. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(segment: string): number {
  const code = segment.codePointAt(0) ?? 0;
  if (EMOJI.test(segment)) return 2;
  for (let i = 0; i < WIDE.length; i += 2) {
    if (code < WIDE[i]!) break;
    if (code <= WIDE[i + 1]!) return 2;
  }
  return ZERO.test(segment) ? 0 : 1;
}

/** The text in exactly `width` columns: padded, or cut with an ellipsis. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const cut = truncate(text, width);
  const padding = " ".repeat(Math.max(0, width - displayWidth(cut)));
  return align === "left" ? cut + padding : padding + cut;
}

/** The text in at most `width` columns; what is cut off leaves an ellipsis. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return "";
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes(text)) {
    const next = graphemeWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

/** A name in at most `width` columns that keeps both ends, as tables often differ at the end. */
export function truncateMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 5) return truncate(text, width);
  const tailWidth = Math.floor((width - 1) / 2);
  const segments = Array.from(graphemes(text), (part) => part.segment);
  let tail = "";
  let used = 0;
  for (const segment of segments.toReversed()) {
    const next = graphemeWidth(segment);
    if (used + next > tailWidth) break;
    tail = segment + tail;
    used += next;
  }
  return truncate(text, width - used) + tail;
}
