import { malformed } from "./binlog-bytes.ts";
import { inlinedIn, isContainer, isWide, JsonType, jsonLength } from "./binlog-json.ts";

/*
 * A document in MySQL's binary form of JSON as something that can be changed and written again. What is not changed stays
 * the bytes that it was: all that a container holds is counted from its own begin, so it can be moved as it is.
 */

/** A value as it lies in some document. */
export interface JsonBytes {
  readonly kind: "bytes";
  readonly type: number;
  readonly bytes: Buffer;
}

export interface JsonObject {
  readonly kind: "object";
  /** Shorter names first, those of one length by their bytes, as the server has them. */
  readonly members: { readonly name: Buffer; value: JsonNode }[];
}

export interface JsonArray {
  readonly kind: "array";
  readonly items: JsonNode[];
}

export type JsonNode = JsonBytes | JsonObject | JsonArray;

const NULL: JsonBytes = { kind: "bytes", type: JsonType.literal, bytes: Buffer.from([0]) };

/** A document; one without any bytes is null, as the server reads it. */
export function jsonOf(document: Buffer): JsonNode {
  return document.length === 0 ? NULL : valueAt(document, document[0]!, 1);
}

/** What a container holds can be reached once it is opened; other values stay as they are. */
export function opened(node: JsonNode): JsonNode {
  if (node.kind !== "bytes" || !isContainer(node.type)) return node;
  const { type, bytes } = node;
  const width = isWide(type) ? 4 : 2;
  const isObject = type === JsonType.smallObject || type === JsonType.largeObject;
  const count = offsetAt(bytes, 0, width);
  const names = 2 * width;
  const values = names + (isObject ? count * (width + 2) : 0);
  needed(bytes, values + count * (1 + width));
  const items = Array.from({ length: count }, (_, i) => {
    const entry = values + i * (1 + width);
    const kind = bytes[entry]!;
    return valueAt(bytes, kind, inlinedIn(kind, width) ? entry + 1 : offsetAt(bytes, entry + 1, width));
  });
  if (!isObject) return { kind: "array", items };
  const members = items.map((value, i) => {
    const entry = names + i * (width + 2);
    const from = offsetAt(bytes, entry, width);
    const end = from + bytes.readUInt16LE(entry + width);
    needed(bytes, end);
    return { name: bytes.subarray(from, end), value };
  });
  return { kind: "object", members };
}

export function documentOf(node: JsonNode): Buffer {
  const { type, bytes } = written(node);
  return Buffer.concat([Buffer.from([type]), bytes]);
}

/** The place of a member among others, or where it would come. */
export function placeOf(members: JsonObject["members"], name: Buffer): { at: number; isThere: boolean } {
  const at = members.findIndex((member) => orderOf(member.name, name) >= 0);
  if (at < 0) return { at: members.length, isThere: false };
  return { at, isThere: members[at]!.name.equals(name) };
}

function orderOf(a: Buffer, b: Buffer): number {
  return a.length === b.length ? a.compare(b) : a.length - b.length;
}

function valueAt(bytes: Buffer, type: number, at: number): JsonBytes {
  needed(bytes, at + 1);
  const end = at + sizeAt(bytes, type, at);
  needed(bytes, end);
  return { kind: "bytes", type, bytes: bytes.subarray(at, end) };
}

function sizeAt(bytes: Buffer, type: number, at: number): number {
  switch (type) {
    case JsonType.smallObject:
    case JsonType.smallArray:
      return offsetAt(bytes, at + 2, 2);
    case JsonType.largeObject:
    case JsonType.largeArray:
      return offsetAt(bytes, at + 4, 4);
    case JsonType.literal:
      return 1;
    case JsonType.int16:
    case JsonType.uint16:
      return 2;
    case JsonType.int32:
    case JsonType.uint32:
      return 4;
    case JsonType.int64:
    case JsonType.uint64:
    case JsonType.double:
      return 8;
    case JsonType.string: {
      const [length, from] = jsonLength(bytes, at);
      return from + length - at;
    }
    case JsonType.opaque: {
      const [length, from] = jsonLength(bytes, at + 1);
      return from + length - at;
    }
    default:
      throw malformed("a JSON value of an unknown type");
  }
}

/** Containers that were opened become large ones, whatever they hold: these have room for everything. */
function written(node: JsonNode): JsonBytes {
  if (node.kind === "bytes") return node;
  const isObject = node.kind === "object";
  const names = isObject ? node.members.map(({ name }) => name) : [];
  const values = (isObject ? node.members.map(({ value }) => value) : node.items).map(written);
  const head = Buffer.alloc(8 + names.length * 6 + values.length * 5);
  const pieces: Buffer[] = [head];
  let end = head.length;
  let entry = 8;
  for (const name of names) {
    head.writeUInt32LE(end, entry);
    head.writeUInt16LE(name.length, entry + 4);
    entry += 6;
    pieces.push(name);
    end += name.length;
  }
  for (const { type, bytes } of values) {
    head[entry] = type;
    if (inlinedIn(type, 4)) bytes.copy(head, entry + 1);
    else {
      head.writeUInt32LE(end, entry + 1);
      pieces.push(bytes);
      end += bytes.length;
    }
    entry += 5;
  }
  head.writeUInt32LE(values.length, 0);
  head.writeUInt32LE(end, 4);
  const type = isObject ? JsonType.largeObject : JsonType.largeArray;
  return { kind: "bytes", type, bytes: Buffer.concat(pieces) };
}

function offsetAt(bytes: Buffer, at: number, width: 2 | 4): number {
  needed(bytes, at + width);
  return width === 4 ? bytes.readUInt32LE(at) : bytes.readUInt16LE(at);
}

function needed(bytes: Buffer, end: number): void {
  if (end > bytes.length) throw malformed("a JSON value beyond its document");
}
