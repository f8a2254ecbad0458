import { EventCursor, malformed, unreadable } from "./binlog-bytes.ts";
import { uuidText } from "./gtid.ts";

/*
 * The event with which MySQL from 8.3 on begins a transaction whose GTID has a tag (GTID_TAGGED_LOG_EVENT). It is a message
 * of the library that the source documentation describes under "MySQL Serialization Library": version, length, how many
 * fields a reader has to know, then fields, each behind its number. Numbers take one to nine bytes, of which the first has
 * as many ones at its lower end as bytes follow.
 */

const VERSION = 1;
const Field = {
  flags: 0,
  uuid: 1,
  number: 2,
  tag: 3,
  lastCommitted: 4,
  sequence: 5,
  committedAt: 6,
} as const;
/** Behind these come a second time, the transaction's length, versions of servers and a ticket of its group. */
const KNOWN_FIELDS = 12;
const UUID_LENGTH = 16;

export interface TaggedGtid {
  /** See GtidSet. */
  readonly source: string;
  readonly number: number;
  readonly committedAtMs: number | undefined;
}

/** Reads the event's body. */
export function readTaggedGtid(cursor: EventCursor): TaggedGtid {
  const { bytes, at, end } = cursor;
  if (unsigned(cursor) !== VERSION) throw unknownForm();
  const length = unsigned(cursor);
  if (length > end - at) throw malformed("cut short");
  if (unsigned(cursor) > KNOWN_FIELDS) throw unknownForm();
  const message = new EventCursor();
  message.reset(bytes, cursor.at, at + length);
  return readFields(message);
}

function readFields(cursor: EventCursor): TaggedGtid {
  let uuid = "";
  let tag = "";
  let number = 0;
  let committedAtMs: number | undefined;
  while (cursor.left > 0 && committedAtMs === undefined) {
    switch (unsigned(cursor)) {
      case Field.uuid:
        uuid = uuidText(Uint8Array.from({ length: UUID_LENGTH }, () => unsigned(cursor)));
        break;
      case Field.number:
        number = natural(cursor);
        break;
      case Field.tag:
        tag = cursor.text(unsigned(cursor));
        break;
      case Field.flags:
      case Field.lastCommitted:
      case Field.sequence:
        unsigned(cursor);
        break;
      case Field.committedAt:
        committedAtMs = Math.floor(unsigned(cursor) / 1000);
        break;
      default:
        throw malformed("a GTID whose fields are not in their order");
    }
  }
  if (uuid === "" || number === 0) throw malformed("a GTID without its parts");
  return { source: tag === "" ? uuid : `${uuid}:${tag}`, number, committedAtMs };
}

function unsigned(cursor: EventCursor): number {
  const first = cursor.byte();
  let count = 0;
  while (count < 8 && (first & (1 << count)) !== 0) count++;
  let value = count === 8 ? 0 : first >> (count + 1);
  // What of the first byte says how many there are counts no more; of nine bytes it is all of it.
  const shift = Math.min(count + 1, 8);
  for (let i = 1; i <= count; i++) value += cursor.byte() * 2 ** (8 * i - shift);
  if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number beyond 2^53");
  return value;
}

/** A signed number that is none: its lowest bit is the sign. */
function natural(cursor: EventCursor): number {
  const value = unsigned(cursor);
  if (value % 2 !== 0) throw malformed("a number below 0");
  return value / 2;
}

function unknownForm(): Error {
  return unreadable(
    "GTIDs in a form that Tideway does not know",
    "Report it with the server's version. Let transactions have GTIDs without tags, and start the task again with reload-target.",
  );
}
