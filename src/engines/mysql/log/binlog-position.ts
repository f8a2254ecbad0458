import { MigrationError } from "../../../core/error.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";
import { containsGtids, formatGtids, type GtidSet, NO_GTIDS, parseGtids } from "./gtid.ts";

/*
 * Positions in a binary log. A server that numbers its transactions (MariaDB; MySQL with gtid_mode=ON) is followed by
 * the set of those that have been seen, "mysql-gtid", which is the same on all copies of a server. Any other is
 * followed by file and byte, "mysql-binlog": `mysql-bin.000003:1234`.
 *
 * As a Position, file and byte P are the boundary "every transaction whose first event ends at or before P has
 * committed, no other has". A transaction's own position is thus the end of its first event, which is known before
 * its changes; it is more than the end of the transaction before it, which a snapshot or a server's status names.
 */

export const GTID_KIND = "mysql-gtid";
export const BINLOG_KIND = "mysql-binlog";

export interface BinlogPlace {
  /** As the server names it, e.g. mysql-bin.000003. */
  readonly file: string;
  readonly byte: number;
}

const PLACE = /^([^\s:#,]+)\.(\d{1,18}):(\d{1,16})$/;
/** DMS's recovery checkpoint: the third field is the source's position, file:byte:... */
const DMS_CHECKPOINT = /^(?:checkpoint:)?V1#[^#]*#([^#]*)(?:#.*)?$/;
const CHECKPOINT_PLACE = /^([^\s:#,]+\.\d{1,18}:\d{1,16})(?::.*)?$/;

export function gtidPosition(set: GtidSet): Position {
  return { kind: GTID_KIND, text: formatGtids(set) };
}

/** What a server says of itself, e.g. gtid_executed or gtid_binlog_pos; may be empty. */
export function gtidPositionOf(text: string): Position {
  return gtidPosition(parseGtids(text));
}

/** Throws `position.malformed` for a position of another log. */
export function gtidsOf(position: Position): GtidSet {
  if (position.kind !== GTID_KIND) throw malformed();
  return parsed(position.text);
}

export function placePosition({ file, byte }: BinlogPlace): Position {
  return { kind: BINLOG_KIND, text: `${file}:${byte}` };
}

export function placeOf(position: Position): BinlogPlace {
  const match = position.kind === BINLOG_KIND ? PLACE.exec(position.text) : null;
  if (match === null) throw malformed();
  return { file: `${match[1]}.${match[2]}`, byte: Number(match[3]) };
}

export const positionCodec: PositionCodec = {
  parse(text: string): Position {
    const trimmed = text.trim();
    const checkpoint = DMS_CHECKPOINT.exec(trimmed)?.[1];
    const place = checkpoint === undefined ? trimmed : (CHECKPOINT_PLACE.exec(checkpoint)?.[1] ?? checkpoint);
    const match = PLACE.exec(place);
    if (match !== null) {
      const byte = Number(match[3]);
      if (byte > Number.MAX_SAFE_INTEGER) throw malformed();
      return placePosition({ file: `${match[1]}.${match[2]}`, byte });
    }
    if (place === "") throw malformed();
    try {
      return gtidPositionOf(place);
    } catch {
      throw malformed();
    }
  },

  compare(a: Position, b: Position): -1 | 0 | 1 | undefined {
    if (a.kind !== b.kind) return undefined;
    if (a.text === b.text) return 0;
    if (a.kind === BINLOG_KIND) return comparePlaces(a.text, b.text);
    if (a.kind !== GTID_KIND) return undefined;
    if (a.text === NO_GTIDS) return -1;
    if (b.text === NO_GTIDS) return 1;
    return compareNext(a.text, b.text) ?? compareSets(parsed(a.text), parsed(b.text));
  },
};

/** Files of one log by their numbers, which grow without limit. Throws `position.malformed` for those of two. */
export function compareBinlogPlaces(a: BinlogPlace, b: BinlogPlace): -1 | 0 | 1 {
  const order = positionCodec.compare(placePosition(a), placePosition(b));
  if (order === undefined) throw malformed();
  return order;
}

function comparePlaces(a: string, b: string): -1 | 1 | undefined {
  const [, nameA, fileA, byteA] = PLACE.exec(a) ?? [];
  const [, nameB, fileB, byteB] = PLACE.exec(b) ?? [];
  if (nameA === undefined || nameA !== nameB) return undefined;
  const order = Number(fileA) - Number(fileB) || Number(byteA) - Number(byteB);
  return order < 0 ? -1 : 1;
}

/**
 * Two texts that differ in the end of one interval, or in the number of one domain, as those of a stream mostly do:
 * answered without reading the sets. undefined for any others.
 */
function compareNext(a: string, b: string): -1 | 1 | undefined {
  const shorter = Math.min(a.length, b.length);
  let from = 0;
  while (from < shorter && a.charCodeAt(from) === b.charCodeAt(from)) from++;
  while (from > 0 && isDigit(a.charCodeAt(from - 1))) from--;
  if (from === 0 || a[from - 1] !== "-") return undefined;
  let endA = from;
  while (endA < a.length && isDigit(a.charCodeAt(endA))) endA++;
  let endB = from;
  while (endB < b.length && isDigit(b.charCodeAt(endB))) endB++;
  // What follows a domain or a part of a UUID is neither.
  if (endA < a.length && a[endA] !== ",") return undefined;
  if (a.length - endA !== b.length - endB || !a.endsWith(b.slice(endB))) return undefined;
  if (endA === from || endB === from) return undefined;
  if (endA !== endB) return endA < endB ? -1 : 1;
  return a < b ? -1 : 1;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function compareSets(a: GtidSet, b: GtidSet): -1 | 1 | undefined {
  if (containsGtids(b, a)) return -1;
  return containsGtids(a, b) ? 1 : undefined;
}

/** A goal is compared with every transaction; what was read last is kept. */
const KEPT_SETS = 64;
const sets = new Map<string, GtidSet>();

function parsed(text: string): GtidSet {
  let set = sets.get(text);
  if (set === undefined) {
    set = parseGtids(text);
    if (sets.size >= KEPT_SETS) sets.delete(sets.keys().next().value!);
  } else {
    sets.delete(text);
  }
  sets.set(text, set);
  return set;
}

function malformed(): MigrationError {
  return new MigrationError("position.malformed", {
    message:
      "A position in a binary log looks like mysql-bin.000003:1234, like 0-1-5,1-2-7 (MariaDB) or like 3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5 (MySQL).",
  });
}
