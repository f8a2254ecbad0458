import { MigrationError } from "../../../core/error.ts";
import type { Position, PositionCodec } from "../../../core/position.ts";

/*
 * PostgreSQL's log positions. A log sequence number (LSN) is a byte offset into the write-ahead log,
 * written as two hexadecimal halves: 16/B374D848.
 *
 * As a Position, an LSN P is the boundary "every transaction whose commit record starts before P has
 * committed, no other has". That is how the server itself decides what a snapshot holds and what a
 * slot skips (SnapBuildXactNeedsSkip), so a slot's consistent point, its confirmed_flush_lsn, a
 * keepalive's end of log and the position of a commit are all comparable.
 */

const KIND = "pg-lsn";
const LSN = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;
/** DMS's recovery checkpoint, `checkpoint:V1#27#0000016/B374D848#...`: the third field is the source's position. */
const DMS_CHECKPOINT = /^(?:checkpoint:)?V1#[^#]*#([^#]*)(?:#.*)?$/;
const LIMIT = 1n << 64n;

export function lsnPosition(value: bigint): Position {
  if (value < 0n || value >= LIMIT) throw malformed("A log position is a number of 64 bits.");
  return lsnOfHalves(Number(value >> 32n), Number(value & 0xffffffffn));
}

/** The same from the two unsigned halves that the protocol sends; no bigint on the way. */
export function lsnOfHalves(high: number, low: number): Position {
  return { kind: KIND, text: `${high.toString(16).toUpperCase()}/${low.toString(16).toUpperCase()}` };
}

export function lsnValue(position: Position): bigint {
  const match = position.kind === KIND ? LSN.exec(position.text) : null;
  if (match === null) throw malformed("The position is not one of a PostgreSQL log.");
  return (BigInt(Number.parseInt(match[1]!, 16)) << 32n) | BigInt(Number.parseInt(match[2]!, 16));
}

/**
 * Where the transaction stands whose commit record starts at `high/low`, as Begin announces it. One
 * byte further on is the least boundary that holds this commit: it is known before the first change
 * arrives, and no other commit can start within the record.
 */
export function commitPosition(high: number, low: number): Position {
  return low === 0xffffffff ? lsnOfHalves(high + 1, 0) : lsnOfHalves(high, low + 1);
}

/** What Begin announces: where the commit record starts, as the two halves of its position. */
export class Beginning {
  readonly #high: number;
  readonly #low: number;
  readonly #xid: number;
  readonly committedAtMs: number;

  constructor(high: number, low: number, commit: { readonly xid: number; readonly committedAtMs: number }) {
    this.#high = high;
    this.#low = low;
    this.#xid = commit.xid;
    this.committedAtMs = commit.committedAtMs;
  }

  get position(): Position {
    return commitPosition(this.#high, this.#low);
  }

  get id(): string {
    return String(this.#xid);
  }
}

export const lsnCodec: PositionCodec = {
  parse(text: string): Position {
    const trimmed = text.trim();
    const checkpoint = DMS_CHECKPOINT.exec(trimmed);
    const match = LSN.exec(checkpoint?.[1] ?? trimmed);
    if (match === null) throw malformed("A PostgreSQL log position looks like 16/B374D848.");
    return lsnOfHalves(Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16));
  },

  compare(a: Position, b: Position): -1 | 0 | 1 | undefined {
    if (a.kind !== KIND || b.kind !== KIND) return undefined;
    if (a.text === b.text) return 0;
    return isBefore(a.text, b.text) ? -1 : 1;
  },
};

/** Canonical texts have no leading zeros and one case, so length and then order of the characters decide. */
function isBefore(a: string, b: string): boolean {
  const slashA = a.indexOf("/");
  const slashB = b.indexOf("/");
  if (slashA !== slashB) return slashA < slashB;
  const highA = a.slice(0, slashA);
  const highB = b.slice(0, slashB);
  if (highA !== highB) return highA < highB;
  return a.length === b.length ? a < b : a.length < b.length;
}

function malformed(message: string): MigrationError {
  return new MigrationError("position.malformed", { message });
}
