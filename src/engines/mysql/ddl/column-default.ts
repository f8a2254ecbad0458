import { parseTypeText } from "../catalog/type-text.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { type DefaultText, UnreadDefinition } from "./column-text.ts";

/** COLUMN_DEFAULT of a column, and what EXTRA says with it. */
export interface ShownDefault {
  readonly defaultText: string | null;
  readonly extra: string;
}

export interface DefaultParts {
  readonly columnType: string;
  readonly nullable: boolean;
  /** Nothing is said of a default where it is undefined. */
  readonly value: DefaultText | undefined;
  readonly updatesWithPrecision: number | undefined;
  readonly autoIncrement: boolean;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{2}:\d{2}:\d{2}$/;

/** A default as information_schema will show it. Throws UnreadDefinition where that is not certain. */
export function shownDefault(parts: DefaultParts, facts: ServerFacts): ShownDefault {
  const { columnType, nullable, value, updatesWithPrecision, autoIncrement } = parts;
  const isMariadb = facts.flavour === "mariadb";
  const none = isMariadb && nullable && !autoIncrement ? "NULL" : null;
  const extras = autoIncrement ? ["auto_increment"] : [];
  if (updatesWithPrecision !== undefined) extras.push(`on update ${now(updatesWithPrecision, facts)}`);
  // One without either has got the current time from older servers.
  if (/^timestamp/.test(columnType) && value === undefined && !nullable) throw new UnreadDefinition();
  if (value === undefined || value.kind === "null") return { defaultText: none, extra: extras.join(" ") };
  if (value.kind === "now") {
    const marked = !isMariadb && atLeast(facts, 8) ? ["DEFAULT_GENERATED", ...extras] : extras;
    return { defaultText: now(value.precision, facts), extra: marked.join(" ") };
  }
  return { defaultText: constant(value, columnType, isMariadb), extra: extras.join(" ") };
}

function now(precision: number, { flavour }: ServerFacts): string {
  const digits = precision === 0 ? "" : String(precision);
  if (flavour === "mariadb") return `current_timestamp(${digits})`;
  return digits === "" ? "CURRENT_TIMESTAMP" : `CURRENT_TIMESTAMP(${digits})`;
}

/** As the server prints the column's value. */
function constant(
  value: Exclude<DefaultText, { readonly kind: "null" | "now" }>,
  columnType: string,
  isMariadb: boolean,
): string {
  const { name, numbers, labels } = parseTypeText(columnType);
  const quoted = (text: string): string => (isMariadb ? shownLiteral(text) : text);
  const { text } = value;
  switch (name) {
    case "tinyint":
    case "smallint":
    case "mediumint":
    case "int":
    case "bigint":
      return whole(value);
    case "decimal":
      return decimal(value, numbers[1] ?? 0);
    case "bit":
      if (value.kind === "bits") return `b'${text.replace(/^0+(?=.)/, "")}'`;
      return `b'${BigInt(whole(value)).toString(2)}'`;
    case "year":
      if (!/^\d{4}$/.test(text)) throw new UnreadDefinition();
      return text;
    case "varbinary":
      if (value.kind !== "string" || !/^[\x20-\x7e]*$/.test(text)) throw new UnreadDefinition();
      return quoted(text);
    case "float":
    case "double":
      if (value.kind === "bits" || !/^-?\d{1,5}(?:\.\d{0,4}[1-9])?$/.test(text)) throw new UnreadDefinition();
      return text.replace(/^(-?)0+(?=\d)/, "$1");
    case "char":
    case "varchar":
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
      if (value.kind === "bits" || text.includes("\0") || (name === "char" && text.endsWith(" "))) {
        throw new UnreadDefinition();
      }
      return quoted(value.kind === "number" ? number(value) : text);
    case "enum":
      if (value.kind !== "string" || !labels.includes(text)) throw new UnreadDefinition();
      return quoted(text);
    case "set":
      if (value.kind !== "string" || !isSetOf(labels, text)) throw new UnreadDefinition();
      return quoted(text);
    case "date":
      if (value.kind !== "string" || !DATE.test(text)) throw new UnreadDefinition();
      return quoted(text);
    case "datetime":
    case "time":
      return quoted(moment(value, name, numbers[0] ?? 0));
    default:
      throw new UnreadDefinition();
  }
}

/** Whether a text names members of a set as the server shows them: each as it is written in the type, in that order. */
function isSetOf(labels: readonly string[], text: string): boolean {
  const named = new Set(text === "" ? [] : text.split(","));
  return labels.filter((label) => named.has(label)).join(",") === text;
}

const SHOWN: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "''",
  "\0": "\\0",
  "\n": "\\n",
  "\r": "\\r",
  "\u001a": "\\Z",
};

/** A string as MariaDB shows one (append_unescaped). */
function shownLiteral(text: string): string {
  return `'${[...text].map((character) => SHOWN[character] ?? character).join("")}'`;
}

type Constant = Exclude<DefaultText, { readonly kind: "null" | "now" }>;

/** A number as the server writes it that was written so, or in other words: 007. */
function number({ kind, text }: Constant): string {
  if (kind === "bits" || !/^-?\d+(?:\.\d+)?$/.test(text)) throw new UnreadDefinition();
  return text.replace(/^(-?)0+(?=\d)/, "$1");
}

function whole(value: Constant): string {
  const text = number(value);
  if (text.includes(".")) throw new UnreadDefinition();
  return text;
}

function decimal(value: Constant, scale: number): string {
  const [integer, fraction = ""] = number(value).split(".");
  if (fraction.length > scale) throw new UnreadDefinition();
  return scale === 0 ? integer! : `${integer}.${fraction.padEnd(scale, "0")}`;
}

function moment({ kind, text }: Constant, type: "datetime" | "time", precision: number): string {
  const [head, fraction = ""] = text.split(".");
  const [date, time = "00:00:00"] = type === "time" ? ["", head!] : head!.split(" ");
  const isWritten = TIME.test(time) && (type === "time" || DATE.test(date!));
  if (kind !== "string" || !isWritten || fraction.length > precision) throw new UnreadDefinition();
  const whole = type === "time" ? time : `${date} ${time}`;
  return precision === 0 ? whole : `${whole}.${fraction.padEnd(precision, "0")}`;
}
