import { crc32 } from "node:zlib";
import { EventKind } from "../../src/engines/mysql/log/binlog-event.ts";

/*
 * Events of a binary log made by hand, as MySQL 8 writes them: for what no server at hand writes. Layouts are those of
 * the source documentation ("mysql::binlog::event").
 */

export interface EventOptions {
  readonly flags?: number;
  readonly timestamp?: number;
  readonly checksum?: boolean;
}

/**
 * A header of 19 bytes, the body, and a checksum where the file has some. Where it ends it does not say, as is so of those
 * that a compressed transaction holds; see logged().
 */
export function event(kind: number, body: Buffer, options: EventOptions = {}): Buffer {
  const { flags = 0, timestamp = 1_700_000_000, checksum = false } = options;
  const length = 19 + body.length + (checksum ? 4 : 0);
  const header = Buffer.alloc(19);
  header.writeUInt32LE(timestamp, 0);
  header[4] = kind;
  header.writeUInt32LE(1, 5);
  header.writeUInt32LE(length, 9);
  header.writeUInt16LE(flags, 17);
  const whole = Buffer.concat([header, body]);
  return checksum ? Buffer.concat([whole, uint(crc32(whole), 4)]) : whole;
}

/** Events as a file has them from a place on: each says where it ends. */
export function logged(
  events: readonly Buffer[],
  { from = 4, checksum = false }: { readonly from?: number; readonly checksum?: boolean } = {},
): Buffer[] {
  let end = from;
  return events.map((one) => {
    end += one.length;
    const placed = Buffer.from(one);
    placed.writeUInt32LE(end, 13);
    const bodyEnd = placed.length - 4;
    if (checksum) placed.writeUInt32LE(crc32(placed.subarray(0, bodyEnd)), bodyEnd);
    return placed;
  });
}

export function uint(value: number | bigint, bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.subarray(0, bytes);
}

/** Below 251 one byte, else a mark and two. */
export function packed(value: number): Buffer {
  return value < 251 ? uint(value, 1) : Buffer.concat([uint(252, 1), uint(value, 2)]);
}

/** `checksum`: what the file says of the events behind it; this one has one in any case, as servers write it. */
export function formatDescription(checksum: boolean): Buffer {
  const version = Buffer.alloc(50);
  version.write("8.0.40");
  const body = Buffer.concat([
    ...[uint(4, 2), version, uint(0, 4), uint(19, 1), Buffer.alloc(41), uint(checksum ? 1 : 0, 1)],
  ]);
  // Without checksums four bytes stand in its place.
  return checksum
    ? event(EventKind.formatDescription, body, { checksum })
    : event(EventKind.formatDescription, Buffer.concat([body, Buffer.alloc(4)]));
}

export interface GtidParts {
  readonly uuid: string;
  readonly number: number;
  /** Microseconds since 1970. */
  readonly committedAt?: number;
}

export function gtid({ uuid, number, committedAt }: GtidParts, options: EventOptions = {}): Buffer {
  const parts = [uint(1, 1), Buffer.from(uuid.replaceAll("-", ""), "hex"), uint(number, 8)];
  if (committedAt !== undefined) {
    parts.push(
      uint(2, 1),
      uint(number - 1, 8),
      uint(number, 8),
      uint(committedAt, 7),
      uint(200, 1),
      uint(80_040, 4),
    );
  }
  return event(EventKind.gtid, Buffer.concat(parts), options);
}

/** With a tag, as MySQL from 8.3 on writes it: fields behind their numbers ("MySQL Serialization Library"). */
export function taggedGtid(
  { uuid, tag, number, committedAt = 1_700_000_000_000_000 }: GtidParts & { readonly tag: string },
  options: EventOptions = {},
): Buffer {
  const fields = Buffer.concat([
    ...[varint(0), varint(1)],
    ...[varint(1), ...Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"), (byte) => varint(byte))],
    ...[varint(2), varint(2 * number), varint(3), varint(tag.length), Buffer.from(tag)],
    ...[varint(4), varint(2 * 300), varint(5), varint(2 * 301), varint(6), varint(committedAt)],
    ...[varint(8), varint(90_200), varint(9), varint(80_407)],
  ]);
  const head = (length: number): Buffer => Buffer.concat([varint(1), varint(length), varint(10)]);
  const length = fields.length + head(fields.length).length;
  return event(EventKind.gtidTagged, Buffer.concat([head(length), fields]), options);
}

/** A number as that library writes it: the first byte says by its lowest bits how many follow. */
export function varint(value: number | bigint): Buffer {
  const bits = BigInt(value).toString(2).length;
  const size = bits > 56 ? 9 : Math.ceil(bits / 7);
  if (size === 9) return Buffer.concat([uint(0xff, 1), uint(value, 8)]);
  return uint((BigInt(value) << BigInt(size)) | ((1n << BigInt(size - 1)) - 1n), size);
}

export function query(sql: string, database: string, options: EventOptions = {}): Buffer {
  const head = Buffer.concat([
    uint(1, 4),
    uint(0, 4),
    uint(Buffer.byteLength(database), 1),
    uint(0, 2),
    uint(0, 2),
  ]);
  return event(EventKind.query, Buffer.concat([head, Buffer.from(`${database}\0${sql}`)]), options);
}

export function xid(options: EventOptions = {}): Buffer {
  return event(EventKind.xid, uint(7, 8), options);
}

export interface MapParts {
  readonly table: number;
  readonly schema: string;
  readonly name: string;
  /** Pairs of a kind and its metadata. */
  readonly columns: readonly (readonly [kind: number, meta: readonly number[]])[];
  /** Optional metadata: kind of the field and its value. */
  readonly metadata?: readonly (readonly [field: number, value: Buffer])[];
}

export function tableMap(
  { table, schema, name, columns, metadata = [] }: MapParts,
  options: EventOptions = {},
): Buffer {
  const meta = Buffer.from(columns.flatMap(([, bytes]) => bytes));
  const named = (text: string): Buffer => Buffer.concat([uint(text.length, 1), Buffer.from(`${text}\0`)]);
  const body = Buffer.concat([
    ...[uint(table, 6), uint(1, 2), named(schema), named(name), packed(columns.length)],
    ...[Buffer.from(columns.map(([kind]) => kind)), packed(meta.length), meta],
    ...[Buffer.alloc((columns.length + 7) >> 3, 0xff)],
    ...metadata.flatMap(([field, value]) => [uint(field, 1), packed(value.length), value]),
  ]);
  return event(EventKind.tableMap, body, options);
}

/** Rows of the second version, of which all columns are there. */
export function rows(
  kind: number,
  { table, width, flags = 1 }: { readonly table: number; readonly width: number; readonly flags?: number },
  images: Buffer,
  options: EventOptions = {},
): Buffer {
  const all = Buffer.alloc((width + 7) >> 3, 0xff);
  const isUpdate = kind === EventKind.updateRows2 || kind === EventKind.partialUpdateRows;
  const head = [uint(table, 6), uint(flags, 2), uint(2, 2), packed(width), all, ...(isUpdate ? [all] : [])];
  return event(kind, Buffer.concat([...head, images]), options);
}

/** Events that a transaction was compressed as. */
export function payload(
  compressed: Buffer,
  { type, size }: { readonly type: number; readonly size: number },
  options: EventOptions = {},
): Buffer {
  const field = (kind: number, value: number): Buffer => {
    const bytes = value < 251 ? packed(value) : Buffer.concat([uint(254, 1), uint(value, 8)]);
    return Buffer.concat([packed(kind), packed(bytes.length), bytes]);
  };
  const head = [field(2, type), field(3, size), field(1, compressed.length), packed(0)];
  return event(EventKind.transactionPayload, Buffer.concat([...head, compressed]), options);
}
