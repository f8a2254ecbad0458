import { Fault } from "./faults.ts";

/**
 * A request type of the AWS SDK after checkRequest(): what is required is there. (The SDK's types
 * allow undefined everywhere.)
 */
export type Checked<T> = {
  readonly [K in keyof T]: undefined extends T[K]
    ? Record<never, never> extends Pick<T, K>
      ? T[K]
      : Exclude<T[K], undefined>
    : T[K];
};

/** Kinds of static schemas (first element) in the SDK's runtime; a number alone is a simple type. */
const LIST = 1;
const STRUCTURE = 3;
/** Simple types, and flags that make a list or a map of one. */
const BLOB = 21;
const BOOLEAN = 2;
const NUMBER = 1;
const TIMESTAMP = 4;
const STRING = 0;
const LIST_OF = 64;

/**
 * Checks a request against the SDK's runtime schema of its operation, as AWS's front door does:
 * wrong JSON types are a SerializationException, missing required members a ValidationException,
 * unknown members are left out. Timestamps come back as Date, blobs as bytes.
 */
export function checkRequest(schema: unknown, body: unknown): unknown {
  const missing: string[] = [];
  const value = read(schema, body, { path: "", missing });
  if (missing.length > 0) {
    const lines = missing.map(
      (path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`,
    );
    throw validation(lines);
  }
  return value;
}

/** A ValidationException in the words of AWS's front door. */
export function validation(lines: readonly string[]): Fault {
  const count = lines.length === 1 ? "1 validation error" : `${lines.length} validation errors`;
  return new Fault("ValidationException", `${count} detected: ${lines.join("; ")}`);
}

/** Refuses a value that is not one of an enum's, as AWS does before the operation sees it. */
export function checkEnum(member: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return;
  throw validation([
    `Value '${value}' at '${lowerFirst(member)}' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(", ")}]`,
  ]);
}

interface Place {
  readonly path: string;
  readonly missing: string[];
}

function read(reference: unknown, value: unknown, place: Place): unknown {
  const schema = resolve(reference);
  if (value === null || value === undefined) return undefined;
  if (typeof schema === "number") return readSimple(schema, value, place);
  if (!Array.isArray(schema)) throw new TypeError("unknown schema of the SDK");
  if (schema[0] === STRUCTURE) return readStructure(schema, value, place);
  if (schema[0] === LIST) return readList(schema[4], value, place);
  return read(schema[4], value, place);
}

/** References are lazy (functions) and may come with traits ([reference, traits]). */
function resolve(reference: unknown): unknown {
  if (typeof reference === "function") return resolve(reference());
  if (Array.isArray(reference) && typeof reference[0] === "function") return resolve(reference[0]);
  if (Array.isArray(reference) && reference.length === 2) return resolve(reference[0]);
  return reference;
}

function readStructure(schema: readonly unknown[], value: unknown, place: Place): Record<string, unknown> {
  if (Array.isArray(value)) throw wrongType("Start of list found where not expected", place);
  if (typeof value !== "object" || value === null) {
    throw wrongType("Expected start of structure or null", place);
  }
  const names = schema[4] as readonly string[];
  const members = schema[5] as readonly unknown[];
  const required = (schema[6] as number | undefined) ?? 0;
  const result: Record<string, unknown> = {};
  names.forEach((name, index) => {
    const path = place.path === "" ? lowerFirst(name) : `${place.path}.${lowerFirst(name)}`;
    const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    const member = read(members[index], given, { path, missing: place.missing });
    if (member !== undefined) result[name] = member;
    else if (index < required) place.missing.push(path);
  });
  return result;
}

function readList(element: unknown, value: unknown, place: Place): unknown[] {
  if (!Array.isArray(value)) throw wrongType("Expected list or null", place);
  return value.map((item, index) => {
    const path = `${place.path}.${index + 1}.member`;
    const read1 = read(element, item, { path, missing: place.missing });
    if (read1 === undefined) place.missing.push(path);
    return read1;
  });
}

function readSimple(schema: number, value: unknown, place: Place): unknown {
  if (schema >= LIST_OF && schema < 2 * LIST_OF) return readList(schema - LIST_OF, value, place);
  if (Array.isArray(value)) throw wrongType("Start of list found where not expected", place);
  if (typeof value === "object") throw wrongType("Start of structure or map found where not expected", place);
  switch (schema) {
    case STRING:
      if (typeof value === "string") return value;
      throw wrongType(`${tokenOf(value)} can not be converted to a String`, place);
    case NUMBER:
      if (typeof value === "number" && Number.isSafeInteger(value)) return value;
      throw wrongType(`${tokenOf(value)} can not be converted to an Integer`, place);
    case BOOLEAN:
      if (typeof value === "boolean") return value;
      throw wrongType(`${tokenOf(value)} can not be converted to a Boolean`, place);
    case TIMESTAMP:
      if (typeof value === "number" && !Number.isNaN(new Date(value * 1000).getTime())) {
        return new Date(value * 1000);
      }
      throw wrongType(`${tokenOf(value)} can not be converted to milliseconds since epoch`, place);
    case BLOB:
      if (typeof value === "string" && /^[A-Za-z0-9+/\s]*={0,2}$/.test(value))
        return Buffer.from(value, "base64");
      throw wrongType(`${tokenOf(value)} can not be converted to a Blob`, place);
    default:
      throw new TypeError(`unknown simple type ${schema} of the SDK`);
  }
}

/** The names that AWS's JSON reader gives its tokens. */
function tokenOf(value: unknown): string {
  if (typeof value === "boolean") return value ? "TRUE_VALUE" : "FALSE_VALUE";
  if (typeof value === "number") return Number.isInteger(value) ? "NUMBER_VALUE" : "DECIMAL_VALUE";
  return "STRING_VALUE";
}

function wrongType(text: string, place: Place): Fault {
  const at = place.path === "" ? "" : ` (at '${place.path}')`;
  return new Fault("SerializationException", `${text}${at}`);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** A response as JSON 1.1 writes it: times as seconds since 1970, bytes as base64, nothing undefined. */
export function toWire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined && member !== null) result[name] = toWire(member);
  }
  return result;
}
