import type { LogicalType } from "../../../core/schema.ts";
import type { ColumnShape } from "../../../core/table-shape.ts";
import type { FoundColumn } from "./catalog-columns.ts";

type Fill = Pick<ColumnShape, "fill" | "varies">;

/** Only the rows tell: what was computed for each or at the time of the statement. */
const VARIES: Fill = { fill: null, varies: true };
const FRACTION = /(\.\d*?)0+$/;

/**
 * What rows show in a column that was added to them: its default, or else what the server takes for NOT NULL, in the
 * canonical text of the column's type (decision 021).
 */
export function fillOf({ column, default: value, row }: FoundColumn): Fill {
  if (column.generated !== undefined) return VARIES;
  if (column.identity !== undefined || value.kind === "expression") return VARIES;
  if (value.kind === "none") return column.nullable ? { fill: null } : implicit(column.type);
  const { type } = column;
  switch (type.kind) {
    case "int":
    case "decimal":
    case "float":
    case "string":
    case "enum":
    case "set":
      return { fill: value.text };
    case "boolean":
      return { fill: Number(value.text) === 0 ? "f" : "t" };
    case "bit":
      return { fill: value.text.padStart(type.length, "0") };
    case "date":
    case "time":
    case "interval":
      return isZeroDate(value.text) ? VARIES : { fill: shortened(value.text) };
    case "timestamp":
      // A default of TIMESTAMP is a time of the zone of whoever made it.
      return type.zoned || isZeroDate(value.text) ? VARIES : { fill: shortened(value.text) };
    case "bytes":
      return bytesFill(value.text, type, row.columnType);
    default:
      return VARIES;
  }
}

/** The server has shown the bytes as characters; of others than ASCII it has made something else. */
function bytesFill(text: string, type: LogicalType & { readonly kind: "bytes" }, columnType: string): Fill {
  if (/[^\x20-\x7e]/.test(text) || !/^(?:var)?binary/.test(columnType)) return VARIES;
  const bytes = Buffer.alloc(type.fixed ? (type.maxBytes ?? 0) : text.length);
  bytes.write(text, "latin1");
  return { fill: `\\x${bytes.toString("hex")}` };
}

function implicit(type: LogicalType): Fill {
  switch (type.kind) {
    case "int":
    case "decimal":
    case "float":
      return { fill: "0" };
    case "boolean":
      return { fill: "f" };
    case "string":
    case "set":
      return { fill: "" };
    case "enum":
      return { fill: type.values[0] ?? "" };
    case "bit":
      return { fill: "0".repeat(type.length) };
    case "bytes":
      return type.fixed ? { fill: `\\x${"00".repeat(type.maxBytes ?? 0)}` } : { fill: "\\x" };
    case "time":
    case "interval":
      return { fill: "00:00:00" };
    default:
      return VARIES;
  }
}

function shortened(text: string): string {
  return text.replace(FRACTION, (_, kept: string) => (kept === "." ? "" : kept));
}

/** What the endpoint's setting ZeroDates makes of it is not known here. */
function isZeroDate(text: string): boolean {
  return /^\d{4}-00|^\d{4}-\d{2}-00|^0000/.test(text);
}
