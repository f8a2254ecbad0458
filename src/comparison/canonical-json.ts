/** A number of JSON in the one way in which numbers of its value are written. */
class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const WHOLE = /^-?\d+$/;
/** Digits that a double holds whatever they are. */
const EXACT_DIGITS = 15;
const LEAST = -(2n ** 63n);
const MOST = 2n ** 64n - 1n;

/**
 * JSON as PostgreSQL shows a jsonb and MySQL its JSON: the members of objects in the order of the lengths of their names, then
 * of their bytes, of those of one name the last, and a blank after commas and colons. Numbers are written by value: whole
 * ones of 64 bits exactly, others as doubles, which is what MySQL makes of them. Undefined for what is no JSON.
 */
export function jsonText(cell: Buffer): Buffer | undefined {
  try {
    return Buffer.from(written(JSON.parse(cell.toString("utf8"), keepNumber)));
  } catch {
    return undefined;
  }
}

function keepNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" ? new NumberText(numberText(context?.source ?? String(value))) : value;
}

function numberText(source: string): string {
  if (!WHOLE.test(source)) return doubleText(source);
  if (source.length > EXACT_DIGITS) {
    const exact = BigInt(source);
    if (exact >= LEAST && exact <= MOST) return String(exact);
  }
  return doubleText(source);
}

/** What no double holds is as it is written. */
function doubleText(source: string): string {
  const number = Number(source) + 0;
  return Number.isFinite(number) ? String(number) : source.toLowerCase();
}

function written(value: unknown): string {
  if (value instanceof NumberText) return value.text;
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => ({ name: Buffer.from(name), member }));
  members.sort((a, b) => a.name.length - b.name.length || Buffer.compare(a.name, b.name));
  const texts = members.map(({ name, member }) => `${JSON.stringify(name.toString())}: ${written(member)}`);
  return `{${texts.join(", ")}}`;
}
