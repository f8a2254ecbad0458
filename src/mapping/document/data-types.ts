import type { Column, LogicalType } from "../../core/schema.ts";
import type { MemberReader, RuleReader } from "./rule-reader.ts";

/** Characters or bytes; what is longer has no limit on any target. */
const LONGEST = 2_147_483_647;
const MOST_DIGITS = 1000;
const MOST_FRACTION = 6;

interface DataType {
  /** Members of data-type beside `type` that say more of it. */
  readonly members: readonly ("length" | "precision" | "scale")[];
  /** Refuses numbers that the type cannot have. */
  readonly type: (reader: MemberReader) => LogicalType;
}

function only(type: LogicalType): DataType {
  return { members: [], type: () => type };
}

function int(bits: 8 | 16 | 32 | 64, unsigned: boolean): DataType {
  return only({ kind: "int", bits, unsigned });
}

function moment(kind: "time" | "timestamp"): DataType {
  return {
    members: ["precision", "scale"],
    // DMS's manual calls the digits of a second precision, and its tables call them scale.
    type: (reader) => ({ kind, precision: fraction(reader), zoned: false }),
  };
}

const TEXT: DataType = {
  members: ["length"],
  type: (reader) => {
    const maxChars = reader.wholeNumber("length", 1, LONGEST);
    return { kind: "string", fixed: false, ...(maxChars === undefined ? {} : { maxChars }) };
  },
};

const LARGE_TEXT = only({ kind: "string", fixed: false });

/** The types of DMS that a rule may name, and what each is here (section "DMS data types" of its manual). */
const DATA_TYPES: ReadonlyMap<string, DataType> = new Map<string, DataType>([
  ["boolean", only({ kind: "boolean" })],
  [
    "bytes",
    {
      members: ["length"],
      type: (reader) => {
        const maxBytes = reader.wholeNumber("length", 1, LONGEST);
        return { kind: "bytes", fixed: false, ...(maxBytes === undefined ? {} : { maxBytes }) };
      },
    },
  ],
  ["date", only({ kind: "date" })],
  ["time", moment("time")],
  ["datetime", moment("timestamp")],
  ["int1", int(8, false)],
  ["int2", int(16, false)],
  ["int4", int(32, false)],
  ["int8", int(64, false)],
  ["uint1", int(8, true)],
  ["uint2", int(16, true)],
  ["uint4", int(32, true)],
  ["uint8", int(64, true)],
  ["numeric", { members: ["precision", "scale"], type: decimal }],
  ["real4", only({ kind: "float", bits: 32 })],
  ["real8", only({ kind: "float", bits: 64 })],
  ["string", TEXT],
  ["wstring", TEXT],
  ["blob", only({ kind: "bytes", fixed: false })],
  ["clob", LARGE_TEXT],
  ["nclob", LARGE_TEXT],
]);

/** Types of DynamoDB, which no target here has. */
const OTHER_TYPES = ["set", "list", "map", "tuple"];

export const dataTypeNames: readonly string[] = [...DATA_TYPES.keys()];

/** The type that the rule's member data-type names. */
export function readDataType(rule: RuleReader): LogicalType {
  const reader = rule.part("data-type");
  const name = reader.text("type");
  const found = DATA_TYPES.get(name);
  if (OTHER_TYPES.includes(name)) throw reader.unsupported("type", `The data type "${name}" of DynamoDB`);
  if (found === undefined) {
    const names = dataTypeNames.join(", ");
    throw reader.malformed("type", `"${name}" is not a data type.`, `Use one of ${names}.`);
  }
  const type = found.type(reader);
  // The console leaves numbers at types that have no use for them only as null or empty.
  reader.finish();
  return type;
}

/** As a column's locator names the type of a source column. */
export function isDataTypeName(name: string): boolean {
  return DATA_TYPES.has(name);
}

function decimal(reader: MemberReader): LogicalType {
  const precision = reader.wholeNumber("precision", 1, MOST_DIGITS);
  const scale = reader.wholeNumber("scale", 0, precision ?? MOST_DIGITS);
  if (precision === undefined) {
    if (scale === undefined) return { kind: "decimal" };
    throw reader.malformed("precision", "A numeric with a scale needs a precision.");
  }
  return { kind: "decimal", precision, scale: scale ?? 0 };
}

function fraction(reader: MemberReader): number {
  const precision = reader.wholeNumber("precision", 0, 9);
  const scale = reader.wholeNumber("scale", 0, 9);
  const digits = scale ?? precision ?? MOST_FRACTION;
  if (digits <= MOST_FRACTION) return digits;
  throw reader.refused(
    scale === undefined ? "precision" : "scale",
    `Seconds have at most ${MOST_FRACTION} digits behind the point on the targets of this version.`,
    'Use 6, or the data type "string".',
  );
}

/** Kilobytes from which DMS counts a type of texts or bytes as a large object. */
const LONGEST_VARIABLE = 65_535;

/**
 * DMS's name of the type that a source's column has for it (sections "Source data types" of its manual), as far as the
 * logical type tells. What has a length beyond 64 KB, or none, is a large object.
 */
export function dataTypeOf({ type }: Pick<Column, "type">): string {
  switch (type.kind) {
    case "boolean":
    case "date":
    case "time":
      return type.kind;
    case "timestamp":
      return "datetime";
    case "int":
      return `${type.unsigned ? "u" : ""}int${type.bits === 24 ? 4 : type.bits / 8}`;
    case "float":
      return `real${type.bits / 8}`;
    case "decimal":
      return "numeric";
    case "bytes":
      return isLong(type.maxBytes) ? "blob" : "bytes";
    case "string":
      return isLong(type.maxChars) ? "nclob" : "wstring";
    case "json":
    case "array":
      return "nclob";
    case "xml":
      return "clob";
    default:
      return "string";
  }
}

/** Whether DMS counts a column among the large objects. */
export function isLargeObject(column: Pick<Column, "type">): boolean {
  return /lob$/.test(dataTypeOf(column));
}

function isLong(length: number | undefined): boolean {
  return length === undefined || length > LONGEST_VARIABLE;
}
