import { type DigestForm, MISFIT } from "../core/row-digest.ts";
import type { Column, LogicalType } from "../core/schema.ts";
import { decimalText, intText } from "./canonical-decimal.ts";
import { floatText } from "./canonical-float.ts";
import { jsonText } from "./canonical-json.ts";
import { dateText, timestampText, timeText } from "./canonical-moment.ts";
import { md5 } from "./md5.ts";

/** Makes a value in a form of a cell in the text form that all engines share; undefined for what is none of that form. */
type Writer = (cell: Buffer) => Buffer | undefined;

const SPACE = 0x20;
const ZERO = 0x30;
const LETTER_T = 0x74;
/** `\x` stands before the digits of bytes. */
const HEX_MARK = 2;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const FALSE = Buffer.from("0");
const TRUE = Buffer.from("1");
const NO = Buffer.from("false");
const YES = Buffer.from("true");
const TRUTHS: ReadonlyMap<string, Buffer> = new Map([
  ...["t", "true", "y", "yes", "on", "1"].map((word) => [word, TRUE] as const),
  ...["f", "false", "n", "no", "off", "0"].map((word) => [word, FALSE] as const),
]);

const same: Writer = (cell) => cell;

/**
 * Makes values as they are compared (core/row-digest.ts) of a column's cells in the text form that all engines share
 * (docs/decisions/021): all of a value, before what is long is told by its MD5. What the rows of two databases are compared
 * by in the end.
 */
export function canonicalWriter({ type }: Pick<Column, "type">, form: DigestForm): (cell: Buffer) => Buffer {
  const write = writerOf(type, form);
  return (cell) => write(cell) ?? misfit(cell);
}

function misfit(cell: Buffer): Buffer {
  return Buffer.from(MISFIT + md5(cell), "latin1");
}

function writerOf(type: LogicalType, form: DigestForm): Writer {
  switch (form.kind) {
    case "text":
      if (type.kind === "boolean") return (cell) => (cell[0] === LETTER_T ? YES : NO);
      return form.trims === true ? withoutBlanks : same;
    case "bytes":
      // PostGIS shows shapes as digits alone.
      return type.kind === "bytes" ? (cell) => cell.subarray(HEX_MARK) : lowered;
    case "boolean":
      if (type.kind === "string") return (cell) => TRUTHS.get(cell.toString("latin1").trim().toLowerCase());
      return type.kind === "boolean" ? (cell) => (cell[0] === LETTER_T ? TRUE : FALSE) : same;
    case "int":
      return type.kind === "int" ? same : intText;
    case "decimal":
      return (cell) => decimalText(cell, form.scale);
    case "float":
      return (cell) => floatText(cell, form.bits);
    case "date":
      return type.kind === "date" ? same : dateText;
    case "timestamp":
      return (cell) => timestampText(cell, form);
    case "time":
      return (cell) => timeText(cell, form.digits);
    case "uuid":
      return type.kind === "uuid" ? same : uuidText;
    case "bits":
      return form.trims === true ? withoutZeros : same;
    case "json": {
      const exactness = { hasDoubles: form.hasDoubles === true, keepsRepeated: form.asSent === true };
      return (cell) => jsonText(cell, exactness);
    }
    case "own":
      return same;
  }
}

function lowered(cell: Buffer): Buffer {
  return Buffer.from(cell.toString("latin1").toLowerCase(), "latin1");
}

function withoutBlanks(cell: Buffer): Buffer {
  let end = cell.length;
  while (end > 0 && cell[end - 1] === SPACE) end--;
  return cell.subarray(0, end);
}

function withoutZeros(cell: Buffer): Buffer {
  let start = 0;
  while (start < cell.length - 1 && cell[start] === ZERO) start++;
  return cell.subarray(start);
}

/** Of a text, which may be filled up with blanks. */
function uuidText(cell: Buffer): Buffer {
  const bytes = withoutBlanks(cell);
  return UUID.test(bytes.toString("latin1")) ? lowered(bytes) : misfit(bytes);
}
