import { packed, uint } from "./binlog-events.ts";

/*
 * MySQL's binary form of JSON ("json_binary.h") of what JavaScript has for it, in small containers, as a server writes a
 * document of less than 64 KB, and the text that the server shows.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonMembers;
export interface JsonMembers {
  readonly [name: string]: Json;
}

export function jsonDocument(value: Json): Buffer {
  const { type, bytes } = encoded(value);
  return Buffer.concat([uint(type, 1), bytes]);
}

export function jsonText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(", ")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${members(value)
    .map(([name, one]) => `${JSON.stringify(name)}: ${jsonText(one)}`)
    .join(", ")}}`;
}

/** One change of a part: 0 replaces, 1 inserts, 2 removes. */
export function jsonDiff(kind: 0 | 1 | 2, path: string, value?: Json): Buffer {
  const text = Buffer.from(path);
  const head = [uint(kind, 1), packed(text.length), text];
  if (value === undefined) return Buffer.concat(head);
  const document = jsonDocument(value);
  return Buffer.concat([...head, packed(document.length), document]);
}

interface Encoded {
  readonly type: number;
  readonly bytes: Buffer;
}

function encoded(value: Json): Encoded {
  if (value === null) return { type: 4, bytes: uint(0, 1) };
  if (typeof value === "boolean") return { type: 4, bytes: uint(value ? 1 : 2, 1) };
  if (typeof value === "number") return encodedNumber(value);
  if (typeof value === "string") {
    const text = Buffer.from(value);
    const length = text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7];
    return { type: 12, bytes: Buffer.concat([Buffer.from(length), text]) };
  }
  return isObject(value)
    ? container(
        0,
        members(value).map(([name]) => Buffer.from(name)),
        members(value).map(([, one]) => encoded(one)),
      )
    : container(2, [], value.map(encoded));
}

function encodedNumber(value: number): Encoded {
  const bytes = Buffer.alloc(8);
  if (!Number.isInteger(value)) {
    bytes.writeDoubleLE(value);
    return { type: 11, bytes };
  }
  bytes.writeBigInt64LE(BigInt(value));
  if (value >= -32_768 && value < 32_768) return { type: 5, bytes: bytes.subarray(0, 2) };
  if (value >= -(2 ** 31) && value < 2 ** 31) return { type: 7, bytes: bytes.subarray(0, 4) };
  return { type: 9, bytes };
}

function container(type: number, names: readonly Buffer[], values: readonly Encoded[]): Encoded {
  const head: Buffer[] = [];
  const tail: Buffer[] = [];
  let end = 4 + 4 * names.length + 3 * values.length;
  const behind = (bytes: Buffer): Buffer => {
    tail.push(bytes);
    end += bytes.length;
    return uint(end - bytes.length, 2);
  };
  for (const name of names) head.push(behind(name), uint(name.length, 2));
  for (const { type: kind, bytes } of values) {
    const isHere = kind === 4 || kind === 5;
    head.push(uint(kind, 1), isHere ? Buffer.concat([bytes, uint(0, 2)]).subarray(0, 2) : behind(bytes));
  }
  const count = uint(values.length, 2);
  return { type, bytes: Buffer.concat([count, uint(end, 2), ...head, ...tail]) };
}

function isObject(value: Json): value is JsonMembers {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Shorter names first. */
function members(value: JsonMembers): [string, Json][] {
  return Object.entries(value).sort(([a], [b]) => {
    const [left, right] = [Buffer.from(a), Buffer.from(b)];
    return left.length - right.length || left.compare(right);
  });
}
