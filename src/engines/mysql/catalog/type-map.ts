import type { EndpointConfig } from "../../../core/engine.ts";
import type { LogicalType, ShapeKind } from "../../../core/schema.ts";
import type { TypeText } from "./type-text.ts";

/** Endpoint settings that decide what a type stands for. */
export interface TypeChoices {
  /** TreatTinyInt1AsBoolean: tinyint(1) is a boolean and not a number of one byte. */
  readonly booleans: boolean;
  /** MapTimeAsTime: time is a time of day; without it an interval, as it holds -838:59:59 to 838:59:59. */
  readonly timesOfDay: boolean;
}

export function typeChoices({ settings }: Pick<EndpointConfig, "settings">): TypeChoices {
  return {
    booleans: settings["TreatTinyInt1AsBoolean"] === true,
    timesOfDay: settings["MapTimeAsTime"] === true,
  };
}

const intBits = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, integer: 32, bigint: 64 } as const;
const blobBytes = { tinyblob: 255, blob: 65_535, mediumblob: 16_777_215 } as const;

/** Of the text that the server sends, as the canonical one is: "255.255.255.255". */
const INET4_CHARS = 15;
const INET6_CHARS = 39;
const DEFAULT_PRECISION = 10;

/** Values of these are kept as a number of a spatial reference system and WKB. */
const SHAPES: ReadonlyMap<string, ShapeKind> = new Map([
  ...(
    ["geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"] as const
  ).map((name) => [name, name] as const),
  ["geometrycollection", "geometrycollection"],
  ["geomcollection", "geometrycollection"],
]);

/** What a column of a type holds, whatever engine looks at it; "opaque" for a type that is not known. */
export function logicalType(type: TypeText, choices: TypeChoices): LogicalType {
  const { name, numbers, unsigned } = type;
  if (isIntName(name)) {
    if (choices.booleans && name === "tinyint" && numbers[0] === 1 && !unsigned) return { kind: "boolean" };
    return { kind: "int", bits: intBits[name], unsigned };
  }
  return numberType(type) ?? textType(type) ?? temporalType(type, choices) ?? otherType(type);
}

function isIntName(name: string): name is keyof typeof intBits {
  return Object.hasOwn(intBits, name);
}

function numberType({ name, numbers }: TypeText): LogicalType | undefined {
  switch (name) {
    case "float":
      return { kind: "float", bits: 32 };
    case "double":
    case "double precision":
    case "real":
      return { kind: "float", bits: 64 };
    case "decimal":
    case "numeric":
      return { kind: "decimal", precision: numbers[0] ?? DEFAULT_PRECISION, scale: numbers[1] ?? 0 };
    case "bit":
      return { kind: "bit", length: numbers[0] ?? 1 };
    case "year":
      return { kind: "int", bits: 16, unsigned: false };
    default:
      return undefined;
  }
}

function textType({ name, numbers, labels }: TypeText): LogicalType | undefined {
  switch (name) {
    case "char":
      return { kind: "string", maxChars: numbers[0] ?? 1, fixed: true };
    case "varchar":
      return { kind: "string", ...(numbers[0] === undefined ? {} : { maxChars: numbers[0] }), fixed: false };
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
      return { kind: "string", fixed: false };
    case "binary":
      return { kind: "bytes", maxBytes: numbers[0] ?? 1, fixed: true };
    case "varbinary":
      return { kind: "bytes", ...(numbers[0] === undefined ? {} : { maxBytes: numbers[0] }), fixed: false };
    case "tinyblob":
    case "blob":
    case "mediumblob":
      return { kind: "bytes", maxBytes: blobBytes[name], fixed: false };
    case "longblob":
    case "vector":
      return { kind: "bytes", fixed: false };
    case "enum":
    case "set":
      return { kind: name, values: labels };
    default:
      return undefined;
  }
}

function temporalType({ name, numbers }: TypeText, { timesOfDay }: TypeChoices): LogicalType | undefined {
  const precision = numbers[0] ?? 0;
  switch (name) {
    case "date":
      return { kind: "date" };
    case "time":
      return timesOfDay ? { kind: "time", precision, zoned: false } : { kind: "interval" };
    case "datetime":
      return { kind: "timestamp", precision, zoned: false };
    case "timestamp":
      return { kind: "timestamp", precision, zoned: true };
    default:
      return undefined;
  }
}

function otherType({ name, reference }: TypeText): LogicalType {
  switch (name) {
    case "json":
    case "uuid":
      return { kind: name };
    case "inet4":
      return { kind: "string", maxChars: INET4_CHARS, fixed: false };
    case "inet6":
      return { kind: "string", maxChars: INET6_CHARS, fixed: false };
    default: {
      const of = SHAPES.get(name);
      if (of === undefined) return { kind: "opaque" };
      return { kind: "bytes", fixed: false, shape: reference === undefined ? { of } : { of, reference } };
    }
  }
}
