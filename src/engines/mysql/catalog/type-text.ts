/** COLUMN_TYPE of information_schema taken apart: `enum('a','b')`, `decimal(10,2) unsigned zerofill`. */
export interface TypeText {
  /** In lower case: "int", "varchar", "double". */
  readonly name: string;
  /** What stands in the brackets when these are numbers: [10, 2]. */
  readonly numbers: readonly number[];
  /** Members of an enum or a set. */
  readonly labels: readonly string[];
  readonly unsigned: boolean;
  /** The reference system that a column of shapes is bound to: `point srid 4326`. */
  readonly reference?: number;
}

const HEAD = /^[a-z0-9_]+(?: precision| varying)?/i;
const COMMENT = /\s*\/\*(.*?)\*\//g;

export function parseTypeText(columnType: string): TypeText {
  const name = (HEAD.exec(columnType)?.[0] ?? columnType).toLowerCase();
  const isListed = name === "enum" || name === "set";
  const rest = columnType.slice(name.length);
  const reference = isListed ? undefined : /\bsrid (\d+)\b/i.exec(rest)?.[1];
  const brackets = isListed ? null : /^\s*\(([\d\s,]*)\)/.exec(rest);
  return {
    name,
    numbers: brackets === null ? [] : brackets[1]!.split(",").map(Number),
    labels: isListed ? parseLabels(rest) : [],
    unsigned: !isListed && /\bunsigned\b/i.test(rest),
    ...(reference === undefined ? {} : { reference: Number(reference) }),
  };
}

/** The type as DDL writes it: without the server's remarks about how it keeps the column. */
export function withoutRemarks(columnType: string): string {
  return /^(?:enum|set)\s*\(/i.test(columnType) ? columnType : columnType.replace(COMMENT, "").trim();
}

const escaped: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r", t: "\t", Z: "\u001a" };

/** A list of literals as the server writes them: quotes doubled, backslashes before what is special. */
function parseLabels(list: string): readonly string[] {
  const labels: string[] = [];
  for (let at = list.indexOf("'"); at >= 0; at = list.indexOf("'", at)) {
    let label = "";
    for (at++; at < list.length; at++) {
      const character = list[at]!;
      if (character === "\\") {
        const next = list[++at] ?? "";
        label += escaped[next] ?? next;
      } else if (character !== "'") label += character;
      else if (list[at + 1] === "'") {
        label += "'";
        at++;
      } else break;
    }
    labels.push(label);
    at++;
  }
  return labels;
}
